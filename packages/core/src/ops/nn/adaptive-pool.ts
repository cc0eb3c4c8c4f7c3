/**
 * @file Pooling to a given size. Output place o of a dim takes the input from ⌊o·L/O⌋ to ⌈(o+1)·L/O⌉: where O divides L that is plain
 * pooling; else the windows differ in length, and are gathered, the short ones filled up.
 */
import { ShapeError, ValueError } from '../../errors.js';
import { contiguousStrides, numelOf, type Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { fromHost } from '../creation.js';
import { zerosOf } from '../fill.js';
import { cast } from '../cast.js';
import { OPS } from '../registry.js';
import { permute, reshape } from '../view.js';
import { avgPool1d, avgPool2d, avgPool3d } from './avg-pool.js';
import { listed } from './geometry.js';
import { maxPool1d, maxPool2d, maxPool3d } from './max-pool.js';
import { batchOfPlanes, unbatch } from './pool-window.js';
import { checkOptions, type OptionNames } from '../../options.js';

const ADAPTIVE_MAX_POOL_OPTIONS: OptionNames<AdaptiveMaxPoolOptions> = { returnIndices: true };

/** One size for all spatial dims, or one for each; null keeps the input's. */
export type AdaptiveSize = number | null | readonly (number | null)[];

/** The windows of one dim: for each output place, `width` places of the input, those past the window's end repeating its last. */
interface AxisWindows {
  readonly places: Int32Array;
  readonly counts: Float32Array;
  readonly width: number;
}

function axisWindows(length: number, out: number): AxisWindows {
  const start = (o: number): number => Math.floor((o * length) / out);
  const end = (o: number): number => Math.ceil(((o + 1) * length) / out);
  const counts = Float32Array.from({ length: out }, (_, o) => end(o) - start(o));
  const width = counts.reduce((a, b) => Math.max(a, b), 0);
  const places = Int32Array.from({ length: out * width }, (_, i) =>
    Math.min(start(Math.floor(i / width)) + (i % width), end(Math.floor(i / width)) - 1),
  );
  return { places, counts, width };
}

function outputSize(op: string, n: number, input: Tensor, size: AdaptiveSize): Shape {
  const list = typeof size === 'number' || size === null ? new Array<number | null>(n).fill(size) : size;
  if (list.length !== n) throw new ValueError('ERR_POOL_OUTPUT', `${op}: output_size must be ${n} numbers, but has ${list.length}`, { op });
  if (input.ndim !== n + 1 && input.ndim !== n + 2)
    throw new ShapeError('ERR_POOL_RANK', `${op}: Expected ${n + 1}D or ${n + 2}D tensor, but got ${listed(input.shape)}`, {
      op,
      shapes: [input.shape],
    });
  const out = list.map((s, i) => s ?? input.shape[input.ndim - n + i]!);
  for (const s of out)
    if (!Number.isInteger(s) || s < 0)
      throw new ValueError(
        'ERR_POOL_OUTPUT',
        `${op}: elements of output_size must be greater than or equal to 0 but received ${listed(out)}`,
        { op },
      );
  return out;
}

const divides = (sizes: Shape, out: Shape): boolean => sizes.every((s, i) => s % out[i]! === 0);

/** Windows of x (N, C, …) gathered: (N, C, O1, W1, O2, W2, …). */
function gathered(x: Tensor, windows: readonly AxisWindows[]): Tensor {
  let y = x;
  windows.forEach(({ places }, i) => (y = y.indexSelect(2 + i, fromHost(places, [places.length], 'int32', x.device))));
  return reshape(y, [...x.shape.slice(0, 2), ...windows.flatMap(({ counts, width }) => [counts.length, width])]);
}

const AVG = [avgPool1d, avgPool2d, avgPool3d] as const;
const MAX = [maxPool1d, maxPool2d, maxPool3d] as const;

function adaptiveAvg(op: string, n: 1 | 2 | 3, input: Tensor, size: AdaptiveSize): Tensor {
  const out = outputSize(op, n, input, size);
  const x = batchOfPlanes(op, n, input);
  const sizes = x.shape.slice(2);
  if (numelOf(out) === 0) return unbatch(zerosOf(x, [...x.shape.slice(0, 2), ...out]), input);
  if (divides(sizes, out))
    return AVG[n - 1]!(
      input,
      sizes.map((s, i) => s / out[i]!),
    );
  const windows = sizes.map((s, i) => axisWindows(s, out[i]!));
  let each = gathered(x, windows);
  // What fills up the short windows does not count.
  windows.forEach(({ counts, width }, i) => {
    const shape = each.shape.map((_, d) => (d === 2 + 2 * i ? counts.length : d === 3 + 2 * i ? width : 1));
    const extra = Uint8Array.from({ length: counts.length * width }, (_, k) => Number(k % width >= counts[Math.floor(k / width)]!));
    if (extra.some((e) => e !== 0)) each = each.maskedFill(fromHost(extra, shape, 'bool', x.device), 0);
  });
  const total = each.sum(windows.map((_, i) => 3 + 2 * i));
  let divisor = new Float32Array([1]);
  for (const { counts } of windows)
    divisor = Float32Array.from(
      { length: divisor.length * counts.length },
      (_, k) => divisor[Math.floor(k / counts.length)]! * counts[k % counts.length]!,
    );
  return unbatch(total.div(cast(fromHost(divisor, out, 'float32', x.device), x.dtype)), input);
}

function adaptiveMax(op: string, n: 1 | 2 | 3, input: Tensor, size: AdaptiveSize): [Tensor, Tensor] {
  const out = outputSize(op, n, input, size);
  const x = batchOfPlanes(op, n, input);
  const sizes = x.shape.slice(2);
  const shape = [...x.shape.slice(0, 2), ...out];
  if (numelOf(shape) === 0) return [unbatch(zerosOf(x, shape), input), unbatch(cast(zerosOf(x, shape), 'int32'), input)];
  if (divides(sizes, out))
    return MAX[n - 1]!(
      input,
      sizes.map((s, i) => s / out[i]!),
      { returnIndices: true },
    );
  const windows = sizes.map((s, i) => axisWindows(s, out[i]!));
  // Repeated places come after the first: the first among equals is inside the window.
  const order = [0, 1, ...windows.map((_, i) => 2 + 2 * i), ...windows.map((_, i) => 3 + 2 * i)];
  const grouped = (y: Tensor): Tensor => reshape(permute(y, order), [...y.shape.slice(0, 2), ...out, -1]);
  const place = grouped(gathered(x.detach(), windows)).argmax(-1, { keepdim: true });
  const strides = contiguousStrides(sizes);
  let flat = new Int32Array([0]);
  windows.forEach(({ places }, i) => {
    flat = Int32Array.from(
      { length: flat.length * places.length },
      (_, k) => flat[Math.floor(k / places.length)]! + places[k % places.length]! * strides[i]!,
    );
  });
  const planePlaces = fromHost(flat, [1, 1, ...windows.flatMap(({ counts, width }) => [counts.length, width])], 'int32', x.device);
  const inPlane = grouped(planePlaces)
    .expand([...shape, -1])
    .gather(-1, place);
  const indices = reshape(inPlane, shape);
  const lead = shape.slice(0, 2);
  const values = reshape(reshape(x, [...lead, numelOf(sizes)]).gather(2, reshape(indices, [...lead, numelOf(out)])), shape);
  return [unbatch(values, input), unbatch(indices, input)];
}

for (const n of [1, 2, 3]) {
  OPS.set(`adaptiveAvgPool${n}d`, { name: `adaptiveAvgPool${n}d`, inputs: 1, differentiable: true });
  OPS.set(`adaptiveMaxPool${n}d`, { name: `adaptiveMaxPool${n}d`, inputs: 1, differentiable: true });
}

/** Means over (N, C, L) or (C, L) so that `outputSize` are left. PyTorch: F.adaptive_avg_pool1d. @throws ValueError `ERR_POOL_OUTPUT` */
export const adaptiveAvgPool1d = (input: Tensor, outputSize: AdaptiveSize): Tensor =>
  adaptiveAvg('adaptiveAvgPool1d', 1, input, outputSize);
/** As {@link adaptiveAvgPool1d} over (N, C, H, W) or (C, H, W). PyTorch: F.adaptive_avg_pool2d. @example adaptiveAvgPool2d(x, [null, 7]) */
export const adaptiveAvgPool2d = (input: Tensor, outputSize: AdaptiveSize): Tensor =>
  adaptiveAvg('adaptiveAvgPool2d', 2, input, outputSize);
/** As {@link adaptiveAvgPool1d} over (N, C, D, H, W) or (C, D, H, W). PyTorch: F.adaptive_avg_pool3d. */
export const adaptiveAvgPool3d = (input: Tensor, outputSize: AdaptiveSize): Tensor =>
  adaptiveAvg('adaptiveAvgPool3d', 3, input, outputSize);

export interface AdaptiveMaxPoolOptions {
  /** Also give where each maximum lies in its plane (int32, row-major). Default false. */
  readonly returnIndices?: boolean;
}
type WithIndices = { readonly returnIndices: true };
type WithoutIndices = { readonly returnIndices?: false };

/** Maxima over (N, C, L) or (C, L) so that `outputSize` are left. PyTorch: F.adaptive_max_pool1d. @throws ValueError `ERR_POOL_OUTPUT` */
export function adaptiveMaxPool1d(input: Tensor, outputSize: AdaptiveSize, options: WithIndices): [Tensor, Tensor];
export function adaptiveMaxPool1d(input: Tensor, outputSize: AdaptiveSize, options?: WithoutIndices): Tensor;
export function adaptiveMaxPool1d(input: Tensor, outputSize: AdaptiveSize, options?: AdaptiveMaxPoolOptions): Tensor | [Tensor, Tensor];
export function adaptiveMaxPool1d(
  input: Tensor,
  outputSize: AdaptiveSize,
  options: AdaptiveMaxPoolOptions = {},
): Tensor | [Tensor, Tensor] {
  checkOptions('adaptiveMaxPool1d', options, ADAPTIVE_MAX_POOL_OPTIONS);
  const both = adaptiveMax('adaptiveMaxPool1d', 1, input, outputSize);
  return options.returnIndices === true ? both : both[0];
}

/** As {@link adaptiveMaxPool1d} over (N, C, H, W) or (C, H, W). PyTorch: F.adaptive_max_pool2d. */
export function adaptiveMaxPool2d(input: Tensor, outputSize: AdaptiveSize, options: WithIndices): [Tensor, Tensor];
export function adaptiveMaxPool2d(input: Tensor, outputSize: AdaptiveSize, options?: WithoutIndices): Tensor;
export function adaptiveMaxPool2d(input: Tensor, outputSize: AdaptiveSize, options?: AdaptiveMaxPoolOptions): Tensor | [Tensor, Tensor];
export function adaptiveMaxPool2d(
  input: Tensor,
  outputSize: AdaptiveSize,
  options: AdaptiveMaxPoolOptions = {},
): Tensor | [Tensor, Tensor] {
  checkOptions('adaptiveMaxPool2d', options, ADAPTIVE_MAX_POOL_OPTIONS);
  const both = adaptiveMax('adaptiveMaxPool2d', 2, input, outputSize);
  return options.returnIndices === true ? both : both[0];
}

/** As {@link adaptiveMaxPool1d} over (N, C, D, H, W) or (C, D, H, W). PyTorch: F.adaptive_max_pool3d. */
export function adaptiveMaxPool3d(input: Tensor, outputSize: AdaptiveSize, options: WithIndices): [Tensor, Tensor];
export function adaptiveMaxPool3d(input: Tensor, outputSize: AdaptiveSize, options?: WithoutIndices): Tensor;
export function adaptiveMaxPool3d(input: Tensor, outputSize: AdaptiveSize, options?: AdaptiveMaxPoolOptions): Tensor | [Tensor, Tensor];
export function adaptiveMaxPool3d(
  input: Tensor,
  outputSize: AdaptiveSize,
  options: AdaptiveMaxPoolOptions = {},
): Tensor | [Tensor, Tensor] {
  checkOptions('adaptiveMaxPool3d', options, ADAPTIVE_MAX_POOL_OPTIONS);
  const both = adaptiveMax('adaptiveMaxPool3d', 3, input, outputSize);
  return options.returnIndices === true ? both : both[0];
}
