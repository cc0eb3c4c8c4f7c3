import { init, manualSeed, ones } from 'tessera';
import { beforeAll, expect, test } from 'vitest';
import { spirals } from './data';
import { trainer } from './loop';
import { Net } from './model';

beforeAll(() => init({ device: 'cpu' }));

test('the model gives two scores a point', () => {
  expect(new Net()(ones(3, 2)).shape).toEqual([3, 2]);
});

test('it learns', async () => {
  manualSeed(0);
  const next = trainer(new Net(), spirals(256));
  const first = await next();
  let last = first;
  for (let epoch = 1; epoch < 40; epoch++) last = await next();
  expect(last).toBeLessThan(first / 2);
});
