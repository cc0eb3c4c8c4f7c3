import { beforeAll, describe, expect, it } from 'vitest';
import {
  batchNorm,
  col2im,
  constantPadNd,
  dropout,
  dropout2d,
  embedding,
  Generator,
  groupNorm,
  gruPointwise,
  im2col,
  instanceNorm,
  layerNorm,
  logSoftmax,
  lstmPointwise,
  manualSeed,
  nllLoss,
  ones,
  rmsNorm,
  runtimes,
  softmax,
  type Tensor,
  tensor,
  zeros,
} from '../src/index.js';
import { gradientError, irregular, secondOrderError, weighed } from './support/finite-differences.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});

/** The errors of first and second derivatives of the square of what `f` gives, each as a part of what is allowed: 1 is too much. */
function derivativeError(f: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[]): number {
  const number = (...xs: Tensor[]): Tensor => weighed(f(...xs).pow(2));
  return Math.max(gradientError(number, inputs) / 1e-6, secondOrderError(number, inputs) / 2e-4);
}

describe('softmax', () => {
  it('sums to 1 along any dim, however large the numbers', () => {
    const x = tensor([
      [1000, 1001],
      [-1000, -1000],
    ]);
    expect(softmax(x, -1).sum(-1).toArray()).toEqual([1, 1]);
    expect(softmax(x, 0).toArray()).toEqual([
      [1, 1],
      [0, 0],
    ]);
    expect(logSoftmax(tensor([0, 0, 0, 0]), 0).toArray()).toEqual(new Array(4).fill(Math.fround(-Math.log(4))));
    expect(softmax(tensor(3), 0).item()).toBe(1);
    expect(softmax(tensor([1, 2], { dtype: 'int32' }), 0, { dtype: 'float64' }).dtype).toBe('float64');
  });

  it('has right derivatives along the last and another dim', () => {
    for (const op of [softmax, logSoftmax])
      for (const dim of [0, 1]) expect(derivativeError((x) => op(x, dim), [irregular([3, 4])])).toBeLessThan(1);
  });
});

describe('nllLoss', () => {
  const target = (): Tensor => tensor([2, 0, -100], { dtype: 'int32' });

  it('leaves ignored targets out of sum and mean', () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ]);
    expect(nllLoss(x, target(), { reduction: 'none' }).toArray()).toEqual([-3, -4, 0]);
    expect(nllLoss(x, target()).item()).toBe(-3.5);
    expect(nllLoss(x, target(), { weight: tensor([1, 1, 3]) }).item()).toBe(-13 / 4);
  });

  it('has right derivatives, with weights and several positions', () => {
    const t = tensor(
      [
        [1, 0],
        [-100, 2],
      ],
      { dtype: 'int32' },
    );
    const weight = tensor([0.5, 2, 1], { dtype: 'float64' });
    for (const reduction of ['none', 'mean', 'sum'] as const)
      expect(derivativeError((x) => nllLoss(x, t, { reduction, weight }), [irregular([2, 3, 2])])).toBeLessThan(1);
  });

  it('refuses a class that is none', () => {
    expect(() => nllLoss(ones(1, 3), tensor([3], { dtype: 'int32' })).item()).toThrow(/out of bounds/);
    expect(() => nllLoss(ones(2, 3), target())).toThrow(/batch_size/);
  });
});

describe('norms', () => {
  it('centres and scales over the right dims', () => {
    expect(layerNorm(tensor([[1, 3]]), 2, null, null, { eps: 0 }).toArray()).toEqual([[-1, 1]]);
    expect(groupNorm(tensor([[1, 3, 10, 20]]), 2, null, null, { eps: 0 }).toArray()).toEqual([[-1, 1, -1, 1]]);
    expect(
      instanceNorm(
        tensor([
          [
            [2, 4],
            [5, 5],
          ],
        ]),
        null,
        null,
        null,
        null,
        { eps: 0.5 },
      ).shape,
    ).toEqual([1, 2, 2]);
    expect(
      rmsNorm(tensor([[3, 4]]), [2], null, { eps: 0 })
        .select(0, 0)
        .toArray(),
    ).toEqual([3, 4].map((x) => Math.fround(x * Math.fround(1 / Math.sqrt(12.5)))));
  });

  it('moves running statistics by momentum, the variance unbiased', () => {
    const mean = zeros(1);
    const variance = ones(1);
    batchNorm(tensor([[1], [2], [3]]), mean, variance, null, null, { training: true, momentum: 0.5 });
    expect(mean.item()).toBe(1);
    expect(variance.item()).toBe(1);
    const still = batchNorm(tensor([[3]]), mean, variance, tensor([2]), tensor([1]), { eps: 0 });
    expect(still.item()).toBe(5);
  });

  it('keeps accuracy beside a large mean', () => {
    const y = layerNorm(tensor([[10000, 10001, 10002]]), 3, null, null, { eps: 0 });
    (y.toArray() as number[][])[0]!.forEach((x, i) => expect(x).toBeCloseTo([-1.2247, 0, 1.2247][i]!, 3));
  });

  it('has right derivatives', () => {
    const wb = (n: number): Tensor[] => [irregular([n], 2), irregular([n], 3)];
    expect(derivativeError((x, w, b) => layerNorm(x, [4], w, b), [irregular([2, 4]), ...wb(4)])).toBeLessThan(1);
    expect(derivativeError((x, w, b) => batchNorm(x, null, null, w, b, { training: true }), [irregular([3, 2, 2]), ...wb(2)])).toBeLessThan(
      1,
    );
    expect(
      derivativeError((x, w, b) => batchNorm(x, tensor([0.1, 0.2]), tensor([1, 2]), w, b), [irregular([3, 2]), ...wb(2)]),
    ).toBeLessThan(1);
    expect(derivativeError((x, w, b) => groupNorm(x, 2, w, b), [irregular([1, 4, 2]), ...wb(4)])).toBeLessThan(1);
    expect(derivativeError((x, w) => rmsNorm(x, [3], w), [irregular([2, 3]), irregular([3], 2)])).toBeLessThan(1);
  });

  it('refuses one value a channel', () => {
    expect(() => batchNorm(ones(1, 2), null, null, null, null, { training: true })).toThrow(/more than 1 value per channel/);
  });
});

describe('dropout', () => {
  it('drops about p, scales the rest, and sends the gradient the same way', () => {
    manualSeed(3);
    const x = ones([40, 50], { requiresGrad: true });
    const y = dropout(x, { p: 0.25 });
    const values = y.data();
    const kept = values.filter((v) => v !== 0);
    expect(new Set(kept)).toEqual(new Set([Math.fround(4 / 3)]));
    expect(kept.length / values.length).toBeGreaterThan(0.7);
    expect(kept.length / values.length).toBeLessThan(0.8);
    y.sum().backward();
    expect([...x.grad!.data()]).toEqual([...values]);
  });

  it('repeats itself from a seed, and makes other noise at each call', () => {
    const draw = (generator: Generator): number[] => [...dropout(ones(200), { generator }).data()];
    const generator = new Generator(7);
    const first = draw(generator);
    expect(draw(generator)).not.toEqual(first);
    expect(draw(new Generator(7))).toEqual(first);
  });

  it('draws whole channels', () => {
    const y = dropout2d(ones(2, 8, 3, 3), { generator: new Generator(1) });
    for (const sample of y.toArray() as number[][][][]) for (const channel of sample) expect(new Set(channel.flat()).size).toBe(1);
  });

  it('hands the input on when not training, and refuses what is no probability', () => {
    const x = ones(3);
    expect(dropout(x, { training: false })).toBe(x);
    expect(() => dropout(x, { p: 1.5 })).toThrow(/between 0 and 1/);
  });
});

describe('embedding', () => {
  it('looks rows up and sums their gradients', () => {
    const weight = tensor(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      { requiresGrad: true },
    );
    const index = tensor(
      [
        [2, 0],
        [2, 1],
      ],
      { dtype: 'int32' },
    );
    const y = embedding(index, weight, { paddingIdx: 1 });
    expect(y.toArray()).toEqual([
      [
        [5, 6],
        [1, 2],
      ],
      [
        [5, 6],
        [3, 4],
      ],
    ]);
    y.sum().backward();
    expect(weight.grad!.toArray()).toEqual([
      [1, 1],
      [0, 0],
      [2, 2],
    ]);
  });

  it('shares a gradient among repetitions, and shortens rows that are used', () => {
    const weight = tensor(
      [
        [3, 4],
        [30, 40],
      ],
      { requiresGrad: true },
    );
    embedding(tensor([0, 0], { dtype: 'int32' }), weight, { scaleGradByFreq: true })
      .sum()
      .backward();
    expect(weight.grad!.toArray()).toEqual([
      [1, 1],
      [0, 0],
    ]);
    embedding(tensor([0], { dtype: 'int32' }), weight, { maxNorm: 1 });
    const [[a, b], other] = weight.toArray() as number[][] as [[number, number], number[]];
    expect(Math.hypot(a, b)).toBeCloseTo(1, 5);
    expect(other).toEqual([30, 40]);
  });
});

describe('cells, columns and padding', () => {
  it('has right derivatives', () => {
    expect(derivativeError((gates, c) => lstmPointwise(gates, c)[0], [irregular([2, 8]), irregular([2, 2], 2)])).toBeLessThan(1);
    expect(derivativeError((gates, c) => lstmPointwise(gates, c)[1], [irregular([2, 8]), irregular([2, 2], 2)])).toBeLessThan(1);
    expect(
      derivativeError((gates, c) => lstmPointwise(gates, c)[0].add(lstmPointwise(gates, c)[1]), [irregular([1, 4]), irregular([1, 1], 2)]),
    ).toBeLessThan(1);
    expect(
      derivativeError((x, s, h) => gruPointwise(x, s, h), [irregular([2, 6]), irregular([2, 6], 2), irregular([2, 2], 3)]),
    ).toBeLessThan(1);
    expect(derivativeError((x) => constantPadNd(x, [1, -1, 0, 2], 3), [irregular([2, 3])])).toBeLessThan(1);
    const window = { stride: [2, 1], padding: [1, 0], dilation: [1, 1] };
    expect(derivativeError((x) => im2col(x, [2, 2], window), [irregular([1, 2, 4, 3])])).toBeLessThan(1);
    expect(derivativeError((x) => col2im(x, [1, 1, 4, 3], [2, 2], window), [irregular([1, 4, 6])])).toBeLessThan(1);
  });

  it('pads and cuts', () => {
    expect(constantPadNd(tensor([[1, 2, 3]]), [-1, 1, 1, 0], 9).toArray()).toEqual([
      [9, 9, 9],
      [2, 3, 9],
    ]);
  });
});
