import assert from 'node:assert/strict';
import { test } from 'node:test';
import { init, manualSeed, ones } from 'tessera';
import { spirals } from './data.js';
import { accuracy, train } from './loop.js';
import { Net } from './model.js';

await init({ device: 'cpu' });

test('the model gives two scores a point', () => {
  assert.deepEqual(new Net()(ones(3, 2)).shape, [3, 2]);
});

test('it learns', async () => {
  manualSeed(0);
  const model = new Net();
  const set = spirals(256);
  const losses = await train(model, set, 40, () => {});
  assert.ok(losses.at(-1)! < losses[0]! / 2, `the loss fell from ${losses[0]} to ${losses.at(-1)} only`);
  assert.ok((await accuracy(model, set)) > 0.9);
});
