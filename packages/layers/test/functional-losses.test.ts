import { cpuPlugin } from '@tessera/backend-cpu';
import { ones, runtimes, type Tensor, tensor } from '@tessera/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { F } from '../src/index.js';

beforeAll(() => {
  runtimes.current.use(cpuPlugin);
});

const int = (values: number[]): Tensor => tensor(values, { dtype: 'int32' });

describe('crossEntropy', () => {
  const logits = (): Tensor =>
    tensor(
      [
        [2, 1, 0],
        [0, 0, 0],
      ],
      { requiresGrad: true },
    );

  it('takes indices, or the probabilities that say the same', () => {
    const byIndex = F.crossEntropy(logits(), int([0, 2])).item();
    expect(byIndex).toBeCloseTo((Math.log(1 + Math.exp(-1) + Math.exp(-2)) + Math.log(3)) / 2, 5);
    expect(
      F.crossEntropy(
        logits(),
        tensor([
          [1, 0, 0],
          [0, 0, 1],
        ]),
      ).item(),
    ).toBeCloseTo(byIndex, 6);
  });

  it('smooths labels as probabilities would', () => {
    const smooth = F.crossEntropy(logits(), int([0, 2]), { labelSmoothing: 0.3 }).item();
    expect(
      F.crossEntropy(
        logits(),
        tensor([
          [0.8, 0.1, 0.1],
          [0.1, 0.1, 0.8],
        ]),
      ).item(),
    ).toBeCloseTo(smooth, 5);
  });

  it('has softmax − one-hot as gradient, and none where it is told to ignore', () => {
    const x = logits();
    F.crossEntropy(x, int([-100, 1])).backward();
    const [first, second] = x.grad!.toArray() as number[][];
    expect(first).toEqual([0, 0, 0]);
    second!.forEach((g, i) => expect(g).toBeCloseTo([1 / 3, -2 / 3, 1 / 3][i]!, 6));
  });

  it('refuses floats as indices and smoothing outside [0, 1]', () => {
    expect(() => F.crossEntropy(logits(), tensor([0, 1]))).toThrow(/integer dtype/);
    expect(() => F.crossEntropy(logits(), int([0, 1]), { labelSmoothing: 2 })).toThrow(/between 0\.0 and 1\.0/);
  });
});

describe('losses between numbers', () => {
  it('reduces as it is told', () => {
    const [x, y] = [tensor([1, 2]), tensor([3, 5])];
    expect(F.mseLoss(x, y).item()).toBe(6.5);
    expect(F.mseLoss(x, y, { reduction: 'none' }).toArray()).toEqual([4, 9]);
    expect(F.l1Loss(x, y, { reduction: 'sum' }).item()).toBe(5);
    expect(F.smoothL1Loss(x, y, { reduction: 'none', beta: 4 }).toArray()).toEqual([0.5, 1.125]);
    expect(F.huberLoss(x, y, { reduction: 'none' }).toArray()).toEqual([1.5, 2.5]);
    expect(() => F.mseLoss(x, y, { reduction: 'median' as 'sum' })).toThrow(/not a valid value for reduction/);
  });

  it('stays finite where a plain formula would not', () => {
    const x = tensor([200, -200], { requiresGrad: true });
    const loss = F.binaryCrossEntropyWithLogits(x, tensor([0, 0]), { reduction: 'none' });
    expect(loss.toArray()).toEqual([200, 0]);
    loss.sum().backward();
    expect(x.grad!.toArray()).toEqual([1, 0]);
    expect(F.binaryCrossEntropy(tensor([1, 0]), tensor([0, 0]), { reduction: 'none' }).toArray()).toEqual([100, 0]);
    expect(F.klDiv(tensor([-1, -2]), tensor([1, 0]), { reduction: 'sum' }).item()).toBe(1);
  });

  it('refuses a negative variance and what is no probability', () => {
    expect(() => F.gaussianNllLoss(ones(2), ones(2), tensor([1, -1]))).toThrow(/negative/);
    expect(() => F.binaryCrossEntropy(tensor([1.5]), tensor([1]))).toThrow(/between 0 and 1/);
  });
});

describe('losses with a margin', () => {
  it('counts what is within it', () => {
    expect(F.marginRankingLoss(tensor([1, 3]), tensor([2, 1]), tensor([1, 1]), { margin: 0.5, reduction: 'none' }).toArray()).toEqual([
      1.5, 0,
    ]);
    expect(F.hingeEmbeddingLoss(tensor([0.25, 0.25]), tensor([1, -1]), { reduction: 'none' }).toArray()).toEqual([0.25, 0.75]);
    expect(F.multiMarginLoss(tensor([[0.5, 1, 0]]), int([0])).item()).toBeCloseTo(2 / 3, 6);
    expect(F.multilabelMarginLoss(tensor([[0.25, 0.5, 1]]), int([2, -1, 0]).reshape([1, 3])).item()).toBeCloseTo((0.25 + 0.5) / 3, 6);
    expect(F.tripletMarginLoss(tensor([[0, 0]]), tensor([[3, 4]]), tensor([[0, 1]])).item()).toBeCloseTo(5, 4);
  });
});
