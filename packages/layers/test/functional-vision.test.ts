import { cpuPlugin } from '@tessera/backend-cpu';
import { arange, ones, runtimes, type Tensor, tensor } from '@tessera/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { F } from '../src/index.js';

beforeAll(() => {
  runtimes.current.use(cpuPlugin);
});

const image = (h: number, w: number): Tensor => arange(h * w, { dtype: 'float32' }).reshape([1, 1, h, w]);

describe('interpolate', () => {
  it('repeats, or runs straight between the centres or the corners', () => {
    const x = tensor([[[0, 4]]]);
    expect(F.interpolate(x, { size: 4 }).toArray()).toEqual([[[0, 0, 4, 4]]]);
    expect(F.interpolate(x, { size: 4, mode: 'linear' }).toArray()).toEqual([[[0, 1, 3, 4]]]);
    expect(F.interpolate(x, { size: 5, mode: 'linear', alignCorners: true }).toArray()).toEqual([[[0, 1, 2, 3, 4]]]);
    expect(F.interpolate(image(2, 2), { scaleFactor: 2, mode: 'bilinear' }).shape).toEqual([1, 1, 4, 4]);
  });

  it('brings 8 × 8 digits to 28 × 28 without changing what is constant', () => {
    const y = F.interpolate(ones(2, 1, 8, 8), { size: [28, 28], mode: 'bilinear' });
    expect(y.shape).toEqual([2, 1, 28, 28]);
    expect(y.amin().item()).toBeCloseTo(1, 6);
    expect(y.amax().item()).toBeCloseTo(1, 6);
  });

  it('gives each input element the weights that it had', () => {
    const x = image(2, 3).requiresGrad_();
    F.interpolate(x, { size: [5, 4], mode: 'bicubic' })
      .sum()
      .backward();
    expect(x.grad!.sum().item()).toBeCloseTo(20, 4);
  });

  it('refuses modes of another rank', () => {
    expect(() => F.interpolate(image(2, 2), { size: 4, mode: 'linear' })).toThrow(/needs 3D/);
    expect(() => F.interpolate(image(2, 2))).toThrow(/size or scale_factor/);
  });
});

describe('pad', () => {
  it('mirrors, repeats the edge, and starts over', () => {
    const x = tensor([[1, 2, 3]]);
    expect(F.pad(x, [2, 1], { mode: 'reflect' }).toArray()).toEqual([[3, 2, 1, 2, 3, 2]]);
    expect(F.pad(x, [2, 1], { mode: 'replicate' }).toArray()).toEqual([[1, 1, 1, 2, 3, 3]]);
    expect(F.pad(x, [2, 1], { mode: 'circular' }).toArray()).toEqual([[2, 3, 1, 2, 3, 1]]);
    expect(F.pad(x, [1, 0], { value: 9 }).toArray()).toEqual([[9, 1, 2, 3]]);
    expect(() => F.pad(x, [3, 0], { mode: 'reflect' })).toThrow(/less than the corresponding/);
  });
});

describe('rearranging', () => {
  it('shuffles pixels there and back', () => {
    const x = arange(32, { dtype: 'float32' }).reshape([1, 8, 2, 2]);
    expect(F.pixelUnshuffle(F.pixelShuffle(x, 2), 2).toArray()).toEqual(x.toArray());
    expect(F.channelShuffle(arange(4, { dtype: 'float32' }).reshape([1, 4, 1]), 2).toArray()).toEqual([[[0], [2], [1], [3]]]);
  });

  it('takes patches out and adds them back', () => {
    const columns = F.unfold(image(3, 3), 2);
    expect(columns.shape).toEqual([1, 4, 4]);
    expect(F.fold(columns, 3, 2).toArray()).toEqual([
      [
        [
          [0, 2, 2],
          [6, 16, 10],
          [6, 14, 8],
        ],
      ],
    ]);
  });

  it('reads an image at its own places unchanged', () => {
    const x = image(3, 4);
    const theta = tensor([
      [
        [1, 0, 0],
        [0, 1, 0],
      ],
    ]);
    for (const alignCorners of [true, false]) {
      const y = F.gridSample(x, F.affineGrid(theta, [1, 1, 3, 4], { alignCorners }), { alignCorners });
      [...y.data()].forEach((v, i) => expect(v).toBeCloseTo(i, 4));
    }
  });
});

describe('attention, bags and distances', () => {
  it('does not look ahead when causal', () => {
    const v = tensor([
      [
        [1, 0],
        [0, 1],
      ],
    ]);
    const y = F.scaledDotProductAttention(ones(1, 2, 2), ones(1, 2, 2), v, { isCausal: true });
    expect(y.toArray()).toEqual([
      [
        [1, 0],
        [0.5, 0.5],
      ],
    ]);
  });

  it('sums bags, empty ones included, without what is padding', () => {
    const weight = tensor([
      [1, 1],
      [2, 2],
      [4, 4],
    ]);
    const index = tensor([0, 1, 2], { dtype: 'int32' });
    const offsets = tensor([0, 2, 2], { dtype: 'int32' });
    expect(F.embeddingBag(index, weight, offsets, { mode: 'sum' }).toArray()).toEqual([
      [3, 3],
      [0, 0],
      [4, 4],
    ]);
    expect(F.embeddingBag(index, weight, offsets, { mode: 'mean', paddingIdx: 0 }).toArray()).toEqual([
      [2, 2],
      [0, 0],
      [4, 4],
    ]);
    expect(F.embeddingBag(index, weight, offsets, { mode: 'max' }).toArray()).toEqual([
      [2, 2],
      [0, 0],
      [4, 4],
    ]);
    expect(F.oneHot(tensor([0, 2], { dtype: 'int32' })).toArray()).toEqual([
      [1, 0, 0],
      [0, 0, 1],
    ]);
  });

  it('measures', () => {
    expect(F.cosineSimilarity(tensor([[1, 0]]), tensor([[2, 0]])).item()).toBeCloseTo(1, 6);
    expect(F.pairwiseDistance(tensor([0, 0]), tensor([3, 4]), { eps: 0 }).item()).toBe(5);
    expect(
      F.pdist(
        tensor([
          [0, 0],
          [3, 4],
          [0, 0],
        ]),
      ).toArray(),
    ).toEqual([5, 0, 5]);
    expect(F.normalize(tensor([[3, 4]])).toArray()).toEqual([[Math.fround(0.6), Math.fround(0.8)]]);
  });
});
