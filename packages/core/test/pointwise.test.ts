import { beforeAll, describe, expect, it } from 'vitest';
import { cat, grad, stack, tensor, where } from '../src/index.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});
import { runtimes } from '../src/index.js';

describe('first ops', () => {
  it('works', () => {
    const x = tensor([-1, 0, 2], { requiresGrad: true });
    const [g] = grad(x.relu().mul(3).sum(), [x]);
    expect(g!.toArray()).toEqual([0, 0, 3]);
    expect(x.pow(2).toArray()).toEqual([1, 0, 4]);
    expect(x.clamp(0, 1).toArray()).toEqual([0, 0, 1]);
    expect(x.clamp({ max: 1 }).toArray()).toEqual([-1, 0, 1]);
    expect(where(x.gt(0), x, 5).toArray()).toEqual([5, 5, 2]);
    expect(x.where(x.gt(0), 5).toArray()).toEqual([5, 5, 2]);
    expect(where(x.gt(0))[0]!.toArray()).toEqual([2]);
    expect(tensor([2, 3], { dtype: 'int32' }).pow(tensor([3, 19], { dtype: 'int32' })).toArray()).toEqual([8, 1162261467]);
    const y = cat([x, x.mul(2)]);
    expect(y.toArray()).toEqual([-1, 0, 2, -2, 0, 4]);
    const [h] = grad(y.mul(tensor([1, 2, 3, 4, 5, 6])).sum(), [x]);
    expect(h!.toArray()).toEqual([9, 12, 15]);
    expect(stack([x, x], 1).shape).toEqual([3, 2]);
    expect(tensor([[1, 2], [3, 4]]).tril().toArray()).toEqual([[1, 0], [3, 4]]);
    expect(x.maskedFill(x.lt(0), 7).toArray()).toEqual([7, 0, 2]);
    expect(x.split(2).map((t) => t.toArray())).toEqual([[-1, 0], [2]]);
  });
});
