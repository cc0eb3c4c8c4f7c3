/** @file Methods whose types a mapped type cannot take over from their functions: those with several signatures, and generic ones. */
import type { Tensor } from '../tensor/tensor.js';
import type { DrawOptions } from './random-ops.js';
import type { ReduceOptions } from './reduction.js';
import type { UniqueConsecutiveOptions, UniqueOptions, UniqueResult } from './unique.js';

export interface OverloadedMethods {
  /** @see nonzero */
  nonzero(): Tensor;
  nonzero(options: { readonly asTuple: true }): Tensor[];
  /** @see nonzeroAsync */
  nonzeroAsync(): Promise<Tensor>;
  nonzeroAsync(options: { readonly asTuple: true }): Promise<Tensor[]>;
  /** @see max */
  max(): Tensor;
  max(other: Tensor): Tensor;
  max(dim: number, options?: ReduceOptions): [values: Tensor, indices: Tensor];
  /** @see min */
  min(): Tensor;
  min(other: Tensor): Tensor;
  min(dim: number, options?: ReduceOptions): [values: Tensor, indices: Tensor];
  /** @see median */
  median(): Tensor;
  median(dim: number, options?: ReduceOptions): [values: Tensor, indices: Tensor];
  /** @see nanmedian */
  nanmedian(): Tensor;
  nanmedian(dim: number, options?: ReduceOptions): [values: Tensor, indices: Tensor];
  /** @see random_ */
  random_(options?: DrawOptions): Tensor;
  random_(to: number, options?: DrawOptions): Tensor;
  random_(from: number, to: number, options?: DrawOptions): Tensor;
  /** @see unique */
  unique<O extends UniqueOptions = Record<never, never>>(options?: O): UniqueResult<O>;
  uniqueAsync<O extends UniqueOptions = Record<never, never>>(options?: O): Promise<UniqueResult<O>>;
  /** @see uniqueConsecutive */
  uniqueConsecutive<O extends UniqueConsecutiveOptions = Record<never, never>>(options?: O): UniqueResult<O>;
  uniqueConsecutiveAsync<O extends UniqueConsecutiveOptions = Record<never, never>>(options?: O): Promise<UniqueResult<O>>;
}
