/** @file Tensors in loops: `for (const row of x)`. */
import { Tensor } from '../tensor/tensor.js';
import { unbind } from './joining.js';

export interface Iteration {
  /**
   * The entries along dim 0, as views that gradients flow through: `for (const row of x)`, `const [mean, deviation] = x`. PyTorch: Tensor.__iter__.
   * A tensor without dims has none: the engine says that it is not iterable.
   */
  [Symbol.iterator](): IterableIterator<Tensor>;
}

function rows(this: Tensor): IterableIterator<Tensor> {
  return unbind(this)[Symbol.iterator]();
}

Object.defineProperty(Tensor.prototype, Symbol.iterator, {
  // A tensor without dims has no iterator, rather than one that throws: test runners walk through all that is iterable when they compare.
  get(this: Tensor): (() => IterableIterator<Tensor>) | undefined {
    return this.ndim === 0 ? undefined : rows;
  },
  configurable: true,
});
