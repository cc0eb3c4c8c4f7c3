/** @file Methods with several signatures, which a mapped type cannot take over from their functions: each stands beside them in this list. */
import type { Tensor } from '../tensor/tensor.js';
import type { ReduceOptions } from './reduction.js';

export interface OverloadedMethods {
  /** @see max */
  max(): Tensor;
  max(other: Tensor): Tensor;
  max(dim: number, options?: ReduceOptions): [values: Tensor, indices: Tensor];
  /** @see min */
  min(): Tensor;
  min(other: Tensor): Tensor;
  min(dim: number, options?: ReduceOptions): [values: Tensor, indices: Tensor];
}
