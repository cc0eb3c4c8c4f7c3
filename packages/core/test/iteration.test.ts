/** @file Tensors as JavaScript's own values: in loops, in destructuring, in JSON. */
import { beforeAll, describe, expect, it } from 'vitest';
import { arange, isTensor, NotSupportedError, runtimes, type Tensor, tensor, zeros } from '../src/index.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});

describe('iteration', () => {
  it('walks along dim 0', () => {
    const x = arange(6, { dtype: 'float32' }).reshape([3, 2]);
    expect([...x].map((row) => row.toArray())).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    const [first, , last] = x;
    expect(first!.add(last!).toArray()).toEqual([4, 6]);
    expect(Array.from(tensor([1, 2]), (entry) => entry.item())).toEqual([1, 2]);
    expect([...zeros(0, 3)]).toEqual([]);
  });

  it('gives views: gradients flow through, and writes show', () => {
    const x = tensor([1, 2, 3]).requiresGrad_();
    let product: Tensor = tensor(1);
    for (const entry of x) product = product.mul(entry);
    product.backward();
    expect(x.grad!.toArray()).toEqual([6, 3, 2]);
    const y = zeros(2, 2);
    for (const row of y) row.add_(1);
    expect(y.toArray()).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  it('refuses a tensor without dims', () => {
    expect(() => [...tensor(1)]).toThrow(/not iterable/);
    // As test runners need it, which walk through all that is iterable.
    expect({ loss: tensor(1) }).not.toEqual({ loss: 1 });
  });

  it('is no property that shows when keys are listed', () => {
    expect(Object.keys(zeros(2))).not.toContain('toJSON');
    expect(Object.getOwnPropertyDescriptor(Object.getPrototypeOf(zeros(2)), Symbol.iterator)!.enumerable).toBe(false);
  });
});

describe('toJSON', () => {
  it('gives dtype, shape and nested elements, which make the tensor again', () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(JSON.stringify({ x })).toBe('{"x":{"dtype":"float32","shape":[2,2],"data":[[1,2],[3,4]]}}');
    expect(tensor(true).toJSON()).toEqual({ dtype: 'bool', shape: [], data: true });
    for (const one of [x.t(), zeros(2, 0, 3), arange(3), tensor([0.1], { dtype: 'float16' }), tensor([true, false])]) {
      const { data, dtype, shape } = one.toJSON();
      const again = tensor(data, { dtype }).reshape(shape);
      expect(isTensor(again) && again.dtype === one.dtype && again.equal(one)).toBe(true);
    }
  });

  it('refuses a device that cannot wait, by its own name', () => {
    runtimes.current.use(plainPlugin('slow', { syncRead: false }, (backend) => Object.assign(backend, { readSync: undefined })));
    const there = tensor([1, 2], { device: 'slow' });
    const refused = expect.objectContaining({
      code: 'ERR_SYNC_READ',
      message: expect.stringMatching(/^toJSON: .* await toArrayAsync/) as string,
    });
    expect(() => there.toJSON()).toThrow(NotSupportedError);
    expect(() => there.toJSON()).toThrow(refused);
  });

  it('writes null for what JSON has not', () => {
    expect(JSON.stringify(tensor([NaN, Infinity, 1]))).toBe('{"dtype":"float32","shape":[3],"data":[null,null,1]}');
  });
});
