/** @file Reductions: sums, products, extremes and where they lie. A deferred input is the reduction's own program and takes no memory. */
import type { ReduceKind } from '../backend/contract.js';
import { DTypeError, IndexError } from '../errors.js';
import { type DType, DTYPE_INFO, floatDType, isFloat } from '../tensor/dtype.js';
import { reduceValue } from '../tensor/launch.js';
import { normalizeDim, normalizeDims, numelOf, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { castValue, narrow, type Value } from '../tensor/value.js';
import { cast } from './cast.js';
import { OPS } from './registry.js';
import { fillValue } from './fill.js';
import { attach, recording, wrap } from './result.js';
import { broadcastGradient, reshape } from './view.js';

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

/** The shape of a result, and the bit set of its reduced dims. */
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
export function reduceTo(kind: ReduceKind, value: Value, dims: readonly number[], keepdim: boolean, empty: number): Value {
  const outShape = reducedShape(value.shape, dims, keepdim);
  if (numelOf(outShape) === 0 || value.numel === 0) {
    return fillValue(outShape, empty, kind === 'argmax' || kind === 'argmin' ? 'int32' : value.dtype, value.device);
  }
  // A 0-d tensor is its own extreme and sum, and the place of its one element is 0.
  if (dims.length === 0) return kind === 'argmax' || kind === 'argmin' ? fillValue(outShape, 0, 'int32', value.device) : value;
  return reduceValue(kind, value, bitsOf(dims), outShape);
}

/** An empty list of dims means all, as in PyTorch's sums. */
const allIfEmpty = (dims: Dims): Dims => (Array.isArray(dims) && dims.length === 0 ? null : dims);

/** Gradients of a reduction, given back the dims that it took. */
export function restoreDims(grad: Tensor, from: Shape, dims: readonly number[], keepdim: boolean): Tensor {
  return keepdim ? grad : reshape(grad, reducedShape(from, dims, true));
}

OPS.set('sum', { name: 'sum', inputs: 1, differentiable: true });
/**
 * The sum over dims (all by default). Integers and bools give int32. PyTorch: torch.sum.
 * @example sum(tensor([[1, 2], [3, 4]]), 0) // tensor([4., 6.])
 */
export function sum(x: Tensor, dim?: Dims, options: SumOptions = {}): Tensor {
  const dims = normalizeDims(allIfEmpty(dim), x.ndim, 'sum');
  const dtype = options.dtype ?? (isFloat(x.dtype) ? x.dtype : 'int32');
  const { compute } = DTYPE_INFO[dtype];
  const keepdim = options.keepdim ?? false;
  const out = wrap(narrow(reduceTo('sum', castValue(castValue(x.value, dtype), compute === 'bool' ? 'int32' : compute), dims, keepdim, 0), dtype));
  if (isFloat(dtype) && recording(x)) {
    const { shape: from, dtype: fromType } = x;
    attach(out, 'SumBackward0', [x], (grad) => [cast(broadcastGradient(restoreDims(grad, from, dims, keepdim), from), fromType)]);
  }
  return out;
}

OPS.set('mean', { name: 'mean', inputs: 1, differentiable: true });
/** The mean over dims (all by default); over no elements it is NaN. PyTorch: torch.mean. */
export function mean(x: Tensor, dim?: Dims, options: SumOptions = {}): Tensor {
  const dtype = options.dtype ?? x.dtype;
  if (!isFloat(dtype)) {
    throw new DTypeError('ERR_DTYPE', `mean: could not infer output dtype. Input dtype must be either a floating point dtype, but is ${dtype}; give a dtype`, { op: 'mean', dtypes: [dtype] });
  }
  const dims = normalizeDims(allIfEmpty(dim), x.ndim, 'mean');
  const count = dims.reduce((n, d) => n * x.shape[d]!, 1);
  return sum(x, dims.length === 0 ? null : dims, { ...options, dtype: floatDType(dtype) }).div(count);
}

function extreme(name: 'amax' | 'amin', kind: 'max' | 'min', x: Tensor, dim: Dims, options: ReduceOptions): Tensor {
  const dims = normalizeDims(allIfEmpty(dim), x.ndim, name);
  refuseEmpty(name, x, dims);
  const keepdim = options.keepdim ?? false;
  const out = wrap(narrow(reduceTo(kind, computeValue(x), dims, keepdim, 0), x.dtype));
  if (recording(x)) {
    const from = x.shape;
    // Equal extremes share the gradient.
    attach(out, `${name.charAt(0).toUpperCase()}${name.slice(1)}Backward0`, [x], (grad, node) => {
      const input = node.saved(0);
      const result = restoreDims(node.saved(1), from, dims, keepdim);
      const hits = cast(input.eq(result), grad.dtype);
      return [restoreDims(grad, from, dims, keepdim).div(sum(hits, dims.length === 0 ? null : dims, { keepdim: true })).mul(hits)];
    }).save(x, out);
  }
  return out;
}

/** The elements in their compute dtype. */
export const computeValue = (x: Tensor): Value => castValue(x.value, DTYPE_INFO[x.dtype].compute);

function refuseEmpty(name: string, x: Tensor, dims: readonly number[]): void {
  const gone = dims.find((d) => x.shape[d] === 0);
  if (gone !== undefined) throw new IndexError('ERR_REDUCE_EMPTY', `${name}: Expected reduction dim ${gone} to have non-zero size.`, { op: name, shapes: [x.shape] });
}

OPS.set('amax', { name: 'amax', inputs: 1, differentiable: true });
/** The largest over dims; NaN wins; gradients are shared among equals. PyTorch: torch.amax. */
export const amax = (x: Tensor, dim?: Dims, options: ReduceOptions = {}): Tensor => extreme('amax', 'max', x, dim, options);
OPS.set('amin', { name: 'amin', inputs: 1, differentiable: true });
/** The smallest over dims; NaN wins; gradients are shared among equals. PyTorch: torch.amin. */
export const amin = (x: Tensor, dim?: Dims, options: ReduceOptions = {}): Tensor => extreme('amin', 'min', x, dim, options);

function argExtreme(name: 'argmax' | 'argmin', x: Tensor, dim: number | null | undefined, options: ReduceOptions): Tensor {
  if (x.dtype === 'bool') throw new DTypeError('ERR_DTYPE', `${name}: not implemented for 'Bool'`, { op: name, dtypes: [x.dtype] });
  const dims = dim === undefined || dim === null ? normalizeDims(null, x.ndim, name) : [normalizeDim(dim, x.ndim, name)].filter(() => x.ndim > 0);
  if ((dim === undefined || dim === null) && x.numel() === 0) throw new IndexError('ERR_REDUCE_EMPTY', `${name}: Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.`, { op: name, shapes: [x.shape] });
  refuseEmpty(name, x, dims);
  return wrap(reduceTo(name, computeValue(x), dims, options.keepdim ?? false, 0));
}

OPS.set('argmax', { name: 'argmax', inputs: 1, differentiable: false });
/** Where the largest lies (int32), the first among equals; over all elements a row-major index. PyTorch: torch.argmax. */
export const argmax = (x: Tensor, dim?: number | null, options: ReduceOptions = {}): Tensor => argExtreme('argmax', x, dim, options);
OPS.set('argmin', { name: 'argmin', inputs: 1, differentiable: false });
/** Where the smallest lies (int32), the first among equals. PyTorch: torch.argmin. */
export const argmin = (x: Tensor, dim?: number | null, options: ReduceOptions = {}): Tensor => argExtreme('argmin', x, dim, options);

export { allIfEmpty, refuseEmpty };
