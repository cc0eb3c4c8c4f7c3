/** @file The largest and the smallest, and where they lie. NaN wins everywhere, as in PyTorch. */
import { DTypeError, ValueError } from '../errors.js';
import { normalizeDim } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { castValue, narrow } from '../tensor/value.js';
import { cast } from './cast.js';
import { notTensor } from './define.js';
import { nodeName, pickAlong } from './pick.js';
import { sum } from './reduce.js';
import { computeValue, type Dims, oneDim, type ReduceOptions, reduceTo, reducedDims, refuseEmpty, restoreDims } from './reduction.js';
import { OPS } from './registry.js';
import { attach, recording, wrap } from './result.js';
import { checkOptions, type OptionNames } from '../options.js';

const AMINMAX_OPTIONS: OptionNames<AminmaxOptions> = { dim: true, keepdim: true };
const REDUCE_OPTIONS: OptionNames<ReduceOptions> = { keepdim: true };

function extreme(name: string, kind: 'max' | 'min', x: Tensor, dim: Dims, options: ReduceOptions): Tensor {
  const dims = reducedDims(dim, x.ndim, name);
  refuseEmpty(name, x, dims, dim === undefined || dim === null);
  const keepdim = options.keepdim ?? false;
  const out = wrap(narrow(reduceTo(kind, computeValue(x), dims, keepdim, 0), x.dtype));
  if (recording(x)) {
    const from = x.shape;
    // Equal extremes share the gradient.
    attach(out, nodeName(name), [x], (grad, node) => {
      const input = node.saved(0);
      const result = restoreDims(node.saved(1), from, dims, keepdim);
      // Only the forms without a dim find a NaN again.
      const same = input.eq(result);
      const hits = cast(name === kind ? same.logicalOr(input.ne(input)) : same, grad.dtype);
      return [
        restoreDims(grad, from, dims, keepdim)
          .div(sum(hits, dims.length === 0 ? null : dims, { keepdim: true }))
          .mul(hits),
      ];
    }).save(x, out);
  }
  return out;
}

OPS.set('amax', { name: 'amax', inputs: 1, differentiable: true });
/** The largest over dims (all by default); gradients are shared among equals. PyTorch: torch.amax. */
export const amax = (x: Tensor, dim?: Dims, options: ReduceOptions = {}): Tensor =>
  extreme('amax', 'max', x, dim, checkOptions('amax', options, REDUCE_OPTIONS));
OPS.set('amin', { name: 'amin', inputs: 1, differentiable: true });
/** The smallest over dims (all by default); gradients are shared among equals. PyTorch: torch.amin. */
export const amin = (x: Tensor, dim?: Dims, options: ReduceOptions = {}): Tensor =>
  extreme('amin', 'min', x, dim, checkOptions('amin', options, REDUCE_OPTIONS));

export interface AminmaxOptions extends ReduceOptions {
  /** Default: over all elements. */
  readonly dim?: number | null;
}
OPS.set('aminmax', { name: 'aminmax', inputs: 1, differentiable: true });
/** `[amin, amax]` over one dim, or all. PyTorch: torch.aminmax. */
export function aminmax(x: Tensor, options: AminmaxOptions = {}): [min: Tensor, max: Tensor] {
  checkOptions('aminmax', options, AMINMAX_OPTIONS);
  return [extreme('aminmax', 'min', x, options.dim, options), extreme('aminmax', 'max', x, options.dim, options)];
}

function argExtreme(name: 'argmax' | 'argmin', x: Tensor, dim: number | null | undefined, options: ReduceOptions): Tensor {
  if (x.dtype === 'bool')
    throw new DTypeError('ERR_DTYPE', `${name}: "${name}_cpu" not implemented for 'Bool'`, { op: name, dtypes: [x.dtype] });
  const dims = oneDim(dim, x.ndim, name);
  refuseEmpty(name, x, dims, dim === undefined || dim === null);
  return wrap(reduceTo(name, computeValue(x), dims, options.keepdim ?? false, 0));
}

OPS.set('argmax', { name: 'argmax', inputs: 1, differentiable: false });
/** Where the largest lies (int32), the first among equals; over all elements a row-major index. PyTorch: torch.argmax. */
export const argmax = (x: Tensor, dim?: number | null, options: ReduceOptions = {}): Tensor =>
  argExtreme('argmax', x, dim, checkOptions('argmax', options, REDUCE_OPTIONS));
OPS.set('argmin', { name: 'argmin', inputs: 1, differentiable: false });
/** Where the smallest lies (int32), the first among equals. PyTorch: torch.argmin. */
export const argmin = (x: Tensor, dim?: number | null, options: ReduceOptions = {}): Tensor =>
  argExtreme('argmin', x, dim, checkOptions('argmin', options, REDUCE_OPTIONS));

function alongDim(kind: 'max' | 'min', x: Tensor, dim: number, options: ReduceOptions): [values: Tensor, indices: Tensor] {
  const d = normalizeDim(dim, x.ndim, kind);
  refuseEmpty(kind, x, x.ndim === 0 ? [] : [d]);
  const value = computeValue(x);
  const places = wrap(reduceTo(`arg${kind}`, value.dtype === 'bool' ? castValue(value, 'int32') : value, x.ndim === 0 ? [] : [d], true, 0));
  return pickAlong(kind, x, d, places, options.keepdim ?? false);
}

function anyForm(
  kind: 'max' | 'min',
  x: Tensor,
  other: Tensor | number | undefined,
  options: ReduceOptions,
): Tensor | [values: Tensor, indices: Tensor] {
  if (other === undefined) return extreme(kind, kind, x, null, {});
  if (!isTensor(x)) notTensor(kind, 'input', x);
  if (isTensor(other)) return kind === 'max' ? x.maximum(other) : x.minimum(other);
  if (typeof other !== 'number')
    throw new ValueError('ERR_DIM', `${kind}: takes nothing more, a dim, or another tensor; not ${String(other)}`, { op: kind });
  return alongDim(kind, x, other, options);
}

OPS.set('max', { name: 'max', inputs: 1, differentiable: true });
/** The largest element. PyTorch: torch.max. */
export function max(x: Tensor): Tensor;
/** The larger of two tensors' elements: `maximum`. */
export function max(x: Tensor, other: Tensor): Tensor;
/** The largest along a dim and where it lies (int32, the first among equals); the gradient goes there. */
export function max(x: Tensor, dim: number, options?: ReduceOptions): [values: Tensor, indices: Tensor];
export function max(x: Tensor, other?: Tensor | number, options: ReduceOptions = {}): Tensor | [values: Tensor, indices: Tensor] {
  checkOptions('max', options, REDUCE_OPTIONS);
  return anyForm('max', x, other, options);
}

OPS.set('min', { name: 'min', inputs: 1, differentiable: true });
/** The smallest element. PyTorch: torch.min. */
export function min(x: Tensor): Tensor;
/** The smaller of two tensors' elements: `minimum`. */
export function min(x: Tensor, other: Tensor): Tensor;
/** The smallest along a dim and where it lies (int32, the first among equals); the gradient goes there. */
export function min(x: Tensor, dim: number, options?: ReduceOptions): [values: Tensor, indices: Tensor];
export function min(x: Tensor, other?: Tensor | number, options: ReduceOptions = {}): Tensor | [values: Tensor, indices: Tensor] {
  checkOptions('min', options, REDUCE_OPTIONS);
  return anyForm('min', x, other, options);
}
