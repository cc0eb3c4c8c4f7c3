/**
 * @file x[…] and its kin: `at`, `setAt_`, masks, and where elements are not 0. What needs values to know a shape reads them, and has an `…Async`
 * form for devices that cannot be read synchronously.
 */
import { asWidest } from '../amp/policy.js';
import { autocasting } from '../amp/state.js';
import { DTypeError, IndexError, ShapeError, ValueError } from '../errors.js';
import type { HostArray } from '../tensor/host.js';
import { broadcastShapes, normalizeDim, numelOf, type Shape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { indexBy, indexPutBy, isMask, replaceMasks, type TensorIndices } from './advanced-index.js';
import { cast } from './cast.js';
import { fromHost } from './creation.js';
import type { Operand } from './define.js';
import { e } from './expression.js';
import { filled } from './fill.js';
import { gather, indexSelect } from './gather.js';
import { assign, forInPlace } from './in-place.js';
import { type Index, parseIndices } from './index-arguments.js';
import { unbind } from './joining.js';
import { wrap } from './result.js';
import { clone, expand, reshape } from './view.js';
import { choose } from './where.js';
import { checkOptions, type OptionNames } from '../options.js';

const NONZERO_OPTIONS: OptionNames<{ readonly asTuple?: boolean }> = { asTuple: true };
const NONZERO_STATIC_OPTIONS: OptionNames<NonzeroStaticOptions> = { size: true, fillValue: true };
const INDEX_PUT_OPTIONS: OptionNames<IndexPutOptions> = { accumulate: true };

// ── where elements are not 0 ──

/** The places of the elements that are not 0, in row-major order, as (count, rank) int32. */
function placesOf(data: HostArray, x: Tensor): Tensor {
  const { shape } = x;
  const rank = shape.length;
  const places: number[] = [];
  for (let i = 0; i < data.length; i++) {
    if (data[i] === 0) continue;
    const start = places.length;
    for (let d = rank - 1, rest = i; d >= 0; d--) {
      places[start + d] = rest % shape[d]!;
      rest = Math.floor(rest / shape[d]!);
    }
  }
  const count = rank === 0 ? Number(data[0] !== 0) : places.length / rank;
  return fromHost(places, [count, rank], 'int32', x.device);
}

/**
 * The places of the elements that are not 0, a row of indices for each; `asTuple` gives a tensor for each dim. Reads the elements. PyTorch: torch.nonzero.
 * @throws NotSupportedError `ERR_SYNC_READ` where the device cannot wait; use `nonzeroAsync`.
 */
export function nonzero(x: Tensor): Tensor;
export function nonzero(x: Tensor, options: { readonly asTuple: true }): Tensor[];
export function nonzero(x: Tensor, options: { readonly asTuple?: boolean } = {}): Tensor | Tensor[] {
  checkOptions('nonzero', options, NONZERO_OPTIONS);
  if (options.asTuple !== true) return placesOf(x.detach().data(), x);
  const rows = atLeast1d(x);
  return unbind(placesOf(rows.detach().data(), rows), 1);
}
/** As {@link nonzero}, on every device. */
export async function nonzeroAsync(x: Tensor): Promise<Tensor>;
export async function nonzeroAsync(x: Tensor, options: { readonly asTuple: true }): Promise<Tensor[]>;
export async function nonzeroAsync(x: Tensor, options: { readonly asTuple?: boolean } = {}): Promise<Tensor | Tensor[]> {
  checkOptions('nonzeroAsync', options, NONZERO_OPTIONS);
  if (options.asTuple !== true) return placesOf(await x.detach().dataAsync(), x);
  const rows = atLeast1d(x);
  return unbind(placesOf(await rows.detach().dataAsync(), rows), 1);
}
const atLeast1d = (x: Tensor): Tensor => (x.ndim === 0 ? reshape(x, [1]) : x);
/** The same. PyTorch: torch.argwhere. */
export const argwhere = (x: Tensor): Tensor => nonzero(x);
export const argwhereAsync = (x: Tensor): Promise<Tensor> => nonzeroAsync(x);

export interface NonzeroStaticOptions {
  /** The number of rows of the result. */
  readonly size: number;
  /** What rows that are left over hold. Default −1. */
  readonly fillValue?: number;
}
/** `nonzero` cut or filled to a known number of rows. PyTorch: torch.nonzero_static. */
export function nonzeroStatic(x: Tensor, options: NonzeroStaticOptions): Tensor {
  checkOptions('nonzeroStatic', options, NONZERO_STATIC_OPTIONS);
  return toSize(nonzero(x), options);
}
export const nonzeroStaticAsync = async (x: Tensor, options: NonzeroStaticOptions): Promise<Tensor> => {
  checkOptions('nonzeroStaticAsync', options, NONZERO_STATIC_OPTIONS);
  return toSize(await nonzeroAsync(x), options);
};
function toSize(places: Tensor, { size, fillValue = -1 }: NonzeroStaticOptions): Tensor {
  if (!(Number.isInteger(size) && size >= 0))
    throw new ValueError('ERR_SIZE', `nonzeroStatic: 'size' must be an non-negative integer, not ${size}`, { op: 'nonzeroStatic' });
  const [count, rank] = places.shape as [number, number];
  const out = filled([size, rank], fillValue, 'int32', places.device);
  const n = Math.min(size, count);
  if (n > 0 && rank > 0) out.narrow(0, 0, n).copy_(places.narrow(0, 0, n));
  return out;
}

// ── x[…] ──

/**
 * x[i, j, …]: a view where only numbers, slices, null and '...' are given; a copy where tensors pick entries. PyTorch: x[…].
 *
 * @example x.at(0); x.at(':', -1); x.at('...', '::2'); x.at(null, { start: 1, stop: 3 }); x.at(rows, columns); x.at(x.gt(0))
 * @throws IndexError `ERR_INDEX_RANGE`, `ERR_INDEX_COUNT`, `ERR_MASK_SHAPE`. A mask is read; use `atAsync` where that cannot be.
 */
export function at(x: Tensor, ...indices: readonly Index[]): Tensor {
  const parsed = parseIndices(x, indices);
  return parsed.indices.length === 0
    ? parsed.view
    : indexBy(
        parsed.view,
        replaceMasks(parsed.view, parsed.indices, (mask) => nonzero(mask)),
      );
}
/** `at` for masks on every device. */
export async function atAsync(x: Tensor, ...indices: readonly Index[]): Promise<Tensor> {
  const parsed = parseIndices(x, indices);
  return parsed.indices.length === 0 ? parsed.view : indexBy(parsed.view, await withoutMasks(parsed.view, parsed.indices));
}

async function withoutMasks(x: Tensor, indices: TensorIndices): Promise<TensorIndices> {
  const places = new Map<Tensor, Tensor>();
  for (const index of indices) if (index !== null && isMask(index)) places.set(index, await nonzeroAsync(index));
  return replaceMasks(x, indices, (mask) => places.get(mask)!);
}

/**
 * x[indices] = value, in place; the value is broadcast and converted. PyTorch: x[…] = value.
 * @example x.setAt_([0], 5); x.setAt_([':', 1], y); x.setAt_([x.lt(0)], 0)
 */
export function setAt_(x: Tensor, indices: Index | readonly Index[], value: Operand): Tensor {
  const parsed = parseIndices(x, Array.isArray(indices) ? (indices as readonly Index[]) : [indices as Index]);
  if (
    parsed.indices.length === 1 &&
    !isTensor(value) &&
    parsed.indices[0]?.dtype === 'bool' &&
    parsed.indices[0].ndim === parsed.view.ndim
  ) {
    // A number under a mask needs no reading.
    parsed.view.maskedFill_(checkMask(parsed.view, parsed.indices[0]), value);
    return x;
  }
  write(parsed.view, parsed.indices.length === 0 ? [] : replaceMasks(parsed.view, parsed.indices, (mask) => nonzero(mask)), value);
  return x;
}
/** `setAt_` for masks on every device. */
export async function setAtAsync_(x: Tensor, indices: Index | readonly Index[], value: Operand): Promise<Tensor> {
  const parsed = parseIndices(x, Array.isArray(indices) ? (indices as readonly Index[]) : [indices as Index]);
  write(parsed.view, await withoutMasks(parsed.view, parsed.indices), value);
  return x;
}

const checkMask = (x: Tensor, mask: Tensor): Tensor => (
  replaceMasks(x, [mask], () => filled([0, mask.ndim], 0, 'int32', mask.device)),
  mask
);

function write(view: Tensor, indices: TensorIndices, value: Operand): void {
  if (indices.length > 0) {
    const source = isTensor(value) ? cast(value, view.dtype) : filled([], value, view.dtype, view.device);
    indexPutInto(view, indices, source, false);
  } else if (isTensor(value)) {
    // Leading sizes of 1 too many are dropped, as in PyTorch.
    let source = value;
    while (source.ndim > view.ndim && source.shape[0] === 1) source = source.select(0, 0);
    view.copy_(source);
  } else view.fill_(value);
}

function indexPutInto(x: Tensor, indices: TensorIndices, values: Tensor, accumulate: boolean): Tensor {
  return assign(x, indexPutBy(forInPlace(x, 'indexPut_', values), indices, values, accumulate), 'indexPut_');
}

export interface IndexPutOptions {
  /** Add to what is there; entries that are named several times count each time. Default false. */
  readonly accumulate?: boolean;
}
/** A copy with x[indices] = values. `indices` has a tensor (or null) for each dim from the first on. PyTorch: torch.index_put. */
export const indexPut = (x: Tensor, indices: TensorIndices, values: Tensor, options: IndexPutOptions = {}): Tensor => {
  checkOptions('indexPut', options, INDEX_PUT_OPTIONS);
  if (autocasting.on) return asWidest(indexPut, x, indices, values, options);
  const places = replaceMasks(x, indices, (mask) => nonzero(mask));
  return indexPutBy(x, places, values, options.accumulate ?? false);
};
export const indexPut_ = (x: Tensor, indices: TensorIndices, values: Tensor, options: IndexPutOptions = {}): Tensor => {
  checkOptions('indexPut_', options, INDEX_PUT_OPTIONS);
  return indexPutInto(
    x,
    replaceMasks(x, indices, (mask) => nonzero(mask)),
    values,
    options.accumulate ?? false,
  );
};
export const indexPutAsync_ = async (x: Tensor, indices: TensorIndices, values: Tensor, options: IndexPutOptions = {}): Promise<Tensor> => {
  checkOptions('indexPutAsync_', options, INDEX_PUT_OPTIONS);
  return indexPutInto(x, await withoutMasks(x, indices), values, options.accumulate ?? false);
};

// ── by flat index ──

function requireIntegers(op: string, index: Tensor): void {
  if (index.isFloatingPoint() || index.dtype === 'bool')
    throw new DTypeError('ERR_INDEX_DTYPE', `${op}: Expected a long tensor for index, but got ${index.dtype}`, {
      op,
      dtypes: [index.dtype],
    });
}
/** Negative indices counted from the end of `size` entries. */
const wrapped = (index: Tensor, size: number): Tensor => {
  const v = cast(index.detach(), 'int32').value;
  return wrap(e.where(e.lt(v, 0), e.add(v, size), v));
};

/** The elements at places of the flattened tensor. PyTorch: torch.take. */
export function take(x: Tensor, index: Tensor): Tensor {
  requireIntegers('take', index);
  if (x.numel() === 0 && index.numel() > 0)
    throw new IndexError('ERR_INDEX_RANGE', 'take: tried to take from an empty tensor', { op: 'take', shapes: [x.shape, index.shape] });
  return reshape(indexSelect(reshape(x, [x.numel()]), 0, reshape(wrapped(index, x.numel()), [index.numel()])), index.shape);
}

/** A copy with `source` at places of the flattened tensor. PyTorch: Tensor.put. */
export function put(x: Tensor, index: Tensor, source: Tensor, options: IndexPutOptions = {}): Tensor {
  checkOptions('put', options, INDEX_PUT_OPTIONS);
  requireIntegers('put', index);
  if (source.dtype !== x.dtype)
    throw new DTypeError(
      'ERR_DTYPE_MIX',
      `put: Expected source and self to have the same dtype, but got self.dtype = ${x.dtype} and source.dtype = ${source.dtype}`,
      { op: 'put', dtypes: [x.dtype, source.dtype] },
    );
  if (index.numel() !== source.numel())
    throw new ShapeError(
      'ERR_PUT_SHAPE',
      `put: Expected source and index to have the same number of elements, but got source.numel() = ${source.numel()}, index.numel() = ${index.numel()}`,
      { op: 'put', shapes: [source.shape, index.shape] },
    );
  if (x.numel() === 0 && index.numel() > 0)
    throw new IndexError('ERR_INDEX_RANGE', 'put: tried to put elements into an empty tensor', {
      op: 'put',
      shapes: [x.shape, index.shape],
    });
  return reshape(
    indexPutBy(reshape(x, [x.numel()]), [reshape(index, [index.numel()])], reshape(source, [source.numel()]), options.accumulate ?? false),
    x.shape,
  );
}
export const put_ = (x: Tensor, index: Tensor, source: Tensor, options: IndexPutOptions = {}): Tensor => {
  checkOptions('put_', options, INDEX_PUT_OPTIONS);
  return assign(x, put(forInPlace(x, 'put_', source), index, source, options), 'put_');
};

/** `gather` with the other dims broadcast; without a dim, of the flattened tensors. PyTorch: torch.take_along_dim. */
export function takeAlongDim(x: Tensor, indices: Tensor, dim?: number | null): Tensor {
  requireIntegers('takeAlongDim', indices);
  if (dim === undefined || dim === null) return gather(reshape(x, [x.numel()]), 0, wrapped(reshape(indices, [indices.numel()]), x.numel()));
  if (x.ndim !== indices.ndim)
    throw new ShapeError(
      'ERR_GATHER_SHAPE',
      `takeAlongDim: input and indices should have the same number of dimensions, but got ${x.ndim} dimensions for input, and ${indices.ndim} dimensions for indices`,
      { op: 'takeAlongDim', shapes: [x.shape, indices.shape] },
    );
  const d = normalizeDim(dim, x.ndim, 'takeAlongDim');
  const cut = (shape: Shape): Shape => shape.map((s, k) => (k === d ? 1 : s));
  const meet = broadcastShapes(cut(x.shape), cut(indices.shape), 'takeAlongDim');
  const to = (size: number): Shape => meet.map((s, k) => (k === d ? size : s));
  return gather(expand(x, to(x.shape[d]!)), d, wrapped(expand(indices, to(indices.shape[d]!)), x.shape[d]!));
}

// ── masks ──

function requireBool(op: string, mask: Tensor): void {
  if (mask.dtype !== 'bool')
    throw new DTypeError('ERR_DTYPE', `${op}: expected BoolTensor for mask, but got ${mask.dtype}`, { op, dtypes: [mask.dtype] });
}

function selectPlaces(x: Tensor, shape: Shape, held: HostArray): Tensor {
  const places: number[] = [];
  for (let i = 0; i < held.length; i++) if (held[i] !== 0) places.push(i);
  return indexSelect(reshape(expand(x, shape), [numelOf(shape)]), 0, fromHost(places, [places.length], 'int32', x.device));
}
/** The elements where the mask holds, in row-major order; both are broadcast. Reads the mask. PyTorch: torch.masked_select. */
export function maskedSelect(x: Tensor, mask: Tensor): Tensor {
  requireBool('maskedSelect', mask);
  const shape = broadcastShapes(x.shape, mask.shape, 'maskedSelect');
  return selectPlaces(x, shape, expand(mask, shape).data());
}
export async function maskedSelectAsync(x: Tensor, mask: Tensor): Promise<Tensor> {
  requireBool('maskedSelect', mask);
  const shape = broadcastShapes(x.shape, mask.shape, 'maskedSelect');
  return selectPlaces(x, shape, await expand(mask, shape).dataAsync());
}

/**
 * Where the mask holds, the elements of `source` in order; `x` elsewhere. PyTorch: torch.masked_scatter.
 * @throws IndexError `ERR_INDEX_RANGE` when the source has too few elements.
 */
export function maskedScatter(x: Tensor, mask: Tensor, source: Tensor): Tensor {
  requireBool('maskedScatter', mask);
  if (x.dtype !== source.dtype)
    throw new DTypeError(
      'ERR_DTYPE_MIX',
      `maskedScatter: expected self and source to have same dtypes but got ${x.dtype} and ${source.dtype}`,
      { op: 'maskedScatter', dtypes: [x.dtype, source.dtype] },
    );
  const shape = broadcastShapes(x.shape, mask.shape, 'maskedScatter');
  const base = expand(x, shape);
  const n = numelOf(shape);
  if (n === 0) return clone(base);
  const flat = reshape(expand(mask, shape), [n]);
  // The kth true takes the kth element: a running count, 0 where nothing is taken.
  const order = choose(flat, cast(flat, 'int32').cumsum(0).sub(1), 0);
  if (source.numel() === 0)
    return choose(expand(mask, shape), reshape(indexSelect(reshape(base, [n]), 0, choose(flat, -1, 0).to('int32')), shape), base);
  return choose(expand(mask, shape), reshape(indexSelect(reshape(source, [source.numel()]), 0, order), shape), base);
}
export const maskedScatter_ = (x: Tensor, mask: Tensor, source: Tensor): Tensor =>
  assign(x, maskedScatter(forInPlace(x, 'maskedScatter_', source), mask, source), 'maskedScatter_');
