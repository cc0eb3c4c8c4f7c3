/** @file Small products: nothing is packed, four sums at a time. */
import type { TypedArray } from '@tessera/core/backend';
import type { Matrix } from './matrix.js';

/** out = a · b, with a (M, K) and b (K, N). */
export function multiplySmall(M: number, N: number, K: number, a: Matrix, b: Matrix, out: Matrix): void {
  const four = N - (N % 4);
  for (let i = 0; i < M; i++) {
    const p = a.at + i * a.down;
    const o = out.at + i * out.down;
    for (let j = 0; j < four; j += 4)
      dotFour(K, a.data, p, a.across, b.data, b.at + j * b.across, b.down, b.across, out.data, o + j * out.across, out.across);
    for (let j = four; j < N; j++) out.data[o + j * out.across] = dot(K, a.data, p, a.across, b.data, b.at + j * b.across, b.down);
  }
}

function dotFour(
  K: number,
  x: TypedArray,
  p: number,
  stepX: number,
  y: TypedArray,
  q: number,
  stepY: number,
  next: number,
  out: TypedArray,
  o: number,
  stepOut: number,
): void {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let k = 0; k < K; k++, p += stepX, q += stepY) {
    const v = x[p];
    s0 += v * y[q];
    s1 += v * y[q + next];
    s2 += v * y[q + 2 * next];
    s3 += v * y[q + 3 * next];
  }
  out[o] = s0;
  out[o + stepOut] = s1;
  out[o + 2 * stepOut] = s2;
  out[o + 3 * stepOut] = s3;
}

export function dot(K: number, x: TypedArray, p: number, stepX: number, y: TypedArray, q: number, stepY: number): number {
  let sum = 0;
  for (let k = 0; k < K; k++, p += stepX, q += stepY) sum += x[p] * y[q];
  return sum;
}
