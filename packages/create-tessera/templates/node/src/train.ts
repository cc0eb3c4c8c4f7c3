import { mkdir, writeFile } from 'node:fs/promises';
import { init, io, manualSeed } from 'tessera';
import { spirals } from './data.js';
import { accuracy, train } from './loop.js';
import { Net } from './model.js';

const json = process.argv.includes('--json');
const device = await init({ device: 'auto' }); // webgpu, then wasm, then cpu
manualSeed(0);

const set = spirals(512);
const model = new Net();
if (!json) console.log(`on ${device.id}:\n${String(model)}`);

const losses = await train(model, set, 40, (epoch, loss) => {
  if (!json && epoch % 10 === 0) console.log(`epoch ${epoch}  loss ${loss.toFixed(4)}`);
});
const right = await accuracy(model, set);

await mkdir('out', { recursive: true });
await writeFile('out/model.safetensors', await io.saveSafetensorsAsync(model.stateDict()));
console.log(
  json
    ? JSON.stringify({ device: device.id, losses, accuracy: right })
    : `accuracy ${(100 * right).toFixed(1)} %, weights in out/model.safetensors`,
);
