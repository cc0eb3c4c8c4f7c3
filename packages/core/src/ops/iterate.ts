/** @file Tensors in loops: `for (const row of x)`. */
import { IndexError } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import { unbind } from './joining.js';

export interface Iteration {
  /**
   * The entries along dim 0, as views that gradients flow through: `for (const row of x)`, `const [mean, deviation] = x`. PyTorch: Tensor.__iter__.
   * @throws IndexError `ERR_0D` for a tensor without dims.
   */
  [Symbol.iterator](): IterableIterator<Tensor>;
}

Object.defineProperty(Tensor.prototype, Symbol.iterator, {
  value(this: Tensor): IterableIterator<Tensor> {
    if (this.ndim === 0)
      throw new IndexError('ERR_0D', 'iteration over a 0-d tensor; x.item() is its number', { op: 'iteration', shapes: [this.shape] });
    return unbind(this)[Symbol.iterator]();
  },
  configurable: true,
  writable: true,
});
