/** @file What a sorted dim tells: medians, the most frequent, quantiles. Places are int32. */
import { DTypeError, ShapeError, ValueError } from '../errors.js';
import { isFloat } from '../tensor/dtype.js';
import { normalizeDim, type Shape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { indexValue, type Value } from '../tensor/value.js';
import { cast } from './cast.js';
import { tensor } from './creation.js';
import { e } from './expression.js';
import { filled, fillValue } from './fill.js';
import { gather, launchGather } from './gather.js';
import { pickAlong } from './pick.js';
import { computeValue, type ReduceOptions, reduceTo, refuseEmpty } from './reduction.js';
import { OPS } from './registry.js';
import { attach, recording, wrap } from './result.js';
import { startsRun } from './runs.js';
import { launchScan } from './scan.js';
import { launchSort } from './sort.js';
import { sort } from './sorting.js';
import { permute, reshape, squeeze, transpose, unsqueeze } from './view.js';
import { checkOptions, type OptionNames } from '../options.js';

const REDUCE_OPTIONS: OptionNames<ReduceOptions> = { keepdim: true };
const QUANTILE_OPTIONS: OptionNames<QuantileOptions> = { interpolation: true, keepdim: true };

/** How many NaN there are along a dim, which stays with size 1; int32. */
const nanCount = (x: Tensor, dim: number): Value => reduceTo('sum', e.cast(e.isnan(computeValue(x)), 'int32'), [dim], true, 0);

/** Where the lower median lies among sorted elements: of all, a NaN if there is one; or of those that are not NaN. */
function medianPlace(sorted: Tensor, dim: number, ignoreNan: boolean): Tensor {
  const n = sorted.shape[dim]!;
  const shape = sorted.shape.map((s, d) => (d === dim ? 1 : s));
  if (!isFloat(sorted.dtype)) return wrap(fillValue(shape, (n - 1) >> 1, 'int32', sorted.device));
  const nans = nanCount(sorted, dim);
  const numbers = e.sub(e.scalar(n, 'int32', nans), nans);
  return wrap(ignoreNan ? e.max(e.shr(e.sub(numbers, 1), 1), 0) : e.where(e.gt(nans, 0), numbers, (n - 1) >> 1));
}

function medianAlong(name: 'median' | 'nanmedian', x: Tensor, dim: number, keepdim: boolean): [values: Tensor, indices: Tensor] {
  const d = normalizeDim(dim, x.ndim, name);
  refuseEmpty(name, x, x.ndim === 0 ? [] : [d]);
  const [sorted, places] = launchSort(x.detach(), d, false);
  if (x.ndim === 0) return pickAlong(name, x, d, places, keepdim);
  return pickAlong(name, x, d, launchGather(places, d, medianPlace(sorted, d, name === 'nanmedian')), keepdim);
}

function medianOfAll(name: 'median' | 'nanmedian', x: Tensor): Tensor {
  if (x.numel() === 0) return wrap(fillValue([], isFloat(x.dtype) ? NaN : -2147483648, x.dtype, x.device));
  const sorted = launchSort(reshape(x.detach(), [-1]), 0, false)[0];
  const out = wrap(reshape(launchGather(sorted, 0, medianPlace(sorted, 0, name === 'nanmedian')), []).value);
  if (recording(x)) {
    // Equal elements share the gradient.
    attach(out, name === 'median' ? 'MedianBackward0' : 'NanmedianBackward0', [x], (grad, node) => {
      const input = node.saved(0);
      const result = node.saved(1);
      const hits = cast(input.eq(result).logicalOr(input.ne(input).logicalAnd(result.ne(result))), grad.dtype);
      return [grad.div(hits.sum()).mul(hits)];
    }).save(x, out);
  }
  return out;
}

OPS.set('median', { name: 'median', inputs: 1, differentiable: true });
/** The lower median of all elements; NaN if there is one. PyTorch: torch.median. */
export function median(x: Tensor): Tensor;
/** The lower median along a dim, and where it lies. */
export function median(x: Tensor, dim: number, options?: ReduceOptions): [values: Tensor, indices: Tensor];
export function median(x: Tensor, dim?: number, options: ReduceOptions = {}): Tensor | [values: Tensor, indices: Tensor] {
  checkOptions('median', options, REDUCE_OPTIONS);
  return dim === undefined ? medianOfAll('median', x) : medianAlong('median', x, dim, options.keepdim ?? false);
}

OPS.set('nanmedian', { name: 'nanmedian', inputs: 1, differentiable: true });
/** The lower median of what is not NaN. PyTorch: torch.nanmedian. */
export function nanmedian(x: Tensor): Tensor;
/** The lower median of what is not NaN along a dim, and where it lies. */
export function nanmedian(x: Tensor, dim: number, options?: ReduceOptions): [values: Tensor, indices: Tensor];
export function nanmedian(x: Tensor, dim?: number, options: ReduceOptions = {}): Tensor | [values: Tensor, indices: Tensor] {
  checkOptions('nanmedian', options, REDUCE_OPTIONS);
  return dim === undefined ? medianOfAll('nanmedian', x) : medianAlong('nanmedian', x, dim, options.keepdim ?? false);
}

OPS.set('mode', { name: 'mode', inputs: 1, differentiable: true });
/** The most frequent element along a dim (the last by default), the smallest of several, and where it lies last. PyTorch: torch.mode. */
export function mode(x: Tensor, dim = -1, options: ReduceOptions = {}): [values: Tensor, indices: Tensor] {
  checkOptions('mode', options, REDUCE_OPTIONS);
  const d = normalizeDim(dim, x.ndim, 'mode');
  refuseEmpty('mode', x, x.ndim === 0 ? [] : [d]);
  const keepdim = options.keepdim ?? false;
  const [sorted, places] = launchSort(x.detach(), d, false);
  if (x.ndim === 0) return pickAlong('mode', x, d, places, keepdim);
  const index = indexValue(x.shape, d, x.device);
  // How long the run of equals is that ends at each place: its distance to the run's start.
  const runs = launchScan('max', false, wrap(e.where(startsRun(sorted, d), index, 0)), d, 'int32');
  const longest = wrap(reduceTo('argmax', e.sub(index, runs.value), [d], true, 0));
  return pickAlong('mode', x, d, launchGather(places, d, longest), keepdim);
}

/** What a quantile between two elements is: on the line between them (the default), one of them, the nearer, or half-way. */
export type Interpolation = 'linear' | 'lower' | 'higher' | 'midpoint' | 'nearest';
export interface QuantileOptions extends ReduceOptions {
  readonly interpolation?: Interpolation;
}

OPS.set('quantile', { name: 'quantile', inputs: 2, differentiable: true });
/**
 * The q-quantiles along a dim (of all elements by default), NaN where there is a NaN. Several q give a new first dim. PyTorch: torch.quantile.
 * @example x.quantile(0.5); x.quantile([0.25, 0.75], 1, { keepdim: true, interpolation: 'nearest' })
 * @throws ValueError `ERR_QUANTILE` for a q outside [0, 1].
 */
export const quantile = (x: Tensor, q: number | readonly number[] | Tensor, dim?: number | null, options: QuantileOptions = {}): Tensor =>
  quantiles('quantile', x, q, dim ?? null, checkOptions('quantile', options, QUANTILE_OPTIONS));
OPS.set('nanquantile', { name: 'nanquantile', inputs: 2, differentiable: true });
/** The same of what is not NaN. PyTorch: torch.nanquantile. */
export const nanquantile = (
  x: Tensor,
  q: number | readonly number[] | Tensor,
  dim?: number | null,
  options: QuantileOptions = {},
): Tensor => quantiles('nanquantile', x, q, dim ?? null, checkOptions('nanquantile', options, QUANTILE_OPTIONS));

function quantiles(
  name: 'quantile' | 'nanquantile',
  x: Tensor,
  given: number | readonly number[] | Tensor,
  dim: number | null,
  options: QuantileOptions,
): Tensor {
  const { interpolation = 'linear', keepdim = false } = options;
  if (x.dtype !== 'float32' && x.dtype !== 'float64')
    throw new DTypeError('ERR_DTYPE', `${name}: ${name}() input tensor must be either float or double dtype`, {
      op: name,
      dtypes: [x.dtype],
    });
  if (x.numel() === 0)
    throw new ShapeError('ERR_REDUCE_EMPTY', `${name}: ${name}() input tensor must be non-empty`, { op: name, shapes: [x.shape] });
  if (!['linear', 'lower', 'higher', 'midpoint', 'nearest'].includes(interpolation)) {
    throw new ValueError(
      'ERR_QUANTILE',
      `${name}: ${name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got ${String(interpolation)}`,
      { op: name },
    );
  }
  // Only on the line between two elements does the result change with q.
  const wanted = quantileTensor(name, x, given);
  const q = interpolation === 'linear' ? wanted : wanted.detach();
  const several = q.ndim === 1;
  const d = dim === null ? null : normalizeDim(dim, x.ndim, name);
  // The dim comes last: (…, n). Each row is sorted once for all q.
  const rows = d === null || x.ndim === 0 ? reshape(x, [-1]) : transpose(x, d, -1);
  const sorted = sort(rows, -1)[0];
  const values = pickQuantiles(name, sorted, several ? q : unsqueeze(q, 0), interpolation);
  const restShape: Shape = d === null || x.ndim === 0 ? x.shape.map(() => 1) : [];
  const back = (t: Tensor): Tensor => {
    if (!keepdim) return d === null || x.ndim === 0 ? t : dropSwapped(t, d);
    return d === null || x.ndim === 0 ? reshape(t, restShape) : transpose(unsqueeze(t, -1), d, -1);
  };
  if (!several) return back(squeeze(values, -1));
  const each = moved(values, values.ndim - 1, 0);
  if (!keepdim) return d === null || x.ndim === 0 ? each : dropSwapped(each, d + 1);
  return d === null || x.ndim === 0 ? reshape(each, [q.shape[0]!, ...restShape]) : transpose(unsqueeze(each, -1), d + 1, -1);
}

/** The rows' dims after one was exchanged with the last and taken out: the last of them stands at its place still. */
const dropSwapped = (t: Tensor, d: number): Tensor => (d >= t.ndim ? t : moved(t, d, t.ndim - 1));

function moved(t: Tensor, from: number, to: number): Tensor {
  const order = t.shape.map((_, d) => d).filter((d) => d !== from);
  order.splice(to, 0, from);
  return permute(t, order);
}

function quantileTensor(name: string, x: Tensor, given: number | readonly number[] | Tensor): Tensor {
  const q = isTensor(given) ? given : tensor(given as number, { dtype: x.dtype, device: x.device });
  if (q.ndim > 1)
    throw new ShapeError('ERR_QUANTILE', `${name}: ${name}() q must be a scalar or 1D tensor`, { op: name, shapes: [q.shape] });
  if (q.dtype !== x.dtype)
    throw new DTypeError('ERR_DTYPE_MIX', `${name}: ${name}() q tensor must be same dtype as the input tensor`, {
      op: name,
      dtypes: [x.dtype, q.dtype],
    });
  const known = isTensor(given) ? (x.device.syncRead ? Array.from(given.detach().data()) : []) : [given].flat();
  if (!known.every((value) => value >= 0 && value <= 1))
    throw new ValueError('ERR_QUANTILE', `${name}: ${name}() q values must be in the range [0, 1]`, { op: name });
  return q;
}

/** (…, n) sorted and (Q) give (…, Q). */
function pickQuantiles(name: string, sorted: Tensor, q: Tensor, interpolation: Interpolation): Tensor {
  const last = sorted.ndim - 1;
  const n = sorted.shape[last]!;
  const nans = wrap(nanCount(sorted.detach(), last));
  let ranks: Tensor;
  if (name === 'nanquantile') ranks = q.mul(cast(nans.neg().add(n - 1), sorted.dtype)).clamp({ min: 0 });
  else
    ranks = q
      .mul(n - 1)
      .expand([...sorted.shape.slice(0, -1), q.shape[0]!])
      .maskedFill(nans.gt(0), n - 1);
  if (interpolation === 'lower') ranks = ranks.floor();
  if (interpolation === 'higher') ranks = ranks.ceil();
  if (interpolation === 'nearest') ranks = ranks.round();
  const below = cast(ranks.detach(), 'int32');
  const low = gather(sorted, last, below);
  if (interpolation !== 'linear' && interpolation !== 'midpoint') return low;
  const high = gather(sorted, last, cast(ranks.detach().ceil(), 'int32'));
  const weight = interpolation === 'midpoint' ? filled(ranks.shape, 0.5, ranks.dtype, ranks.device) : ranks.sub(cast(below, ranks.dtype));
  return low.lerp(high, weight);
}
