import { beforeAll, describe, expect, it } from 'vitest';
import { arange, eye, grad, noGrad, ones, randn, runtimes, tensor, zeros } from '../src/index.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});

describe('tensors', () => {
  it('computes, broadcasts and reads', () => {
    const a = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const b = tensor([10, 20, 30]);
    expect(a.add(b).toArray()).toEqual([
      [11, 22, 33],
      [14, 25, 36],
    ]);
    expect(a.mul(2).sub(1).toArray()).toEqual([
      [1, 3, 5],
      [7, 9, 11],
    ]);
    expect(a.sum().item()).toBe(21);
    expect(a.sum(0).toArray()).toEqual([5, 7, 9]);
    expect(a.t().contiguous().toArray()).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
    expect(a.matmul(a.t()).toArray()).toEqual([
      [14, 32],
      [32, 77],
    ]);
    expect(arange(5).toArray()).toEqual([0, 1, 2, 3, 4]);
    expect(eye(2).toArray()).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(a.argmax(1).toArray()).toEqual([2, 2]);
    expect(a.amax().item()).toBe(6);
    expect(tensor([7, 8]).div(2, { roundingMode: 'floor' }).toArray()).toEqual([3, 4]);
  });

  it('differentiates', () => {
    const w = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { requiresGrad: true },
    );
    const x = tensor([[1, -1]]);
    const y = x.matmul(w).mul(3).sum();
    y.backward();
    expect(w.grad!.toArray()).toEqual([
      [3, 3],
      [-3, -3],
    ]);
    const z = tensor([2, 3], { requiresGrad: true });
    const [g] = grad(z.mul(z).mul(z).sum(), [z], { createGraph: true });
    expect(g!.toArray()).toEqual([12, 27]);
    const [h] = grad(g!.sum(), [z]);
    expect(h!.toArray()).toEqual([12, 18]);
  });

  it('writes in place through views, with history', () => {
    const x = zeros(3, 3);
    x.select(0, 1).add_(5);
    expect(x.toArray()).toEqual([
      [0, 0, 0],
      [5, 5, 5],
      [0, 0, 0],
    ]);
    const a = ones(2, 2, { requiresGrad: true });
    const b = a.mul(2);
    const row = b.select(0, 0);
    const early = b.mul(1);
    row.mul_(10);
    expect(b.toArray()).toEqual([
      [20, 20],
      [2, 2],
    ]);
    expect(early.toArray()).toEqual([
      [2, 2],
      [2, 2],
    ]);
    b.sum().backward();
    expect(a.grad!.toArray()).toEqual([
      [20, 20],
      [2, 2],
    ]);
    row.sum().backward();
    expect(a.grad!.toArray()).toEqual([
      [40, 40],
      [2, 2],
    ]);
    const c = noGrad(() => a.detach().mul(1));
    const before = c.add(1);
    c.fill_(9);
    expect(before.toArray()).toEqual([
      [2, 2],
      [2, 2],
    ]);
    expect(c.toArray()).toEqual([
      [9, 9],
      [9, 9],
    ]);
    expect(() => a.add_(1)).toThrow(/leaf Variable/);
  });

  it('draws', () => {
    expect(randn(3).shape).toEqual([3]);
  });
});
