/** @file Sizes of windows: how strides, paddings and dilations are given, and the sizes that come out. */
import { kindOf } from '../../options.js';
import type { Window } from '../../backend/contract.js';
import { ShapeError, ValueError } from '../../errors.js';
import type { Shape } from '../../tensor/shape.js';

/** One size for all spatial dims, or one for each. */
export type SpatialSize = number | readonly number[];

/** `value` for each of `n` spatial dims. @throws ValueError `ERR_SPATIAL_SIZE` for another number of them, or one that is not whole. */
export function perDim(value: SpatialSize, n: number, name: string, op: string): readonly number[] {
  if (typeof value !== 'number' && !Array.isArray(value))
    throw new ValueError('ERR_SPATIAL_SIZE', `${op}: ${name} must be a number or a list of ${n}, not ${kindOf(value)}`, { op });
  const list = typeof value === 'number' ? [value] : value;
  const full = list.length === 1 && n > 1 ? new Array<number>(n).fill(list[0]!) : list;
  if (full.length !== n)
    throw new ValueError('ERR_SPATIAL_SIZE', `${op}: ${name} must be a number or a list of ${n}, but is [${list.join(', ')}]`, { op });
  for (const x of full)
    if (!Number.isInteger(x))
      throw new ValueError('ERR_SPATIAL_SIZE', `${op}: ${name} must be whole numbers, but is [${list.join(', ')}]`, { op });
  return full;
}

/** As PyTorch prints sizes in its messages. */
export const listed = (shape: Shape): string => `[${shape.join(', ')}]`;

/** An input with its batch dim, and how to take that off a result again. */
export interface Batched<T> {
  readonly input: T;
  readonly batched: boolean;
}

/** How many positions a window takes in a dim: floor, or, in ceil mode, ceil, but no window may start in the padding on the right. */
export function outputSize(size: number, kernel: number, stride: number, padding: number, dilation: number, ceilMode: boolean): number {
  const span = size + 2 * padding - dilation * (kernel - 1) - 1;
  if (!ceilMode) return Math.floor(span / stride) + 1;
  const out = Math.ceil(span / stride) + 1;
  return (out - 1) * stride >= size + padding ? out - 1 : out;
}

/** {@link outputSize} for each spatial dim. */
export function outputSizes(sizes: Shape, kernel: Shape, w: Window, ceilMode = false): number[] {
  return sizes.map((size, i) => outputSize(size, kernel[i]!, w.stride[i]!, w.padding[i]!, w.dilation[i]!, ceilMode));
}

/** @throws ShapeError `ERR_POOL_OUTPUT` where a pooled result would have no elements in a spatial dim. */
export function requireOutput(op: string, input: Shape, out: Shape): void {
  if (out.some((s) => s < 1)) {
    const spatial = input.slice(input.length - out.length);
    throw new ShapeError(
      'ERR_POOL_OUTPUT',
      `${op}: Given input size: (${spatial.join('x')}). Calculated output size: (${out.join('x')}). Output size is too small`,
      { op, shapes: [input, out] },
    );
  }
}
