/** @file Batches of planes: views (N, C, …) with one to three spatial dims, all of them seen with three. */
import type { TypedArray, View, Window } from '@tessera/core/backend';
import type { CpuBuffer } from '../memory/cpu-buffer.js';

/** Three numbers, for depth, height and width. Missing dims come first. */
export type Three = readonly [number, number, number];

/** A view (N, C, D, H, W): element (n, c, d, h, w) is at `at` + n · strideN + c · strideC + d · strides[0] + h · strides[1] + w · strides[2]. */
export interface Planes {
  readonly data: TypedArray;
  readonly at: number;
  readonly N: number;
  readonly C: number;
  readonly sizes: Three;
  readonly strideN: number;
  readonly strideC: number;
  readonly strides: Three;
}

/** The last three of `list`, with `missing` in front of fewer. */
export function three(list: readonly number[], missing: number): Three {
  const [a = missing, b = missing, c = missing] = [...new Array<number>(3 - list.length).fill(missing), ...list];
  return [a, b, c];
}

export function planesOf({ buffer, offset, shape, strides }: View<CpuBuffer>): Planes {
  return {
    data: buffer.data,
    at: buffer.base + offset,
    N: shape[0],
    C: shape[1],
    sizes: three(shape.slice(2), 1),
    strideN: strides[0],
    strideC: strides[1],
    strides: three(strides.slice(2), 0),
  };
}

/** A window's stride, padding and dilation along three dims. */
export interface Window3 {
  readonly stride: Three;
  readonly padding: Three;
  readonly dilation: Three;
}

export function window3({ stride, padding, dilation }: Window): Window3 {
  return { stride: three(stride, 1), padding: three(padding, 0), dilation: three(dilation, 1) };
}

/** Are all of these views of one dtype that the accelerated kernels take, with one to three spatial dims? */
export function takesPlanes(...views: readonly View<CpuBuffer>[]): boolean {
  const { dtype } = views[0];
  const rank = views[0].shape.length;
  return (dtype === 'float32' || dtype === 'float64') && rank >= 3 && rank <= 5 && views.every((view) => view.dtype === dtype);
}

/** Can the three spatial dims be walked as one, with one stride? That stride, or 0 if not. */
export function flatStride(sizes: Three, strides: Three): number {
  let stride = 0;
  let span = 1;
  for (let d = 2; d >= 0; d--) {
    if (sizes[d] === 1) continue;
    if (stride === 0) stride = strides[d];
    else if (strides[d] !== stride * span) return 0;
    span *= sizes[d];
  }
  return stride === 0 ? 1 : stride;
}
