/** @file Sums, means, products, and whether any or all. A deferred input is the reduction's own program and takes no memory. */
import { notTensor } from './define.js';
import { asFloat32 } from '../amp/policy.js';
import { autocasting } from '../amp/state.js';
import { gradState } from '../autograd/mode.js';
import { DTypeError } from '../errors.js';
import { type DType, DTYPE_INFO, isFloat } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { castValue, narrow, type Value } from '../tensor/value.js';
import { cast } from './cast.js';
import { e } from './expression.js';
import { filled } from './fill.js';
import {
  computeValue,
  countOf,
  type Dims,
  oneDim,
  type ReduceOptions,
  reduceTo,
  reducedDims,
  restoreDims,
  type SumOptions,
} from './reduction.js';
import { OPS } from './registry.js';
import { reverseCumprod } from './scan.js';
import { attach, recording, wrap } from './result.js';
import { broadcastGradient } from './view.js';
import { checkOptions, type OptionNames } from '../options.js';

const SUM_OPTIONS: OptionNames<SumOptions> = { keepdim: true, dtype: true };
const REDUCE_OPTIONS: OptionNames<ReduceOptions> = { keepdim: true };

/** What sums accumulate in: integers and bools in int32, halves in float32. */
function accumulator(x: Tensor, dtype: DType): Value {
  const { compute } = DTYPE_INFO[dtype];
  return castValue(castValue(x.value, dtype), compute === 'bool' ? 'int32' : compute);
}

/** The gradient of each element that went into a sum. */
const spread = (grad: Tensor, from: Shape, dims: readonly number[], keepdim: boolean): Tensor =>
  broadcastGradient(restoreDims(grad, from, dims, keepdim), from);

OPS.set('sum', { name: 'sum', inputs: 1, differentiable: true });
/**
 * The sum over dims (all by default). Integers and bools give int32. PyTorch: torch.sum.
 * @example sum(tensor([[1, 2], [3, 4]]), 0) // tensor([4., 6.])
 */
export function sum(x: Tensor, dim?: Dims, options: SumOptions = {}): Tensor {
  checkOptions('sum', options, SUM_OPTIONS);
  requireTensor('sum', x);
  if (autocasting.on && options.dtype === undefined) return asFloat32(sum, x, dim, options);
  const dims = reducedDims(dim, x.ndim, 'sum');
  const dtype = options.dtype ?? (isFloat(x.dtype) ? x.dtype : 'int32');
  const keepdim = options.keepdim ?? false;
  const out = wrap(narrow(reduceTo('sum', accumulator(x, dtype), dims, keepdim, 0), dtype));
  if (isFloat(dtype) && recording(x)) {
    const { shape: from, dtype: fromType } = x;
    attach(out, 'SumBackward0', [x], (grad) => [cast(spread(grad, from, dims, keepdim), fromType)]);
  }
  return out;
}

const requireTensor = (op: string, x: Tensor): void => {
  if (!isTensor(x)) notTensor(op, 'input', x);
};

function floatResult(name: string, x: Tensor, dtype: DType | undefined): DType {
  const result = dtype ?? x.dtype;
  if (!isFloat(result)) {
    throw new DTypeError(
      'ERR_DTYPE',
      `${name}: the dtype of the result must be a float, not ${result}: write x.float().${name}(…), or { dtype: 'float32' } among the options`,
      { op: name, dtypes: [result] },
    );
  }
  return result;
}

OPS.set('mean', { name: 'mean', inputs: 1, differentiable: true });
/** The mean over dims (all by default); over no elements it is NaN. PyTorch: torch.mean. */
export function mean(x: Tensor, dim?: Dims, options: SumOptions = {}): Tensor {
  checkOptions('mean', options, SUM_OPTIONS);
  requireTensor('mean', x);
  const dtype = floatResult('mean', x, options.dtype);
  const dims = reducedDims(dim, x.ndim, 'mean');
  const keepdim = options.keepdim ?? false;
  const count = countOf(x.shape, dims);
  const out = wrap(narrow(e.div(reduceTo('sum', accumulator(x, dtype), dims, keepdim, 0), count), dtype));
  if (recording(x)) {
    const { shape: from, dtype: fromType } = x;
    attach(out, 'MeanBackward0', [x], (grad) => [cast(spread(grad.div(count), from, dims, keepdim), fromType)]);
  }
  return out;
}

OPS.set('nansum', { name: 'nansum', inputs: 1, differentiable: true });
/** The sum over dims with NaN counted as 0. PyTorch: torch.nansum. */
export function nansum(x: Tensor, dim?: Dims, options: SumOptions = {}): Tensor {
  checkOptions('nansum', options, SUM_OPTIONS);
  if (!isFloat(x.dtype)) return sum(x, dim, options);
  const dims = reducedDims(dim, x.ndim, 'nansum');
  const dtype = options.dtype ?? x.dtype;
  const keepdim = options.keepdim ?? false;
  const value = accumulator(x, dtype);
  const out = wrap(narrow(reduceTo('sum', isFloat(dtype) ? e.where(e.isnan(value), 0, value) : value, dims, keepdim, 0), dtype));
  if (isFloat(dtype) && recording(x)) {
    const { shape: from, dtype: fromType } = x;
    attach(out, 'NansumBackward0', [x], (grad, node) => {
      const input = node.saved(0);
      return [cast(spread(grad, from, dims, keepdim), fromType).mul(input.eq(input))];
    }).save(x);
  }
  return out;
}

OPS.set('nanmean', { name: 'nanmean', inputs: 1, differentiable: true });
/** The mean over dims of what is not NaN. PyTorch: torch.nanmean. */
export function nanmean(x: Tensor, dim?: Dims, options: SumOptions = {}): Tensor {
  checkOptions('nanmean', options, SUM_OPTIONS);
  floatResult('nanmean', x, undefined);
  const present = x.detach().eq(x.detach());
  return nansum(x, dim, options).div(sum(present, dim, { keepdim: options.keepdim ?? false }));
}

OPS.set('countNonzero', { name: 'countNonzero', inputs: 1, differentiable: false });
/** How many elements are not 0, over dims (all by default); int32. PyTorch: torch.count_nonzero. */
export function countNonzero(x: Tensor, dim?: Dims): Tensor {
  const dims = reducedDims(dim, x.ndim, 'countNonzero');
  return wrap(reduceTo('sum', e.cast(e.ne(computeValue(x), 0), 'int32'), dims, false, 0));
}

function truth(name: 'any' | 'all', x: Tensor, dim: Dims, options: ReduceOptions): Tensor {
  const dims = reducedDims(dim, x.ndim, name);
  const value = reduceTo(name === 'any' ? 'max' : 'min', castValue(x.value, 'bool'), dims, options.keepdim ?? false, name === 'all');
  // As in PyTorch, bytes answer in bytes.
  return wrap(x.dtype === 'uint8' ? castValue(value, 'uint8') : value);
}

OPS.set('any', { name: 'any', inputs: 1, differentiable: false });
/** Is any element true (not 0)? Over dims, all by default; bool, but uint8 for uint8. PyTorch: torch.any. */
export const any = (x: Tensor, dim?: Dims, options: ReduceOptions = {}): Tensor =>
  truth('any', x, dim, checkOptions('any', options, REDUCE_OPTIONS));
OPS.set('all', { name: 'all', inputs: 1, differentiable: false });
/** Are all elements true (not 0)? Over dims, all by default; bool, but uint8 for uint8. PyTorch: torch.all. */
export const all = (x: Tensor, dim?: Dims, options: ReduceOptions = {}): Tensor =>
  truth('all', x, dim, checkOptions('all', options, REDUCE_OPTIONS));

OPS.set('prod', { name: 'prod', inputs: 1, differentiable: true });
/** The product over a dim (all elements by default). Integers and bools give int32. PyTorch: torch.prod. */
export function prod(x: Tensor, dim?: number | null, options: SumOptions = {}): Tensor {
  checkOptions('prod', options, SUM_OPTIONS);
  if (autocasting.on && options.dtype === undefined) return asFloat32(prod, x, dim, options);
  const dtype = options.dtype ?? (isFloat(x.dtype) ? x.dtype : 'int32');
  const whole = dim === undefined || dim === null;
  const dims = oneDim(dim, x.ndim, 'prod');
  const keepdim = options.keepdim ?? false;
  const out = wrap(narrow(reduceTo('prod', accumulator(x, dtype), dims, keepdim, 1), dtype));
  if (isFloat(dtype) && recording(x)) {
    const { shape: from, dtype: fromType } = x;
    const node = attach(out, 'ProdBackward0', [x], (grad, n) => {
      const input = cast(n.saved(0), dtype);
      if (from.length === 0) return [cast(grad, fromType)];
      const g = spread(grad, from, dims, keepdim);
      const others = whole ? productOfOthers(input.reshape([-1]), 0).reshape(from) : productOfOthers(input, dims[0]!);
      // Where a graph is recorded the exact form is differentiated; else division serves, where nothing is 0.
      if (gradState.enabled || input.numel() === 0) return [cast(g.mul(others), fromType)];
      const clean = input.ne(0).all();
      const quotient = spread(n.saved(1), from, dims, keepdim).div(input);
      return [cast(g.mul(wrap(e.where(clean.value, quotient.value, others.value))), fromType)];
    });
    node.save(x, out);
  }
  return out;
}

/** For each element, the product of all others along a dim, right where some are 0: what comes before it times what comes after. */
function productOfOthers(x: Tensor, dim: number): Tensor {
  const n = x.shape[dim]!;
  const before = filled(x.shape, 1, x.dtype, x.device);
  const after = filled(x.shape, 1, x.dtype, x.device);
  if (n > 1) {
    before.narrow(dim, 1, n - 1).copy_(x.narrow(dim, 0, n - 1));
    after.narrow(dim, 0, n - 1).copy_(x.narrow(dim, 1, n - 1));
  }
  return before.cumprod(dim).mul(reverseCumprod(after, dim));
}
