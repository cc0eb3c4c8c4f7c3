/** @file What runs in the empty project: a model of a plugin's layers, from JSON, trained on a plugin's device that is chosen at run time. */
import assert from 'node:assert/strict';
import { F, init, loadPlugins, manualSeed, nn, optim, rand } from 'tessera';

const [id] = process.argv.slice(2);
const plugins = [];
for (const name of ['tessera-backend-openblas', 'tessera-backend-blocks', 'tessera-layers-kan']) plugins.push(...(await loadPlugins(name)));
const device = await init({ plugins, device: id });
assert.equal(device.id, id);

manualSeed(0);
const model = nn.fromConfig(
  JSON.parse(
    '{ "format": "tessera.model", "version": 1, "model": { "type": "Sequential", "args": [{ "type": "KANLinear", "args": [2, 4, { "gridSize": 3 }] }, { "type": "Linear", "args": [4, 1] }] } }',
  ),
);
const x = rand(64, 2).mul(2).sub(1);
const y = x.mul(x).sum(1, { keepdim: true });
const optimizer = new optim.Adam(model.parameters(), { lr: 0.02 });
const losses = [];
for (let step = 0; step < 40; step++) {
  optimizer.zeroGrad();
  const loss = F.mseLoss(model(x), y);
  loss.backward();
  optimizer.step();
  losses.push(await loss.itemAsync());
}
assert.ok(losses.at(-1) < losses[0] / 3, losses.join());
console.log(`${id}: loss ${losses[0].toFixed(4)} to ${losses.at(-1).toFixed(4)}`);
