/** @file What all reductions share: their dims, their shapes, the launch, and the way back for gradients. */
import type { ReduceKind } from '../backend/contract.js';
import { IndexError, ValueError } from '../errors.js';
import { kindOf } from '../options.js';
import { type DType, DTYPE_INFO } from '../tensor/dtype.js';
import { reduceValue, spent } from '../tensor/launch.js';
import { normalizeDims, numelOf, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { castValue, IN_MEMORY, inMemory, type Value } from '../tensor/value.js';
import { fillValue } from './fill.js';
import { reshape } from './view.js';

/** One dim, several, or all (undefined, null, []). */
export type Dims = number | readonly number[] | null | undefined;

export interface ReduceOptions {
  /** Keep the reduced dims, with size 1. Default false. */
  readonly keepdim?: boolean;
}
export interface SumOptions extends ReduceOptions {
  /** The dtype to accumulate and answer in. */
  readonly dtype?: DType;
}

/** Dims counted from the front; an empty list means all, as in PyTorch's reductions. */
export const reducedDims = (dim: Dims, rank: number, op: string): number[] =>
  normalizeDims(Array.isArray(dim) && dim.length === 0 ? null : dim, rank, op).filter((d) => d < rank);

/** For ops that take one dim (or all), and no list. */
export function oneDim(dim: number | null | undefined, rank: number, op: string): number[] {
  if (typeof dim === 'object' && dim !== null)
    throw new ValueError('ERR_DIM', `${op}: dim must be one integer, not ${kindOf(dim)}`, { op });
  return reducedDims(dim, rank, op);
}

/** The shape of a result. */
export function reducedShape(shape: Shape, dims: readonly number[], keepdim: boolean): Shape {
  const out: number[] = [];
  for (let d = 0; d < shape.length; d++) {
    if (!dims.includes(d)) out.push(shape[d]!);
    else if (keepdim) out.push(1);
  }
  return out;
}

const bitsOf = (dims: readonly number[]): number => dims.reduce((bits, d) => bits | (1 << d), 0);

/** The value of a reduction; `empty` is that over no elements. */
export function reduceTo(kind: ReduceKind, value: Value, dims: readonly number[], keepdim: boolean, empty: number | boolean): Value {
  const outShape = reducedShape(value.shape, dims, keepdim);
  if (numelOf(outShape) === 0 || value.numel === 0) {
    spent(value);
    return fillValue(outShape, empty, kind === 'argmax' || kind === 'argmin' ? 'int32' : value.dtype, value.device);
  }
  // A 0-d tensor is its own extreme and sum, and the place of its one element is 0.
  if (dims.length === 0) {
    if (kind !== 'argmax' && kind !== 'argmin') return value;
    spent(value);
    return fillValue(outShape, 0, 'int32', value.device);
  }
  return reduceValue(kind, value, bitsOf(dims), outShape);
}

/** A value that a reduction just made, seen with its reduced dims (of size 1) put back: for formulas that need it in both shapes. */
export function withKeptDims(v: Value, shape: Shape): Value {
  if (v.op !== IN_MEMORY || v.shape.length === shape.length) return v;
  return inMemory(v.memory!, shape, v.numel, null, 0, true);
}

/** Something of a reduced shape, such as a gradient, given back the dims that were taken, with size 1. */
export function restoreDims(reduced: Tensor, from: Shape, dims: readonly number[], keepdim: boolean): Tensor {
  return keepdim || dims.length === 0 ? reduced : reshape(reduced, reducedShape(from, dims, true));
}

/** How many elements each result is made from. */
export const countOf = (shape: Shape, dims: readonly number[]): number => dims.reduce((n, d) => n * shape[d]!, 1);

/** The elements in their compute dtype. */
export const computeValue = (x: Tensor): Value => castValue(x.value, DTYPE_INFO[x.dtype].compute);

/** @throws IndexError `ERR_REDUCE_EMPTY` where an extreme over no elements is asked for. */
export function refuseEmpty(name: string, x: Tensor, dims: readonly number[], all = false): void {
  const gone = dims.find((d) => x.shape[d] === 0);
  if (gone === undefined) return;
  const why = all
    ? `Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.`
    : `Expected reduction dim ${gone} to have non-zero size.`;
  throw new IndexError('ERR_REDUCE_EMPTY', `${name}: ${name}(): ${why}`, { op: name, shapes: [x.shape] });
}
