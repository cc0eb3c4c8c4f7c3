import { beforeAll, describe, expect, it } from 'vitest';
import { cat, grad, gelu, runtimes, softplus, special, stack, tensor, where, zeros } from '../src/index.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});

const close = (a: unknown, b: readonly number[]): void => (a as number[]).forEach((x, i) => expect(x).toBeCloseTo(b[i]!, 5));

describe('pointwise ops', () => {
  it('chooses by masks and bounds, with gradients', () => {
    const x = tensor([-1, 0, 2], { requiresGrad: true });
    expect(grad(x.relu().mul(3).sum(), [x])[0]!.toArray()).toEqual([0, 0, 3]);
    expect(x.clamp(0, 1).toArray()).toEqual([0, 0, 1]);
    expect(x.clamp({ max: 1 }).toArray()).toEqual([-1, 0, 1]);
    expect(where(x.gt(0), x, 5).toArray()).toEqual([5, 5, 2]);
    expect(x.where(x.gt(0), 5).toArray()).toEqual([5, 5, 2]);
    expect(where(x.gt(0))[0]!.toArray()).toEqual([2]);
    expect(x.maskedFill(x.lt(0), 7).toArray()).toEqual([7, 0, 2]);
    expect(() => where(x, x, 0)).toThrow(/condition to be a boolean/);
  });

  it('shares gradients of equals in maximum', () => {
    const a = tensor([1, 2, 3], { requiresGrad: true });
    const b = tensor([1, 5, 0], { requiresGrad: true });
    const [da, db] = grad(a.maximum(b).sum(), [a, b]);
    expect(da!.toArray()).toEqual([0.5, 0, 1]);
    expect(db!.toArray()).toEqual([0.5, 1, 0]);
  });

  it('keeps integers whole, and wraps', () => {
    const i = (...x: number[]) => tensor(x, { dtype: 'int32' });
    expect(
      i(2, -3, 7)
        .pow(i(3, 3, 0))
        .toArray(),
    ).toEqual([8, -27, 1]);
    expect(i(2, 3).pow(5).toArray()).toEqual([32, 243]);
    expect(() => i(2).pow(-1)).toThrow(/negative integer powers/);
    expect(i(-7, 7).remainder(3).toArray()).toEqual([2, 1]);
    expect(i(-7, 7).fmod(3).toArray()).toEqual([-1, 1]);
    expect(i(-7, 7).floorDivide(2).toArray()).toEqual([-4, 3]);
    expect(
      i(12, -18, 0)
        .gcd(i(18, 12, 5))
        .toArray(),
    ).toEqual([6, 6, 5]);
    expect(tensor([200, 100], { dtype: 'uint8' }).add(100).toArray()).toEqual([44, 200]);
    expect(i(1, 2).add(0.5).dtype).toBe('float32');
    expect(() => i(1).add_(0.5)).toThrow(/can't be cast/);
  });

  it('has derivatives of derivatives', () => {
    const x = tensor([0.5, -1.5], { requiresGrad: true });
    const [g] = grad(x.tanh().sum(), [x], { createGraph: true });
    const t = [Math.tanh(0.5), Math.tanh(-1.5)];
    close(
      grad(g!.sum(), [x])[0]!.toArray(),
      t.map((v) => -2 * v * (1 - v * v)),
    );
  });

  it('has gradients of powers at 0', () => {
    const x = tensor([0, 2], { requiresGrad: true });
    const n = tensor([2, 0], { requiresGrad: true });
    const [dx, dn] = grad(x.pow(n).sum(), [x, n]);
    expect(dx!.toArray()).toEqual([0, 0]);
    close(dn!.toArray(), [0, Math.LN2]);
  });

  it('computes special functions', () => {
    close(tensor([0.5, 5]).lgamma().toArray(), [0.5723649, 3.1780539]);
    close(special.erfcx(tensor([-1, 0, 1, 20])).toArray(), [5.0089801, 1, 0.4275836, 0.0281743]);
    close(special.i1(tensor([0.5, 3])).toArray(), [0.2578943, 3.9533702]);
    close(tensor([1, 4]).polygamma(1).toArray(), [1.6449341, 0.283823]);
    close(gelu(tensor([1, -1])).toArray(), [0.8413447, -0.1586553]);
    close(softplus(tensor([0, 30])).toArray(), [Math.LN2, 30]);
  });

  it('keeps the bits of the tanh GELU where tanh is near -1, with gradients of both orders', () => {
    const points = [-9, -6, -3, -0.5, 0, 2, 6];
    const inner = (x: number): number => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
    const x = tensor(points, { requiresGrad: true });
    const y = gelu(x, { approximate: 'tanh' });
    (y.toArray() as number[]).forEach((got, i) => {
      const exact = points[i]! / (1 + Math.exp(-2 * inner(points[i]!)));
      expect(Math.abs(got - exact)).toBeLessThanOrEqual(1e-5 * Math.abs(exact));
    });
    const [first] = grad(y.sum(), [x], { createGraph: true });
    const slope = (v: number): number => {
      const s = 1 / (1 + Math.exp(-2 * inner(v)));
      return s + v * s * (1 - s) * 2 * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * v * v);
    };
    close(first!.toArray(), points.map(slope));
    const [second] = grad(first!.sum(), [x]);
    close(
      second!.toArray(),
      points.map((v) => (slope(v + 1e-5) - slope(v - 1e-5)) / 2e-5),
    );
    expect(gelu(tensor([-Infinity, Infinity]), { approximate: 'tanh' }).toArray()).toEqual([NaN, Infinity]);
  });

  it('works in place, with history', () => {
    const x = tensor([1, 4], { requiresGrad: true });
    const y = x.mul(1);
    expect(y.sqrt_()).toBe(y);
    expect(grad(y.sum(), [x])[0]!.toArray()).toEqual([0.5, 0.25]);
  });

  it('joins and takes apart', () => {
    const x = tensor([-1, 0, 2], { requiresGrad: true });
    const y = cat([x, x.mul(2)]);
    expect(grad(y.mul(tensor([1, 2, 3, 4, 5, 6])).sum(), [x])[0]!.toArray()).toEqual([9, 12, 15]);
    expect(stack([x, x], 1).shape).toEqual([3, 2]);
    const [a, b] = x.split(2) as [typeof x, typeof x];
    expect(b.toArray()).toEqual([2]);
    expect(grad(a.mul(3).sum(), [x])[0]!.toArray()).toEqual([3, 3, 0]);
    expect(() => cat([zeros(2, 3), zeros(2, 2)])).toThrow(/Sizes of tensors must match except in dimension 0/);
  });
});
