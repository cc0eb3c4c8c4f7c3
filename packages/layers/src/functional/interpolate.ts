/** @file Resizing: each output place reads a few input places along each dim in turn, with weights that are worked out on the host. */
import {
  checkOptions,
  type OptionNames,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  ShapeError,
  tensor,
  type Tensor,
  ValueError,
} from '@tessera/core';
import { type AntialiasMode, resizeAntialiased } from './antialias.js';

const INTERPOLATE_OPTIONS: OptionNames<InterpolateOptions> = {
  size: true,
  scaleFactor: true,
  mode: true,
  alignCorners: true,
  recomputeScaleFactor: true,
  antialias: true,
};
const UPSAMPLE_BILINEAR_OPTIONS: OptionNames<Pick<InterpolateOptions, 'size' | 'scaleFactor'>> = { size: true, scaleFactor: true };

export type InterpolateMode = 'nearest' | 'nearest-exact' | 'linear' | 'bilinear' | 'bicubic' | 'trilinear' | 'area';

export interface InterpolateOptions {
  /** The spatial sizes of the output, or one for all. Either this or `scaleFactor`. */
  readonly size?: number | readonly number[] | null;
  /** Factors of the spatial sizes, or one for all; the output sizes are rounded down. */
  readonly scaleFactor?: number | readonly number[] | null;
  /** Default 'nearest'. */
  readonly mode?: InterpolateMode;
  /** The centres of the corner elements meet, rather than the corners' edges. For linear and cubic modes only. Default false. */
  readonly alignCorners?: boolean | null;
  /** Works out the scale again from the rounded output sizes, rather than using the given one. */
  readonly recomputeScaleFactor?: boolean | null;
  /**
   * Where the input shrinks, each output place is a mean of all that it stands for, as image libraries do, rather than of its nearest neighbours.
   * For 'bilinear' and 'bicubic' only. Default false.
   */
  readonly antialias?: boolean;
}

/** The rank that each mode is for; 0: any. */
const RANKS: Readonly<Record<InterpolateMode, number>> = {
  nearest: 0,
  'nearest-exact': 0,
  area: 0,
  linear: 3,
  bilinear: 4,
  bicubic: 4,
  trilinear: 5,
};

/** What one dim of the output reads: for each tap, an input place and a weight for each output place. Without weights there is one tap. */
interface Axis {
  readonly places: readonly Int32Array[];
  readonly weights: readonly Float64Array[] | null;
}

const round32 = Math.fround;

/** How far the input moves for a step of the output. PyTorch: area_pixel_compute_scale. */
function stepOf(length: number, out: number, align: boolean, scale: number | null): number {
  if (align) return out > 1 ? round32((length - 1) / (out - 1)) : 0;
  return round32(scale !== null && scale > 0 ? 1 / scale : length / out);
}

/** Where the centre of an output place lies in the input. PyTorch: area_pixel_compute_source_index. */
function source(o: number, step: number, align: boolean, cubic: boolean): number {
  if (align) return round32(step * o);
  const at = round32(round32(step * (o + 0.5)) - 0.5);
  return at < 0 && !cubic ? 0 : at;
}

function nearestAxis(length: number, out: number, scale: number | null, exact: boolean): Axis {
  const step = stepOf(length, out, false, scale);
  return {
    places: [Int32Array.from({ length: out }, (_, o) => Math.min(Math.floor(round32((exact ? o + 0.5 : o) * step)), length - 1))],
    weights: null,
  };
}

function linearAxis(length: number, out: number, align: boolean, scale: number | null): Axis {
  const step = stepOf(length, out, align, scale);
  const at = Array.from({ length: out }, (_, o) => source(o, step, align, false));
  const low = Int32Array.from(at, (x) => Math.min(Math.floor(x), length - 1));
  const part = Float64Array.from(at, (x, o) => Math.min(Math.max(round32(x - low[o]!), 0), 1));
  return { places: [low, low.map((i) => Math.min(i + 1, length - 1))], weights: [part.map((w) => 1 - w), part] };
}

/** Keys's cubic convolution (1981) with A = −0.75. */
function cubicAxis(length: number, out: number, align: boolean, scale: number | null): Axis {
  const A = -0.75;
  const step = stepOf(length, out, align, scale);
  const at = Array.from({ length: out }, (_, o) => source(o, step, align, true));
  const near = (x: number): number => ((A + 2) * x - (A + 3)) * x * x + 1;
  const far = (x: number): number => ((A * x - 5 * A) * x + 8 * A) * x - 4 * A;
  const t = at.map((x) => round32(x - Math.floor(x)));
  const places = [-1, 0, 1, 2].map((k) => Int32Array.from(at, (x) => Math.min(Math.max(Math.floor(x) + k, 0), length - 1)));
  return {
    places,
    weights: [(x: number) => far(x + 1), near, (x: number) => near(1 - x), (x: number) => far(2 - x)].map((weight) =>
      Float64Array.from(t, weight),
    ),
  };
}

/** One dim resized: as many gathers as there are taps, and one pointwise program. */
function alongAxis(x: Tensor, dim: number, { places, weights }: Axis): Tensor {
  const pick = (k: number): Tensor => x.indexSelect(dim, tensor(places[k]!, { device: x.device }));
  if (weights === null) return pick(0);
  const after = x.shape.slice(dim + 1).map(() => 1);
  const weighted = (k: number): Tensor =>
    pick(k).mul(tensor(weights[k]!, { dtype: x.dtype, device: x.device }).reshape([weights[k]!.length, ...after]));
  let sum = weighted(0);
  for (let k = 1; k < places.length; k++) sum = sum.add(weighted(k));
  return sum;
}

function fail(why: string, x: Tensor): never {
  throw new ValueError('ERR_INTERPOLATE', `interpolate: ${why}`, { op: 'interpolate', shapes: [x.shape] });
}

function each<T>(given: T | readonly T[], n: number, name: string, x: Tensor): readonly T[] {
  const list = Array.isArray(given) ? (given as readonly T[]) : new Array<T>(n).fill(given as T);
  if (list.length !== n)
    fail(
      `Input and output must have the same number of spatial dimensions, but got input with spatial dimensions of [${x.shape.slice(2).join(', ')}] and ${name} of [${list.join(', ')}]`,
      x,
    );
  return list;
}

/** The output sizes, and the factors that positions are worked out with (null: from the sizes). */
function sizesOf(x: Tensor, o: InterpolateOptions): { out: readonly number[]; scales: readonly (number | null)[] } {
  const n = x.ndim - 2;
  const size = o.size ?? null;
  const factor = o.scaleFactor ?? null;
  if (size !== null && factor !== null) fail('only one of size or scale_factor should be defined', x);
  if (size !== null) {
    if (o.recomputeScaleFactor === true) fail('recompute_scale_factor is not meaningful with an explicit size.', x);
    return { out: each(size, n, 'output size', x), scales: new Array<null>(n).fill(null) };
  }
  if (factor === null) fail('either size or scale_factor should be defined', x);
  const scales = each<number>(factor!, n, 'scale factors', x);
  const out = scales.map((s, i) => Math.floor(x.shape[i + 2]! * s));
  return { out, scales: o.recomputeScaleFactor === true ? scales.map(() => null) : scales };
}

/**
 * Resizes the spatial dims of x (N, C, L), (N, C, H, W) or (N, C, D, H, W). 'linear', 'bilinear' and 'trilinear' are for 3, 4 and 5 dims,
 * 'bicubic' for 4. PyTorch: F.interpolate.
 *
 * @throws ValueError `ERR_INTERPOLATE`; ShapeError `ERR_INTERPOLATE_SIZE`; NotSupportedError `ERR_ANTIALIAS` for antialiased integers.
 * @example interpolate(digits, { size: [28, 28], mode: 'bilinear' })
 */
export function interpolate(x: Tensor, options: InterpolateOptions = {}): Tensor {
  checkOptions('interpolate', options, INTERPOLATE_OPTIONS);
  const mode = options.mode ?? 'nearest';
  const align = options.alignCorners ?? null;
  if (!Object.hasOwn(RANKS, mode)) fail(`Input Error: mode must be one of ${Object.keys(RANKS).join(', ')}, not '${String(mode)}'`, x);
  if (x.ndim < 3 || x.ndim > 5) fail(`Input Error: Only 3D, 4D and 5D input Tensors supported (got ${x.ndim}D)`, x);
  if (align !== null && RANKS[mode] === 0)
    fail('align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear', x);
  if (RANKS[mode] !== 0 && RANKS[mode] !== x.ndim) fail(`Got ${x.ndim}D input, but ${mode} mode needs ${RANKS[mode]}D input`, x);
  const { out, scales } = sizesOf(x, options);
  const antialias = options.antialias === true;
  if (antialias && mode !== 'bilinear' && mode !== 'bicubic')
    fail('Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as input', x);
  const sizes = x.shape.slice(2);
  if (sizes.some((s) => s < 1) || out.some((s) => !Number.isInteger(s) || s < 1)) {
    throw new ShapeError(
      'ERR_INTERPOLATE_SIZE',
      `interpolate: Input and output sizes should be greater than 0, but got input [${sizes.join(', ')}] and output [${out.join(', ')}]`,
      { op: 'interpolate', shapes: [x.shape, out] },
    );
  }
  if (mode === 'area') return [adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d][x.ndim - 3]!(x, out);
  if (antialias) return resizeAntialiased(x, mode as AntialiasMode, out, align === true, scales);
  let y = x;
  for (let i = sizes.length - 1; i >= 0; i--) {
    const length = sizes[i]!;
    const scale = scales[i]!;
    if (mode === 'nearest' || mode === 'nearest-exact')
      y = alongAxis(y, i + 2, nearestAxis(length, out[i]!, scale, mode === 'nearest-exact'));
    else if (mode === 'bicubic') y = alongAxis(y, i + 2, cubicAxis(length, out[i]!, align === true, scale));
    else y = alongAxis(y, i + 2, linearAxis(length, out[i]!, align === true, scale));
  }
  return y;
}

/** PyTorch: F.upsample, another name of {@link interpolate}. */
export const upsample: typeof interpolate = interpolate;
/** {@link interpolate} with 'nearest'. PyTorch: F.upsample_nearest. */
export const upsampleNearest = (x: Tensor, options: Pick<InterpolateOptions, 'size' | 'scaleFactor'> = {}): Tensor =>
  interpolate(x, { ...checkOptions('upsampleNearest', options, UPSAMPLE_BILINEAR_OPTIONS), mode: 'nearest' });
/** {@link interpolate} with 'bilinear' and aligned corners. PyTorch: F.upsample_bilinear. */
export const upsampleBilinear = (x: Tensor, options: Pick<InterpolateOptions, 'size' | 'scaleFactor'> = {}): Tensor =>
  interpolate(x, { ...checkOptions('upsampleBilinear', options, UPSAMPLE_BILINEAR_OPTIONS), mode: 'bilinear', alignCorners: true });
