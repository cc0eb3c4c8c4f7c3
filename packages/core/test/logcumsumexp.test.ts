/** @file logcumsumexp: its gradient goes through logarithms, and has gradients of its own. */
import { beforeAll, describe, expect, it } from 'vitest';
import { grad, gradcheck, gradgradcheck, logcumsumexp, runtimes, type Tensor, tensor } from '../src/index.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});

const matrix = (): Tensor =>
  tensor(
    [
      [0.5, -1, 2, 0.25],
      [3, 0, -2, 1],
    ],
    { dtype: 'float64', requiresGrad: true },
  );

describe('logcumsumexp', () => {
  it('has first and second derivatives along each dim', () => {
    for (const dim of [0, 1]) {
      expect(gradcheck((x: Tensor) => logcumsumexp(x, dim), [matrix()])).toBe(true);
      expect(gradgradcheck((x: Tensor) => logcumsumexp(x, dim), [matrix()])).toBe(true);
    }
  });

  it('has them for cotangents of either sign and 0', () => {
    const x = matrix();
    const weights = tensor([-1, 0, 2, -0.5], { dtype: 'float64' });
    expect(gradgradcheck((t: Tensor) => logcumsumexp(t, 1).mul(weights), [x])).toBe(true);
  });

  it('overflows nowhere on the way', () => {
    const x = tensor([1000, 1001, -1000], { dtype: 'float64', requiresGrad: true });
    const [dx] = grad(logcumsumexp(x, 0).sum(), x);
    const share = 1 / (1 + Math.exp(-1));
    expect(dx!.toArray()).toEqual([expect.closeTo(1 + 2 * (1 - share), 10), expect.closeTo(2 * share, 10), 0]);
  });
});
