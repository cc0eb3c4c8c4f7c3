import { beforeAll, describe, expect, it } from 'vitest';
import {
  isUninitialized,
  Module,
  ones,
  Parameter,
  runtimes,
  type Tensor,
  UninitializedBuffer,
  UninitializedParameter,
} from '../src/index.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});

class Late extends Module {
  weight = new UninitializedParameter();
  mean = new UninitializedBuffer();
  forward(x: Tensor): Tensor {
    return x.mul(this.weight);
  }
}

describe('a parameter without a shape', () => {
  it('takes one once, and is a Parameter of the same handle then', () => {
    const { weight } = new Late();
    expect(isUninitialized(weight)).toBe(true);
    weight.materialize([2, 3]);
    expect(weight.shape).toEqual([2, 3]);
    expect(isUninitialized(weight)).toBe(false);
    expect(weight.constructor).toBe(Parameter);
    expect(weight.requiresGrad).toBe(true);
    expect(() => UninitializedParameter.prototype.materialize.call(weight, [1])).toThrow(/shape already/);
  });

  it('is found among parameters and buffers, and takes the shape of what is loaded', () => {
    const module = new Late();
    expect([...module.stateDict().keys()]).toEqual(['weight', 'mean']);
    module.loadStateDict({ weight: ones([4]), mean: ones([2, 2]) });
    expect(module.weight.toArray()).toEqual([1, 1, 1, 1]);
    expect(module.mean.shape).toEqual([2, 2]);
    module(ones([4]))
      .sum()
      .backward();
    expect(module.weight.grad!.toArray()).toEqual([1, 1, 1, 1]);
  });
});
