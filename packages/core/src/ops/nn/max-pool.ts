/** @file Max pooling over 1 to 3 spatial dims, with the places of the maxima, and its gradient. */
import type { Window } from '../../backend/contract.js';
import { DTYPE_INFO } from '../../tensor/dtype.js';
import { contiguousStrides, numelOf, type Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { indexValue, type Value } from '../../tensor/value.js';
import { cast } from '../cast.js';
import { e } from '../expression.js';
import { zerosOf } from '../fill.js';
import { amax, argmax } from '../extremes.js';
import { OPS } from '../registry.js';
import { attach, declined, emptyValue, launched, recording, viewOf, viewOfValue, wrap } from '../result.js';
import { reshape } from '../view.js';
import { outputSizes, requireOutput, type SpatialSize } from './geometry.js';
import { batchOfPlanes, type PoolWindow, poolWindow, unbatch } from './pool-window.js';
import { addWindows, placed, windowsOf } from './windows.js';
import { checkOptions, type OptionNames } from '../../options.js';

const MAX_POOL_OPTIONS: OptionNames<MaxPoolOptions> = { stride: true, padding: true, dilation: true, ceilMode: true, returnIndices: true };

/** Options of {@link maxPool2d} and its kin; a number stands for all spatial dims. */
export interface MaxPoolOptions {
  /** Default: the kernel's size. */
  readonly stride?: SpatialSize | null;
  /** −∞ on both sides; at most half the kernel. Default 0. */
  readonly padding?: SpatialSize;
  readonly dilation?: SpatialSize;
  /** Windows that reach beyond the input on the right count too. Default false. */
  readonly ceilMode?: boolean;
  /** Also give where each maximum lies in its plane (int32, row-major). Default false. */
  readonly returnIndices?: boolean;
}

OPS.set('maxPool', { name: 'maxPool', inputs: 1, differentiable: true });

/** (N, C, …) → the maxima, and where they lie when that is wanted. */
function maxPool(x: Tensor, { kernel, window }: PoolWindow, out: Shape, wantIndices: boolean, name: string): [Tensor, Tensor | null] {
  const { compute } = DTYPE_INFO[x.dtype];
  if (compute !== x.dtype) {
    const [wide, indices] = maxPool(cast(x, compute), { kernel, window }, out, wantIndices, name);
    return [cast(wide, x.dtype), indices];
  }
  const tape = recording(x);
  const [values, indices] = launchMaxPool(x.detach(), kernel, window, [x.shape[0]!, x.shape[1]!, ...out], wantIndices || tape);
  if (tape) {
    const { shape } = x;
    attach(values, `${name}WithIndicesBackward0`, [x], (grad, node) => [maxPoolGrad(grad, node.saved(0), shape, kernel, window)]).save(
      indices!,
    );
  }
  return [values, indices];
}

/** The gradient of the input of `shape`; its own gradient takes the elements from where the maxima were. */
function maxPoolGrad(gradOut: Tensor, indices: Tensor, shape: Shape, kernel: Shape, w: Window): Tensor {
  const out = launchMaxPoolGrad(gradOut.detach(), indices, shape, kernel, w);
  if (recording(gradOut)) {
    const from = gradOut.shape;
    const flat = [shape[0]!, shape[1]!, -1];
    attach(out, 'MaxPoolGradBackward0', [gradOut], (grad, node) => [
      reshape(reshape(grad, flat).gather(2, reshape(node.saved(0), flat)), from),
    ]).save(indices);
  }
  return out;
}

function launchMaxPool(x: Tensor, kernel: Shape, w: Window, shape: Shape, wantIndices: boolean): [Tensor, Tensor | null] {
  const { device } = x;
  const { kernels } = device;
  if (numelOf(shape) === 0) return [zerosOf(x, shape), wantIndices ? cast(zerosOf(x, shape), 'int32') : null];
  if (kernels.maxPool !== undefined && (x.dtype === 'float32' || x.dtype === 'float64')) {
    const out = emptyValue(device, x.dtype, shape);
    const indices = wantIndices ? emptyValue(device, 'int32', shape) : null;
    if (kernels.maxPool(viewOf(x), viewOfValue(out), indices === null ? null : viewOfValue(indices), kernel, w)) {
      launched(device, 'maxPool', shape);
      return [wrap(out), indices === null ? null : wrap(indices)];
    }
    declined(out, indices);
  }
  const sizes = shape.slice(2);
  const windows = windowsOf(x, kernel, sizes, w, x.dtype === 'int32' ? -2147483648 : -Infinity);
  const taps = kernel.map((_, i) => 2 + sizes.length + i);
  const values = amax(windows, taps);
  if (!wantIndices) return [values, null];
  const flat = reshape(windows, [...shape, numelOf(kernel)]);
  return [values, wrap(planeIndex(argmax(flat, -1).value, shape, kernel, w, x.shape.slice(2)))];
}

/** From the place in each window to that in the plane. */
function planeIndex(place: Value, shape: Shape, kernel: Shape, w: Window, sizes: Shape): Value {
  const steps = contiguousStrides(kernel);
  const plane = contiguousStrides(sizes);
  let total: Value | null = null;
  for (let i = 0; i < kernel.length; i++) {
    const start = e.sub(e.mul(indexValue(shape, i + 2, place.device), w.stride[i]!), w.padding[i]!);
    let tap = e.irem(e.idiv(place, steps[i]!), kernel[i]!);
    // Where all of a window is −∞ the first place may be in the padding: the first one inside counts.
    if (w.padding[i]! > 0) tap = e.max(tap, e.idiv(e.sub(w.dilation[i]! - 1, start), w.dilation[i]!));
    const at = e.mul(e.add(start, e.mul(tap, w.dilation[i]!)), plane[i]!);
    total = total === null ? at : e.add(total, at);
  }
  return total!;
}

function launchMaxPoolGrad(gradOut: Tensor, indices: Tensor, shape: Shape, kernel: Shape, w: Window): Tensor {
  const { device } = gradOut;
  const { kernels } = device;
  if (numelOf(shape) === 0 || gradOut.numel() === 0) return zerosOf(gradOut, shape);
  if (kernels.maxPoolGrad !== undefined && (gradOut.dtype === 'float32' || gradOut.dtype === 'float64')) {
    const out = emptyValue(device, gradOut.dtype, shape);
    if (kernels.maxPoolGrad(viewOf(gradOut), viewOf(indices), viewOfValue(out), kernel, w)) {
      launched(device, 'maxPoolGrad', shape);
      return wrap(out);
    }
    declined(out);
  }
  const plane = contiguousStrides(shape.slice(2));
  return addWindows(gradOut, shape, kernel, gradOut.shape.slice(2), w, (p) => {
    const grad = placed(gradOut, p);
    let here: Value | null = null;
    for (let i = 0; i < kernel.length; i++) {
      const first = p.from[i]! * w.stride[i]! + p.offset[i]! * w.dilation[i]! - w.padding[i]!;
      const at = e.mul(e.add(e.mul(indexValue(grad.shape, i + 2, device), w.stride[i]!), first), plane[i]!);
      here = here === null ? at : e.add(here, at);
    }
    return wrap(e.where(e.eq(placed(indices, p).value, here!), grad.value, 0));
  });
}

function maxPoolNd(
  op: string,
  n: number,
  input: Tensor,
  kernelSize: SpatialSize,
  o: MaxPoolOptions,
  wantIndices: boolean,
): [Tensor, Tensor | null] {
  const pool = poolWindow(op, n, kernelSize, o);
  const x = batchOfPlanes(op, n, input);
  const out = outputSizes(x.shape.slice(2), pool.kernel, pool.window, o.ceilMode);
  requireOutput(op, input.shape, out);
  const [values, indices] = maxPool(x, pool, out, wantIndices, `MaxPool${n}D`);
  return [unbatch(values, input), indices === null ? null : unbatch(indices, input)];
}

type Indices = MaxPoolOptions & { readonly returnIndices: true };
type NoIndices = MaxPoolOptions & { readonly returnIndices?: false };

/** The maximum of each window along the last dim of (N, C, L) or (C, L). PyTorch: F.max_pool1d. @see maxPool2d */
export function maxPool1d(input: Tensor, kernelSize: SpatialSize, options: Indices): [Tensor, Tensor];
export function maxPool1d(input: Tensor, kernelSize: SpatialSize, options?: NoIndices): Tensor;
export function maxPool1d(input: Tensor, kernelSize: SpatialSize, options?: MaxPoolOptions): Tensor | [Tensor, Tensor];
export function maxPool1d(input: Tensor, kernelSize: SpatialSize, options: MaxPoolOptions = {}): Tensor | [Tensor, Tensor] {
  checkOptions('maxPool1d', options, MAX_POOL_OPTIONS);
  const [values, indices] = maxPoolNd('maxPool1d', 1, input, kernelSize, options, options.returnIndices ?? false);
  return options.returnIndices === true ? [values, indices!] : values;
}

/**
 * The maximum of each window over (N, C, H, W) or (C, H, W); NaN wins. With `returnIndices`, also where it lies in its plane (int32), the
 * first among equals: what `maxUnpool2d` takes. PyTorch: F.max_pool2d.
 *
 * @throws ValueError `ERR_POOL_WINDOW`; ShapeError `ERR_POOL_RANK`, `ERR_POOL_OUTPUT`.
 * @example maxPool2d(x, 2); maxPool2d(x, [3, 2], { stride: 2, padding: 1 }); const [y, at] = maxPool2d(x, 2, { returnIndices: true })
 */
export function maxPool2d(input: Tensor, kernelSize: SpatialSize, options: Indices): [Tensor, Tensor];
export function maxPool2d(input: Tensor, kernelSize: SpatialSize, options?: NoIndices): Tensor;
export function maxPool2d(input: Tensor, kernelSize: SpatialSize, options?: MaxPoolOptions): Tensor | [Tensor, Tensor];
export function maxPool2d(input: Tensor, kernelSize: SpatialSize, options: MaxPoolOptions = {}): Tensor | [Tensor, Tensor] {
  checkOptions('maxPool2d', options, MAX_POOL_OPTIONS);
  const [values, indices] = maxPoolNd('maxPool2d', 2, input, kernelSize, options, options.returnIndices ?? false);
  return options.returnIndices === true ? [values, indices!] : values;
}

/** As {@link maxPool2d} over (N, C, D, H, W) or (C, D, H, W). PyTorch: F.max_pool3d. */
export function maxPool3d(input: Tensor, kernelSize: SpatialSize, options: Indices): [Tensor, Tensor];
export function maxPool3d(input: Tensor, kernelSize: SpatialSize, options?: NoIndices): Tensor;
export function maxPool3d(input: Tensor, kernelSize: SpatialSize, options?: MaxPoolOptions): Tensor | [Tensor, Tensor];
export function maxPool3d(input: Tensor, kernelSize: SpatialSize, options: MaxPoolOptions = {}): Tensor | [Tensor, Tensor] {
  checkOptions('maxPool3d', options, MAX_POOL_OPTIONS);
  const [values, indices] = maxPoolNd('maxPool3d', 3, input, kernelSize, options, options.returnIndices ?? false);
  return options.returnIndices === true ? [values, indices!] : values;
}
