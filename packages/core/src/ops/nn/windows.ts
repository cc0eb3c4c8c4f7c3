/** @file Windows of an input as strided views, and their reverse: adding window by window into the input, one strided add for each offset. */
import type { Window } from '../../backend/contract.js';
import { numelOf, type Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { zerosOf } from '../fill.js';
import { asStrided } from '../view.js';
import { constantPad } from './pad.js';

/**
 * All windows of `x` (N, C, …) as a view (N, C, ...out, ...kernel). The padding is written out first where there is any; windows may
 * reach beyond it on the right (ceil mode), over the same value.
 */
export function windowsOf(x: Tensor, kernel: Shape, out: Shape, w: Window, fill: number): Tensor {
  const padding: number[] = [];
  let padded = false;
  for (let i = kernel.length - 1; i >= 0; i--) {
    const reach = (out[i]! - 1) * w.stride[i]! + w.dilation[i]! * (kernel[i]! - 1) + 1;
    const left = w.padding[i]!;
    const right = Math.max(0, reach - left - x.shape[i + 2]!);
    padding.push(left, right);
    if (left > 0 || right > 0) padded = true;
  }
  const source = padded ? constantPad(x, padding, fill) : x;
  const strides = source.stride();
  const spatial = strides.slice(2);
  return asStrided(
    source,
    [...x.shape.slice(0, 2), ...out, ...kernel],
    [...strides.slice(0, 2), ...spatial.map((s, i) => s * w.stride[i]!), ...spatial.map((s, i) => s * w.dilation[i]!)],
  );
}

/** Where one offset of a window meets the input: output positions `from` … `from + count − 1` of each dim. */
export interface Placement {
  readonly offset: Shape;
  readonly from: Shape;
  readonly count: Shape;
}

/**
 * A tensor of `shape` (N, C, …), zero, to which `piece(placement)` (N, C, ...count) is added at each offset of the window: the reverse of
 * {@link windowsOf}. Offsets that meet nothing but padding are left out.
 */
export function addWindows(like: Tensor, shape: Shape, kernel: Shape, out: Shape, w: Window, piece: (p: Placement) => Tensor): Tensor {
  const target = zerosOf(like, shape);
  if (numelOf(shape) === 0) return target;
  // Windows that do not meet each other write each element at most once.
  const apart = kernel.every((k, i) => w.stride[i]! > (k - 1) * w.dilation[i]!);
  const strides = target.stride();
  for (const offset of offsets(kernel)) {
    const from: number[] = [];
    const count: number[] = [];
    let start = 0;
    for (let i = 0; i < kernel.length; i++) {
      const stride = w.stride[i]!;
      const shift = offset[i]! * w.dilation[i]! - w.padding[i]!;
      const low = Math.max(0, Math.ceil(-shift / stride));
      const high = Math.min(out[i]! - 1, Math.floor((shape[i + 2]! - 1 - shift) / stride));
      from.push(low);
      count.push(high - low + 1);
      start += (low * stride + shift) * strides[i + 2]!;
    }
    if (count.some((c) => c <= 0)) continue;
    const part = asStrided(
      target,
      [...shape.slice(0, 2), ...count],
      [...strides.slice(0, 2), ...w.stride.map((s, i) => s * strides[i + 2]!)],
      start,
    );
    const addend = piece({ offset, from, count });
    if (apart) part.copy_(addend);
    else part.add_(addend);
  }
  return target;
}

/** All indices of a window, in row-major order. */
function* offsets(kernel: Shape): Generator<number[]> {
  const total = numelOf(kernel);
  for (let n = 0; n < total; n++) {
    const index: number[] = [];
    for (let i = kernel.length - 1, rest = n; i >= 0; i--) {
      index.unshift(rest % kernel[i]!);
      rest = Math.floor(rest / kernel[i]!);
    }
    yield index;
  }
}

/** The entries of the spatial dims of `x` (N, C, …) that a placement names. */
export function placed(x: Tensor, p: Placement): Tensor {
  let part = x;
  for (let i = 0; i < p.from.length; i++) if (p.count[i] !== x.shape[i + 2]) part = part.narrow(i + 2, p.from[i]!, p.count[i]!);
  return part;
}
