/** @file Samples: what the draws depend on, and what is refused. The reference data have PyTorch's own numbers. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  bernoulli,
  full,
  grad,
  manualSeed,
  multinomial,
  multinomialAsync,
  ones,
  runtimes,
  signal,
  tensor,
  unravelIndex,
} from '../src/index.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});

describe('bernoulli', () => {
  it('draws as often as the probabilities say, on the device or from the host', () => {
    for (const rng of ['philox', 'torch'] as const) {
      manualSeed(3);
      const x = bernoulli(full([10_000], 0.3), { rng });
      expect(x.mean().item()).toBeCloseTo(0.3, 1);
      expect(x.eq(0).logicalOr(x.eq(1)).all().item()).toBe(1);
      expect(bernoulli(tensor([0, 1, 0, 1]), { rng }).toArray()).toEqual([0, 1, 0, 1]);
    }
  });

  it('takes one probability for all, and keeps the dtype', () => {
    manualSeed(4);
    const x = ones([5000], { dtype: 'int32' }).bernoulli({ p: 0.75, rng: 'torch' });
    expect(x.dtype).toBe('int32');
    expect(x.to('float32').mean().item()).toBeCloseTo(0.75, 1);
    expect(() => bernoulli(ones(2), { p: 1.5 })).toThrow(/\[0, 1\]/);
    expect(() => bernoulli(ones([2], { dtype: 'int32' }))).toThrow(/floating point/);
  });

  it('has a gradient of zeros', () => {
    const p = tensor([0.5, 0.5], { requiresGrad: true });
    expect(grad(bernoulli(p).sum(), p)[0]!.toArray()).toEqual([0, 0]);
  });
});

describe('multinomial', () => {
  it('draws each category once without replacement, and none of weight 0', () => {
    manualSeed(5);
    const picked = multinomial(tensor([0, 10, 3, 1]), 3).toArray() as number[];
    expect(picked.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
  });

  it('draws in proportion to the weights with replacement, by row', async () => {
    manualSeed(6);
    const x = await multinomialAsync(
      tensor([
        [1, 3],
        [0, 2],
      ]),
      4000,
      { replacement: true },
    );
    expect(x.shape).toEqual([2, 4000]);
    expect(x.to('float32').mean(1).toArray()).toEqual([expect.closeTo(0.75, 1), 1]);
  });
});

describe('unravelIndex', () => {
  it('gives an index for each dim, for sizes beyond int32 too', () => {
    const places = tensor([0, 5, 23], { dtype: 'int32' });
    expect(unravelIndex(places, [2, 3, 4]).map((t) => t.toArray())).toEqual([
      [0, 0, 1],
      [0, 1, 2],
      [0, 1, 3],
    ]);
    expect(unravelIndex(places, [4, 2 ** 40]).map((t) => t.toArray())).toEqual([
      [0, 0, 0],
      [0, 5, 23],
    ]);
  });
});

describe('signal.windows', () => {
  it('are symmetric, or one period', () => {
    expect(signal.windows.hann(5).toArray()).toEqual([0, 0.5, 1, 0.5, 0]);
    expect(signal.windows.hann(4, { sym: false }).toArray()).toEqual([0, 0.5, 1, 0.5]);
    expect(signal.windows.kaiser(3, { beta: 0 }).toArray()).toEqual([1, 1, 1]);
  });
});
