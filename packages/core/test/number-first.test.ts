/** @file Ops whose first operand may be a number, as in torch.div(1, x). Values and dtypes are PyTorch 2.9's. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  add,
  arange,
  bitwiseAnd,
  bitwiseLeftShift,
  cat,
  div,
  eq,
  floatPower,
  floorDivide,
  histogram,
  mul,
  pow,
  remainder,
  runtimes,
  sub,
  type Tensor,
  tensor,
  xlogy,
  zeros,
} from '../src/index.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});

const shown = (t: Tensor): string => `${t.dtype} ${JSON.stringify(t.toArray())}`;

describe('a number in the first place', () => {
  const floats = (): Tensor => tensor([1, 2], { dtype: 'float32' });
  const ints = (): Tensor => tensor([1, 2], { dtype: 'int32' });

  it('takes the dtype of the tensor beside it, or raises its category', () => {
    expect(shown(sub(2.5, floats()))).toBe('float32 [1.5,0.5]');
    expect(shown(sub(2, ints()))).toBe('int32 [1,0]');
    expect(shown(mul(2.5, ints()))).toBe('float32 [2.5,5]');
    expect(shown(div(2, ints()))).toBe('float32 [2,1]');
    expect(shown(floorDivide(2.5, ints()))).toBe('float32 [2,1]');
    expect(shown(remainder(2.5, floats()))).toBe('float32 [0.5,0.5]');
    expect(shown(pow(2, ints()))).toBe('int32 [2,4]');
    expect(shown(pow(2.5, floats()))).toBe('float32 [2.5,6.25]');
    expect(shown(floatPower(2.5, ints()))).toBe('float64 [2.5,6.25]');
    expect(shown(bitwiseAnd(2, ints()))).toBe('int32 [0,2]');
    expect(shown(bitwiseLeftShift(2, ints()))).toBe('int32 [4,8]');
    expect(shown(xlogy(2, tensor([1, Math.E], { dtype: 'float64' })))).toBe('float64 [0,2]');
    expect(shown(add(1, tensor([1, 2], { dtype: 'float16' })))).toBe('float16 [2,3]');
  });

  it('lets gradients through to the tensor', () => {
    const x = tensor([1, 2], { dtype: 'float64', requiresGrad: true });
    div(2, x).sum().backward();
    expect(x.grad!.toArray()).toEqual([-2, -0.5]);
    x.grad = null;
    pow(2, x).sum().backward();
    expect(x.grad!.toArray()).toEqual([2 * Math.LN2, 4 * Math.LN2]);
  });

  it('may stand beside another number in arithmetic only', () => {
    expect(shown(mul(3, 2))).toBe('int32 6');
    expect(shown(div(3, 2))).toBe('float32 1.5');
    expect(() => remainder(3, 2)).toThrow(/remainder: argument 'input' must be Tensor, not number/);
    expect(() => pow(3, 2)).toThrow(/pow: argument 'input' must be Tensor, not number/);
    expect(() => eq(3 as never, ints())).toThrow(/eq: argument 'input' must be Tensor, not number/);
  });
});

describe('arguments at their edges', () => {
  it('refuses what is neither a tensor nor a number, instead of computing NaN', () => {
    const x = zeros([2]);
    expect(() => x.add(undefined as never)).toThrow(/add: argument 'other' must be Tensor, not undefined/);
    expect(() => x.mul('3' as never)).toThrow(/mul: argument 'other' must be Tensor, not string/);
    expect(() => x.lt(null as never)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
    expect(() => x.pow(undefined as never)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
  });

  it('counts whole steps of arange where its dtype is that of whole numbers', () => {
    expect(shown(arange(0, 3.1, { dtype: 'int32' }))).toBe('int32 [0,1,2]');
    expect(shown(arange(0, -8.000001, -4, { dtype: 'int32' }))).toBe('int32 [0,-4]');
    expect(shown(arange(0, 3.1))).toBe('float32 [0,1,2,3]');
    expect(() => arange(0, 3, 0.5, { dtype: 'int32' })).toThrow(/step must be nonzero/);
  });

  it('puts the bins of no elements between 0 and 1', () => {
    const [counts, edges] = histogram(zeros([0]), 2);
    expect([counts.toArray(), edges.toArray()]).toEqual([
      [0, 0],
      [0, 0.5, 1],
    ]);
  });

  it('names the element of a list that is no tensor', () => {
    expect(() => cat([zeros(2), null as never])).toThrow(/cat: argument 'tensors\[1\]' must be Tensor, not null/);
  });
});
