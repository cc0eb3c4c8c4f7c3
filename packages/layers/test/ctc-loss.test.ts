import { cpuPlugin } from '@tessera/backend-cpu';
import { logSoftmax, randn, runtimes, tensor, type Tensor } from '@tessera/core';
import { beforeAll, describe, expect, it } from 'vitest';
import * as nn from '../src/index.js';
import { F } from '../src/index.js';

beforeAll(() => {
  runtimes.current.use(cpuPlugin);
});

const int = (values: number[] | number[][]): Tensor => tensor(values, { dtype: 'int32' });

/** −log of the sum over all ways to write `labels` in `p.length` steps. */
function bruteForce(p: number[][], labels: readonly number[]): number {
  const classes = p[0]!.length;
  let total = 0;
  const walk = (t: number, path: number[], probability: number): void => {
    if (t === p.length) {
      const said = path.filter((c, i) => c !== path[i - 1]).filter((c) => c !== 0);
      if (said.join() === labels.join()) total += probability;
      return;
    }
    for (let c = 0; c < classes; c++) walk(t + 1, [...path, c], probability * p[t]![c]!);
  };
  walk(0, [], 1);
  return -Math.log(total);
}

describe('ctcLoss', () => {
  const logP = (): Tensor => logSoftmax(randn(5, 3, 4), 2);

  it('sums up all alignments', () => {
    const x = logP();
    const targets = [
      [1, 2, 0],
      [3, 3, 0],
      [2, 1, 3],
    ];
    const loss = F.ctcLoss(x, int(targets), [5, 4, 5], [2, 2, 3], { reduction: 'none' }).toArray() as number[];
    const p = x.exp().transpose(0, 1).toArray() as number[][][];
    expect(loss[0]).toBeCloseTo(bruteForce(p[0]!, [1, 2]), 4);
    expect(loss[1]).toBeCloseTo(bruteForce(p[1]!.slice(0, 4), [3, 3]), 4);
    expect(loss[2]).toBeCloseTo(bruteForce(p[2]!, [2, 1, 3]), 4);
  });

  it('takes labels one after the other, and lengths as tensors, now or later', async () => {
    const x = logP();
    const rows = F.ctcLoss(
      x,
      int([
        [1, 2, 0],
        [3, 0, 0],
        [2, 1, 3],
      ]),
      [5, 5, 5],
      [2, 1, 3],
    ).item();
    expect(F.ctcLoss(x, int([1, 2, 3, 2, 1, 3]), int([5, 5, 5]), int([2, 1, 3])).item()).toBeCloseTo(rows, 5);
    expect((await F.ctcLossAsync(x, int([1, 2, 3, 2, 1, 3]), int([5, 5, 5]), int([2, 1, 3]))).item()).toBeCloseTo(rows, 5);
  });

  it('has the gradient of the logits', () => {
    const logits = randn(4, 1, 3, { dtype: 'float64', requiresGrad: true });
    const loss = (x: Tensor): Tensor => F.ctcLoss(x.logSoftmax(2), int([[1, 2]]), [4], [2], { reduction: 'sum' });
    loss(logits).backward();
    const step = 1e-5;
    for (const t of [0, 3]) {
      const moved = (by: number): number => {
        const x = logits.detach().clone();
        x.select(0, t).select(1, 1).add_(by);
        return loss(x).item();
      };
      expect(logits.grad!.select(0, t).select(1, 1).item()).toBeCloseTo((moved(step) - moved(-step)) / (2 * step), 6);
    }
  });

  it('gives ∞ to labels that are too long, or 0 if that is wanted, and knows labellings without labels', () => {
    const x = logP().narrow(1, 0, 1).detach().requiresGrad_();
    expect(F.ctcLoss(x, int([[1, 1, 1]]), [3], [3]).item()).toBe(Infinity);
    const zero = F.ctcLoss(x, int([[1, 1, 1]]), [3], [3], { zeroInfinity: true });
    zero.backward();
    expect(zero.item()).toBe(0);
    expect(x.grad!.abs().sum().item()).toBe(0);
    expect(F.ctcLoss(x, int([[1]]), [2], [0], { reduction: 'none' }).item()).toBeCloseTo(
      -x.detach().narrow(0, 0, 2).select(2, 0).sum().item(),
      5,
    );
    expect(F.ctcLoss(x, int([[1]]), [0], [0]).item()).toBe(0);
  });

  it('refuses lengths, blanks and shapes that do not fit', () => {
    const x = logP();
    expect(() => F.ctcLoss(x, int([[1], [1], [1]]), [6, 5, 5], [1, 1, 1])).toThrow(/input_lengths/);
    expect(() => F.ctcLoss(x, int([[1], [1], [1]]), [5, 5], [1, 1, 1])).toThrow(/batch_size/);
    expect(() => F.ctcLoss(x, int([[1], [1], [1]]), [5, 5, 5], [2, 1, 1])).toThrow(/targets/);
    expect(() => new nn.CTCLoss({ blank: 7 })(x, int([[1], [1], [1]]), [5, 5, 5], [1, 1, 1])).toThrow(/blank/);
  });
});
