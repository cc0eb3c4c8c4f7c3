/** @file Elements in another order or several times over. */
import { IndexError, ShapeError, ValueError } from '../errors.js';
import { normalizeDim, normalizeDims, numelOf, type Sizes } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { inMemory, relabel } from '../tensor/value.js';
import { cat } from './cat.js';
import { fromHost } from './creation.js';
import { indexSelect } from './gather.js';
import { OPS } from './registry.js';
import { attach, recording, wrap } from './result.js';
import { clone, expand, narrow, reshape, transpose, unsqueeze } from './view.js';
import { checkOptions, type OptionNames } from '../options.js';

const REPEAT_INTERLEAVE_OPTIONS: OptionNames<RepeatInterleaveOptions> = { outputSize: true };

const listOf = (sizes: Sizes): readonly number[] =>
  sizes.length === 1 && Array.isArray(sizes[0]) ? (sizes[0] as readonly number[]) : (sizes as readonly number[]);

OPS.set('flip', { name: 'flip', inputs: 1, differentiable: true });
/** The order of the entries turned round along dims. A copy. PyTorch: torch.flip. */
export function flip(x: Tensor, ...dims: Sizes): Tensor {
  const turned = normalizeDims(listOf(dims), x.ndim, 'flip').filter((d) => d < x.ndim);
  const strides = [...x.stride()];
  let offset = x.offset;
  for (const d of turned) {
    offset += Math.max(x.shape[d]! - 1, 0) * strides[d]!;
    strides[d] = -strides[d]!;
  }
  const numel = x.numel();
  const seen = numel === 0 ? x.value : inMemory(x.storage.memory(), x.shape, numel, strides, offset, false);
  const out = wrap(relabel(seen, x.shape, x.dtype));
  if (recording(x)) attach(out, 'FlipBackward0', [x], (grad) => [flip(grad, turned)]);
  return out;
}
/** Columns in reverse order. PyTorch: torch.fliplr. */
export function fliplr(x: Tensor): Tensor {
  if (x.ndim < 2) throw new ShapeError('ERR_RANK', 'fliplr: Input must be >= 2-d.', { op: 'fliplr', shapes: [x.shape] });
  return flip(x, 1);
}
/** Rows in reverse order. PyTorch: torch.flipud. */
export function flipud(x: Tensor): Tensor {
  if (x.ndim < 1) throw new ShapeError('ERR_RANK', 'flipud: Input must be >= 1-d.', { op: 'flipud', shapes: [x.shape] });
  return flip(x, 0);
}

/** Turned by k quarters in the plane of two dims, from the first to the second. PyTorch: torch.rot90. */
export function rot90(x: Tensor, k = 1, dims: readonly number[] = [0, 1]): Tensor {
  if (dims.length !== 2)
    throw new ValueError('ERR_ROT90', `rot90: expected total rotation dims == 2, but got dims = ${dims.length}`, { op: 'rot90' });
  if (x.ndim < 2)
    throw new ShapeError('ERR_RANK', `rot90: expected total dims >= 2, but got total dims = ${x.ndim}`, { op: 'rot90', shapes: [x.shape] });
  if (dims[0] === dims[1] || Math.abs(dims[0]! - dims[1]!) === x.ndim)
    throw new ValueError('ERR_ROT90', `rot90: expected rotation dims to be different, but got dim0 = ${dims[0]} and dim1 = ${dims[1]}`, {
      op: 'rot90',
    });
  const [a, b] = normalizeDims(dims, x.ndim, 'rot90') as [number, number];
  switch (((k % 4) + 4) % 4) {
    case 1:
      return clone(transpose(flip(x, b), a, b));
    case 2:
      return flip(x, [a, b]);
    case 3:
      return clone(transpose(flip(x, a), a, b));
    default:
      return clone(x);
  }
}

/** Entries moved on by `shifts` along `dims`, those that fall off coming in at the start; without dims, of the flattened tensor. PyTorch: torch.roll. */
export function roll(x: Tensor, shifts: number | readonly number[], dims?: number | readonly number[] | null): Tensor {
  const by = typeof shifts === 'number' ? [shifts] : shifts;
  const along = dims === undefined || dims === null ? [] : typeof dims === 'number' ? [dims] : dims;
  if (by.length === 0) throw new ValueError('ERR_ROLL', 'roll: `shifts` required', { op: 'roll' });
  if (along.length === 0 && by.length === 1)
    return x.numel() === 0 ? clone(x) : reshape(rollDim(reshape(x, [x.numel()]), by[0]!, 0), x.shape);
  if (along.length !== by.length)
    throw new ValueError('ERR_ROLL', `roll: shifts and dimensions must align. shifts: ${by.length}, dims:${along.length}`, { op: 'roll' });
  const places = along.map((d) => normalizeDim(d, x.ndim, 'roll'));
  if (x.ndim === 0) throw new IndexError('ERR_DIM_RANGE', 'roll: Dimension specified as 0 but tensor has no dimensions', { op: 'roll' });
  return places.reduce((t, d, i) => rollDim(t, by[i]!, d), x);
}

function rollDim(x: Tensor, shift: number, d: number): Tensor {
  const size = x.shape[d]!;
  const start = size === 0 ? 0 : ((-shift % size) + size) % size;
  return start === 0 ? clone(x) : cat([narrow(x, d, start, size - start), narrow(x, d, 0, start)], d);
}

/** The whole tensor several times along each dim; more repeats than dims make new ones in front. PyTorch: Tensor.repeat. */
export function repeat(x: Tensor, ...repeats: Sizes): Tensor {
  const times = listOf(repeats);
  if (times.length < x.ndim)
    throw new ShapeError(
      'ERR_REPEAT',
      `repeat: Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor: ${times.length} and ${x.ndim}`,
      { op: 'repeat', shapes: [x.shape] },
    );
  if (times.some((n) => !Number.isInteger(n) || n < 0))
    throw new ValueError('ERR_REPEAT', `repeat: Trying to create tensor with negative dimension: repeats are [${times.join(', ')}]`, {
      op: 'repeat',
    });
  const shape = [...new Array<number>(times.length - x.ndim).fill(1), ...x.shape];
  const out = shape.map((s, d) => s * times[d]!);
  // (s₀, s₁) repeated (r₀, r₁) times is (r₀, s₀, r₁, s₁): one copy of a view with strides 0.
  const spread = reshape(
    x,
    shape.flatMap((s) => [1, s]),
  );
  return reshape(
    clone(
      expand(
        spread,
        shape.flatMap((s, d) => [times[d]!, s]),
      ),
    ),
    out,
  );
}
/** As `repeat`, fewer repeats than dims standing for the last ones. PyTorch: torch.tile. */
export function tile(x: Tensor, ...dims: Sizes): Tensor {
  const times = listOf(dims);
  return repeat(x, [...new Array<number>(Math.max(x.ndim - times.length, 0)).fill(1), ...times]);
}

export interface RepeatInterleaveOptions {
  /** The size of the result along the dim; it is not needed here, and checked where it is given. */
  readonly outputSize?: number | null;
}

/**
 * Each entry along a dim several times in a row; without a dim, of the flattened tensor. A tensor of repeats is read; `repeatInterleaveAsync`
 * works on every device. Of a tensor alone: its own values as repeats of 0, 1, 2, … PyTorch: torch.repeat_interleave.
 */
export function repeatInterleave(x: Tensor, repeats?: number | Tensor, dim?: number | null, options: RepeatInterleaveOptions = {}): Tensor {
  checkOptions('repeatInterleave', options, REPEAT_INTERLEAVE_OPTIONS);
  if (repeats === undefined) return indicesOf(x, x.detach().data(), options);
  if (typeof repeats === 'number') return interleaveByNumber(x, repeats, dim);
  const [source, d] = along(x, dim);
  return interleaveBy(source, indicesOf(repeats, spreadTo(repeats, repeats.detach().data(), source.shape[d]!), options), repeats, d);
}
/** The same on every device. */
export async function repeatInterleaveAsync(
  x: Tensor,
  repeats?: number | Tensor,
  dim?: number | null,
  options: RepeatInterleaveOptions = {},
): Promise<Tensor> {
  checkOptions('repeatInterleaveAsync', options, REPEAT_INTERLEAVE_OPTIONS);
  if (repeats === undefined) return indicesOf(x, await x.detach().dataAsync(), options);
  if (typeof repeats === 'number') return interleaveByNumber(x, repeats, dim);
  const [source, d] = along(x, dim);
  return interleaveBy(
    source,
    indicesOf(repeats, spreadTo(repeats, await repeats.detach().dataAsync(), source.shape[d]!), options),
    repeats,
    d,
  );
}

function along(x: Tensor, dim: number | null | undefined): [Tensor, number] {
  return dim === undefined || dim === null
    ? [reshape(x, [x.numel()]), 0]
    : [x.ndim === 0 ? reshape(x, [1]) : x, normalizeDim(dim, x.ndim, 'repeatInterleave')];
}

function interleaveByNumber(x: Tensor, repeats: number, dim: number | null | undefined): Tensor {
  if (!(Number.isInteger(repeats) && repeats >= 0))
    throw new ValueError('ERR_REPEAT', `repeatInterleave: Repeats must be non-negative, but are ${repeats}`, { op: 'repeatInterleave' });
  const [source, d] = along(x, dim);
  const wide = [...source.shape.slice(0, d + 1), repeats, ...source.shape.slice(d + 1)];
  const shape = source.shape.map((s, k) => (k === d ? s * repeats : s));
  return numelOf(shape) === 0
    ? reshape(clone(expand(unsqueeze(source, d + 1), wide)), shape)
    : reshape(expand(unsqueeze(source, d + 1), wide), shape);
}

const spreadTo = (repeats: Tensor, data: ArrayLike<number>, size: number): ArrayLike<number> =>
  repeats.numel() === 1 ? new Array<number>(size).fill(data[0]!) : data;

function interleaveBy(source: Tensor, index: Tensor, repeats: Tensor, d: number): Tensor {
  if (repeats.ndim > 1)
    throw new ShapeError('ERR_REPEAT', `repeatInterleave: repeats must be 0-dim or 1-dim tensor, but has ${repeats.ndim} dims`, {
      op: 'repeatInterleave',
      shapes: [repeats.shape],
    });
  if (repeats.numel() !== 1 && repeats.numel() !== source.shape[d])
    throw new ShapeError('ERR_REPEAT', 'repeatInterleave: repeats must have the same size as input along dim', {
      op: 'repeatInterleave',
      shapes: [source.shape, repeats.shape],
    });
  return indexSelect(source, d, index);
}

function indicesOf(repeats: Tensor, data: ArrayLike<number>, options: RepeatInterleaveOptions): Tensor {
  if (repeats.ndim > 1)
    throw new ShapeError('ERR_REPEAT', 'repeatInterleave: repeat_interleave only accept 1D vector as repeat', {
      op: 'repeatInterleave',
      shapes: [repeats.shape],
    });
  if (repeats.isFloatingPoint() || repeats.dtype === 'bool')
    throw new ValueError('ERR_DTYPE', 'repeatInterleave: repeats has to be Long or Int tensor', {
      op: 'repeatInterleave',
      dtypes: [repeats.dtype],
    });
  const index: number[] = [];
  for (let i = 0; i < data.length; i++) {
    if (data[i]! < 0) throw new ValueError('ERR_REPEAT', 'repeatInterleave: repeats can not be negative', { op: 'repeatInterleave' });
    for (let n = 0; n < data[i]!; n++) index.push(i);
  }
  if (options.outputSize !== undefined && options.outputSize !== null && options.outputSize !== index.length) {
    throw new ValueError(
      'ERR_REPEAT',
      `repeatInterleave: allocated size does not match required size: ${options.outputSize} and ${index.length}`,
      { op: 'repeatInterleave' },
    );
  }
  return fromHost(index, [index.length], 'int32', repeats.device);
}
