/** @file What the row and channel kernels share: which dtypes they take, vectors that may be missing, float64 scratch. */
import type { DType, TypedArray, View } from '@tessera/core/backend';
import type { CpuBuffer } from '../memory/cpu-buffer.js';

type V = View<CpuBuffer>;

/** Are all of these (null: not given) float32, or all float64? */
export function floats(dtype: DType, ...views: readonly (V | null)[]): boolean {
  if (dtype !== 'float32' && dtype !== 'float64') return false;
  for (const v of views) if (v !== null && v.dtype !== dtype) return false;
  return true;
}

/** Where a view's first element lies in its array. */
export const start = (view: V): number => view.buffer.base + view.offset;

/** `count` elements of a vector in float64, or `otherwise` for each where there is none. */
export function gathered(view: V | null, count: number, otherwise: number): Float64Array {
  const out = new Float64Array(count);
  if (view === null) return out.fill(otherwise);
  const { data } = view.buffer;
  for (let i = 0, at = start(view); i < count; i++, at += view.strides[0]) out[i] = data[at];
  return out;
}

/** Rounds `values` into a vector; null is not wanted. */
export function scattered(values: Float64Array, view: V | null): void {
  if (view === null) return;
  const { data } = view.buffer;
  for (let i = 0, at = start(view); i < values.length; i++, at += view.strides[0]) data[at] = values[i];
}

/** The sum of `count` elements that lie `step` apart. Four sums at a time: one alone would wait for each addition. */
export function sumOf(x: TypedArray, at: number, step: number, count: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 4 <= count; i += 4, at += 4 * step) {
    a += x[at];
    b += x[at + step];
    c += x[at + 2 * step];
    d += x[at + 3 * step];
  }
  for (; i < count; i++, at += step) a += x[at];
  return a + b + (c + d);
}

/** The sum of the squares of their distances from `centre`. */
export function squaresAround(x: TypedArray, at: number, step: number, count: number, centre: number): number {
  let a = 0;
  let b = 0;
  let i = 0;
  for (; i + 2 <= count; i += 2, at += 2 * step) {
    const v = x[at] - centre;
    const w = x[at + step] - centre;
    a += v * v;
    b += w * w;
  }
  if (i < count) a += (x[at] - centre) ** 2;
  return a + b;
}
