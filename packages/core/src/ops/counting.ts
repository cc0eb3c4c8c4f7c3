/** @file Counting: histograms, and what is there at all. Where a value must be known to tell a shape, there is an `…Async` form for every device. */
import { DTypeError, ShapeError, ValueError } from '../errors.js';
import { DTYPE_INFO, isFloat } from '../tensor/dtype.js';
import { numelOf } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { indexValue, type Value } from '../tensor/value.js';
import { cast } from './cast.js';
import { cat } from './cat.js';
import { e } from './expression.js';
import { filled } from './fill.js';
import { launchScatter } from './gather.js';
import { computeValue, reduceTo } from './reduction.js';
import { OPS } from './registry.js';
import { wrap } from './result.js';
import { searchsorted } from './searching.js';
import { narrow, reshape } from './view.js';
import { checkOptions, type OptionNames } from '../options.js';

const BINCOUNT_OPTIONS: OptionNames<BincountOptions> = { minlength: true };
const HISTC_OPTIONS: OptionNames<HistcOptions> = { bins: true, min: true, max: true };
const HISTOGRAM_OPTIONS: OptionNames<HistogramOptions> = { range: true, weight: true, density: true };

export interface BincountOptions {
  /** At least so many bins. Default 0. */
  readonly minlength?: number;
}

function checkBincount(x: Tensor, weights: Tensor | null, options: BincountOptions): void {
  if (DTYPE_INFO[x.dtype].category !== 'integer')
    throw new DTypeError('ERR_DTYPE', `bincount: bincount only supports 1-d non-negative integral inputs, not ${x.dtype}`, {
      op: 'bincount',
      dtypes: [x.dtype],
    });
  if (x.ndim !== 1)
    throw new ShapeError('ERR_RANK', 'bincount: bincount only supports 1-d non-negative integral inputs.', {
      op: 'bincount',
      shapes: [x.shape],
    });
  if ((options.minlength ?? 0) < 0) throw new ValueError('ERR_BINCOUNT', 'bincount: minlength should be >= 0', { op: 'bincount' });
  if (weights !== null && (weights.ndim !== 1 || weights.shape[0] !== x.shape[0])) {
    throw new ShapeError('ERR_BINCOUNT', 'bincount: weights should be 1-d and have the same length as input', {
      op: 'bincount',
      shapes: [x.shape, weights.shape],
    });
  }
}

/** `range`, the smallest and the largest, is what has to be read. */
function countInto(x: Tensor, weights: Tensor | null, options: BincountOptions, range: ArrayLike<number>): Tensor {
  if (range[0]! < 0)
    throw new ValueError('ERR_BINCOUNT', 'bincount: bincount only supports 1-d non-negative integral inputs.', { op: 'bincount' });
  const bins = Math.max(range[1]! + 1, options.minlength ?? 0);
  const dtype =
    weights === null
      ? 'int32'
      : weights.dtype === 'float32' || weights.dtype === 'float64'
        ? weights.dtype
        : x.device.backend.capabilities.dtypes.includes('float64')
          ? 'float64'
          : 'float32';
  const source = weights === null ? filled(x.shape, 1, 'int32', x.device) : cast(weights.detach(), dtype);
  return launchScatter('add', filled([bins], 0, dtype, x.device), 0, cast(x.detach(), 'int32'), source);
}

/** The smallest and the largest, to be read together. */
const bounds = (x: Tensor): Tensor => cat([x.amin().reshape([1]), x.amax().reshape([1])]);

OPS.set('bincount', { name: 'bincount', inputs: 2, differentiable: false });
/**
 * How often each of 0, 1, … comes among whole numbers ≥ 0, or the sums of their weights. Reads the largest. PyTorch: torch.bincount.
 * @throws ValueError `ERR_BINCOUNT` for negative numbers; NotSupportedError `ERR_SYNC_READ`.
 */
export function bincount(x: Tensor, weights?: Tensor | null, options: BincountOptions = {}): Tensor {
  checkOptions('bincount', options, BINCOUNT_OPTIONS);
  checkBincount(x, weights ?? null, options);
  return countInto(x, weights ?? null, options, x.numel() === 0 ? [0, -1] : bounds(x).data());
}
/** As {@link bincount}, on every device. */
export async function bincountAsync(x: Tensor, weights?: Tensor | null, options: BincountOptions = {}): Promise<Tensor> {
  checkOptions('bincountAsync', options, BINCOUNT_OPTIONS);
  checkBincount(x, weights ?? null, options);
  return countInto(x, weights ?? null, options, x.numel() === 0 ? [0, -1] : await bounds(x).dataAsync());
}

export interface HistcOptions {
  /** Default 100. */
  readonly bins?: number;
  /** The range; where both are equal (the default, 0), the smallest and the largest element. */
  readonly min?: number;
  readonly max?: number;
}

/** The ends of a histogram: as given, those of the data, `ofNone` without data; `apart` from the middle at least. */
function ends(
  value: Value,
  range: readonly [number, number] | null,
  apart: number,
  ofNone: readonly [number, number],
): [low: Value, high: Value] {
  const all = value.shape.map((_, d) => d);
  const [low, high] = range ?? ofNone;
  const data = range === null && value.numel > 0;
  const a = data ? reduceTo('min', value, all, false, 0) : e.scalar(low, value.dtype as 'float32', value);
  const b = data ? reduceTo('max', value, all, false, 0) : e.scalar(high, value.dtype as 'float32', value);
  const none = e.eq(a, b);
  return [e.where(none, e.sub(a, apart), a), e.where(none, e.add(b, apart), b)];
}

function checkBins(op: string, x: Tensor, bins: number): void {
  if (!isFloat(x.dtype))
    throw new DTypeError('ERR_DTYPE', `${op}: "${op}_cpu" not implemented for '${x.dtype}'`, { op, dtypes: [x.dtype] });
  if (!(Number.isInteger(bins) && bins > 0)) throw new ValueError('ERR_BINS', `${op}: bins must be > 0, but got ${bins}`, { op });
}

OPS.set('histc', { name: 'histc', inputs: 1, differentiable: false });
/** How many elements fall into each of equally wide bins; the last takes its upper end too, what is outside counts nowhere. PyTorch: torch.histc. */
export function histc(x: Tensor, options: HistcOptions = {}): Tensor {
  checkOptions('histc', options, HISTC_OPTIONS);
  const { bins = 100, min = 0, max = 0 } = options;
  checkBins('histc', x, bins);
  if (!(Number.isFinite(min) && Number.isFinite(max)))
    throw new ValueError('ERR_BINS', `histc: range of [${min}, ${max}] is not finite`, { op: 'histc' });
  if (min > max) throw new ValueError('ERR_BINS', 'histc: max must be larger than min', { op: 'histc' });
  const value = computeValue(reshape(x.detach(), [-1]));
  const [low, high] = ends(value, min === max ? null : [min, max], 1, [0, 0]);
  const inside = e.and(e.ge(value, low), e.le(value, high));
  const position = e.floor(e.div(e.mul(e.sub(value, low), bins), e.sub(high, low)));
  const index = e.where(inside, e.min(e.cast(e.where(inside, position, 0), 'int32'), bins - 1), 0);
  const counted = cast(wrap(inside), DTYPE_INFO[x.dtype].compute);
  return cast(launchScatter('add', filled([bins], 0, counted.dtype, x.device), 0, wrap(index), counted), x.dtype);
}

export interface HistogramOptions {
  /** The range of equally wide bins. Default: the smallest and the largest element. */
  readonly range?: readonly [number, number] | null;
  /** What each element counts. Default 1. */
  readonly weight?: Tensor | null;
  /** Divide by the total and the widths, so that the area is 1. */
  readonly density?: boolean;
}

OPS.set('histogram', { name: 'histogram', inputs: 1, differentiable: false });
/** `[counts, edges]` of elements in bins: so many equally wide ones, or those between given rising edges. PyTorch: torch.histogram. */
export function histogram(x: Tensor, bins: number | Tensor, options: HistogramOptions = {}): [hist: Tensor, binEdges: Tensor] {
  checkOptions('histogram', options, HISTOGRAM_OPTIONS);
  const { range = null, weight = null, density = false } = options;
  checkBins('histogram', x, isTensor(bins) ? Math.max(bins.numel() - 1, 1) : bins);
  if (weight !== null && numelOf(weight.shape) !== x.numel())
    throw new ShapeError(
      'ERR_HISTOGRAM',
      'histogram: if weight tensor is provided it should have the same shape as the input tensor excluding its innermost dimension',
      { op: 'histogram', shapes: [x.shape, weight.shape] },
    );
  const flat = reshape(x.detach(), [-1]);
  const edges = isTensor(bins) ? bins.detach() : evenEdges(flat, bins, range);
  const count = edges.numel() - 1;
  const value = computeValue(flat);
  const first = computeValue(narrow(edges, 0, 0, 1));
  const last = computeValue(narrow(edges, 0, count, 1));
  const inside = e.and(e.ge(value, first), e.le(value, last));
  const place = searchsorted(edges, flat, { right: true });
  const index = e.where(inside, e.min(e.sub(place.value, 1), count - 1), 0);
  const kernel = DTYPE_INFO[x.dtype].compute;
  const counted = e.where(
    inside,
    weight === null ? e.scalar(1, kernel, value) : computeValue(cast(reshape(weight.detach(), [-1]), kernel)),
    0,
  );
  let hist = launchScatter('add', filled([count], 0, kernel, x.device), 0, wrap(index), wrap(counted));
  if (density) hist = hist.div(hist.sum()).div(narrow(edges, 0, 1, count).sub(narrow(edges, 0, 0, count)));
  return [cast(hist, x.dtype), edges];
}

/** low + (high − low) i / bins, from both ends, as torch.linspace does. */
function evenEdges(flat: Tensor, bins: number, range: readonly [number, number] | null): Tensor {
  if (range !== null && range[0] > range[1])
    throw new ValueError('ERR_BINS', 'histogram: max must not be smaller than min', { op: 'histogram' });
  const value = computeValue(flat);
  const [low, high] = ends(value, range, 0.5, [0, 1]);
  const step = e.div(e.sub(high, low), bins);
  const index = indexValue([bins + 1], 0, flat.device);
  const fromEnd = e.cast(e.sub(e.scalar(bins, 'int32', index), index), value.dtype);
  const fromStart = e.add(low, e.mul(step, e.cast(index, value.dtype)));
  return wrap(e.where(e.lt(index, (bins + 1) >> 1), fromStart, e.sub(high, e.mul(step, fromEnd))));
}
