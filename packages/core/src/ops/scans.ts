/** @file Running sums, products and extremes along a dim, and differences. A running result is made from what comes before its place and at it. */
import { asFloat32 } from '../amp/policy.js';
import { autocasting } from '../amp/state.js';
import { DTypeError, ShapeError, ValueError } from '../errors.js';
import { type DType, DTYPE_INFO, isFloat } from '../tensor/dtype.js';
import { normalizeDim } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { castValue, indexValue } from '../tensor/value.js';
import { cat } from './cat.js';
import { e } from './expression.js';
import { zerosOf } from './fill.js';
import { assign, forInPlace } from './in-place.js';
import { computeValue } from './reduction.js';
import { OPS } from './registry.js';
import { attach, recording, wrap } from './result.js';
import { launchScan, runningLogSumExp, runningProduct, runningSum } from './scan.js';
import { clone, narrow } from './view.js';
import { checkOptions, type OptionNames } from '../options.js';

const DIFF_OPTIONS: OptionNames<DiffOptions> = { n: true, dim: true, prepend: true, append: true };
const SCAN_OPTIONS: OptionNames<ScanOptions> = { dtype: true };

export interface ScanOptions {
  /** The dtype to accumulate and answer in. Default: the input's, int32 for integers and bools. */
  readonly dtype?: DType;
}

const resultDType = (x: Tensor, options: ScanOptions): DType => options.dtype ?? (isFloat(x.dtype) ? x.dtype : 'int32');

OPS.set('cumsum', { name: 'cumsum', inputs: 1, differentiable: true });
/** y_i = x_0 + … + x_i along a dim. PyTorch: torch.cumsum. @example cumsum(tensor([1, 2, 3]), 0) // tensor([1., 3., 6.]) */
export const cumsum = (x: Tensor, dim: number, options: ScanOptions = {}): Tensor =>
  checkOptions('cumsum', options, SCAN_OPTIONS).dtype === undefined && autocasting.on
    ? asFloat32(cumsum, x, dim, options)
    : runningSum(x, normalizeDim(dim, x.ndim, 'cumsum'), false, resultDType(x, options));
export const cumsum_ = (x: Tensor, dim: number): Tensor => assign(x, cumsum(forInPlace(x, 'cumsum_'), dim, { dtype: x.dtype }), 'cumsum_');

OPS.set('cumprod', { name: 'cumprod', inputs: 1, differentiable: true });
/** y_i = x_0 · … · x_i along a dim. PyTorch: torch.cumprod. */
export const cumprod = (x: Tensor, dim: number, options: ScanOptions = {}): Tensor =>
  checkOptions('cumprod', options, SCAN_OPTIONS).dtype === undefined && autocasting.on
    ? asFloat32(cumprod, x, dim, options)
    : runningProduct(x, normalizeDim(dim, x.ndim, 'cumprod'), false, resultDType(x, options));
export const cumprod_ = (x: Tensor, dim: number): Tensor =>
  assign(x, cumprod(forInPlace(x, 'cumprod_'), dim, { dtype: x.dtype }), 'cumprod_');

OPS.set('logcumsumexp', { name: 'logcumsumexp', inputs: 1, differentiable: true });
/** y_i = ln(e^x_0 + … + e^x_i) along a dim. PyTorch: torch.logcumsumexp. */
export function logcumsumexp(x: Tensor, dim: number): Tensor {
  if (!isFloat(x.dtype))
    throw new DTypeError(
      'ERR_DTYPE',
      `logcumsumexp: logcumsumexp_out: Expected floating point type for result tensor, but got: ${x.dtype}`,
      { op: 'logcumsumexp', dtypes: [x.dtype] },
    );
  return runningLogSumExp(x, normalizeDim(dim, x.ndim, 'logcumsumexp'), false);
}

function runningExtreme(name: 'cummax' | 'cummin', x: Tensor, dim: number): [values: Tensor, indices: Tensor] {
  const d = normalizeDim(dim, x.ndim, name);
  const values = launchScan(name === 'cummax' ? 'max' : 'min', false, x, d, x.dtype);
  if (x.ndim === 0 || x.numel() === 0)
    return [recordPicked(name, x, values, zerosOf(values, x.shape).to('int32'), d), zerosOf(values, x.shape).to('int32')];
  // A place holds the extreme so far when it equals it, or is NaN: the last such place is the index, as in PyTorch.
  const input = computeValue(x);
  const same = e.eq(input, castValue(values.value, input.dtype));
  const hit = DTYPE_INFO[x.dtype].category === 'float' ? e.or(same, e.isnan(input)) : same;
  const places = wrap(e.where(hit, indexValue(x.shape, d, x.device), 0));
  const indices = launchScan('max', false, places, d, 'int32');
  return [recordPicked(name, x, values, indices, d), indices];
}

function recordPicked(name: string, x: Tensor, values: Tensor, indices: Tensor, dim: number): Tensor {
  if (recording(x)) {
    const from = x.shape;
    attach(values, `${name.charAt(0).toUpperCase()}${name.slice(1)}Backward0`, [x], (grad, node) => [
      from.length === 0 ? grad : zerosOf(grad, from).scatterAdd(dim, node.saved(0), grad),
    ]).save(indices);
  }
  return values;
}

OPS.set('cummax', { name: 'cummax', inputs: 1, differentiable: true });
/** The largest so far along a dim, and where it lies (int32; the last among equals); NaN wins from its place on. PyTorch: torch.cummax. */
export const cummax = (x: Tensor, dim: number): [values: Tensor, indices: Tensor] => runningExtreme('cummax', x, dim);
OPS.set('cummin', { name: 'cummin', inputs: 1, differentiable: true });
/** The smallest so far along a dim, and where it lies (int32; the last among equals). PyTorch: torch.cummin. */
export const cummin = (x: Tensor, dim: number): [values: Tensor, indices: Tensor] => runningExtreme('cummin', x, dim);

export interface DiffOptions {
  /** How often. Default 1. */
  readonly n?: number;
  /** Default the last. */
  readonly dim?: number;
  /** Put before and after along the dim first. */
  readonly prepend?: Tensor | null;
  readonly append?: Tensor | null;
}

OPS.set('diff', { name: 'diff', inputs: 1, differentiable: true });
/** x_{i+1} − x_i along a dim, n times; for bools, whether they differ. PyTorch: torch.diff. @throws ShapeError `ERR_RANK` */
export function diff(x: Tensor, options: DiffOptions = {}): Tensor {
  checkOptions('diff', options, DIFF_OPTIONS);
  const { n = 1, dim = -1, prepend = null, append = null } = options;
  if (x.ndim === 0) throw new ShapeError('ERR_RANK', 'diff: diff expects input to be at least one-dimensional', { op: 'diff' });
  if (!(Number.isInteger(n) && n >= 0)) throw new ValueError('ERR_DIFF', `diff: order must be non-negative but got ${n}`, { op: 'diff' });
  const d = normalizeDim(dim, x.ndim, 'diff');
  for (const [name, extra] of [
    ['prepend', prepend],
    ['append', append],
  ] as const) {
    if (extra === null) continue;
    if (extra.ndim !== x.ndim || extra.shape.some((s, k) => k !== d && s !== x.shape[k])) {
      throw new ShapeError(
        'ERR_DIFF',
        `diff: diff expects the shape of tensor to prepend or append to match that of input except along the differencing dimension; input.size() = [${x.shape.join(', ')}], but got ${name}.size() = [${extra.shape.join(', ')}]`,
        { op: 'diff', shapes: [x.shape, extra.shape] },
      );
    }
  }
  if (n === 0) return clone(x);
  const parts = [prepend, x, append].filter((t): t is Tensor => t !== null);
  let out = parts.length === 1 ? x : cat(parts, d);
  if (n >= out.shape[d]!) return clone(narrow(out, d, 0, 0));
  for (let i = 0; i < n; i++) {
    const size: number = out.shape[d]!;
    const before = narrow(out, d, 0, size - 1);
    const after = narrow(out, d, 1, size - 1);
    out = out.dtype === 'bool' ? after.logicalXor(before) : after.sub(before);
  }
  return out;
}
