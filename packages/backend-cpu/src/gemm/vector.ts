/** @file A matrix times a vector, in the order in which the matrix lies in memory. */
import type { TypedArray } from '@tessera/core/backend';
import type { Matrix } from './matrix.js';

let sums = new Float64Array(0);

/** out[i] = Σ matrix[i][k] · x[k], for M rows of K. */
export function multiplyVector(
  M: number,
  K: number,
  matrix: Matrix,
  x: TypedArray,
  xAt: number,
  xStep: number,
  out: TypedArray,
  outAt: number,
  outStep: number,
): void {
  const { data, at, down, across } = matrix;
  if (Math.abs(across) <= Math.abs(down)) {
    // Rows lie together: four of them at once against the vector.
    let i = 0;
    for (; i + 4 <= M; i += 4) fourRows(K, data, at + i * down, down, across, x, xAt, xStep, out, outAt + i * outStep, outStep);
    for (; i < M; i++) {
      let sum = 0;
      for (let k = 0, p = at + i * down, q = xAt; k < K; k++, p += across, q += xStep) sum += data[p] * x[q];
      out[outAt + i * outStep] = sum;
    }
    return;
  }
  // Columns lie together: four of them at a time are added to all sums.
  if (sums.length < M) sums = new Float64Array(M);
  sums.fill(0, 0, M);
  let k = 0;
  for (; k + 4 <= K; k += 4)
    fourColumns(
      M,
      data,
      at + k * across,
      down,
      across,
      x[xAt + k * xStep],
      x[xAt + (k + 1) * xStep],
      x[xAt + (k + 2) * xStep],
      x[xAt + (k + 3) * xStep],
    );
  for (; k < K; k++) {
    const v = x[xAt + k * xStep];
    for (let i = 0, p = at + k * across; i < M; i++, p += down) sums[i] += v * data[p];
  }
  for (let i = 0, o = outAt; i < M; i++, o += outStep) out[o] = sums[i];
}

function fourRows(
  K: number,
  a: TypedArray,
  p: number,
  down: number,
  across: number,
  x: TypedArray,
  q: number,
  xStep: number,
  out: TypedArray,
  o: number,
  outStep: number,
): void {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let k = 0; k < K; k++, p += across, q += xStep) {
    const v = x[q];
    s0 += v * a[p];
    s1 += v * a[p + down];
    s2 += v * a[p + 2 * down];
    s3 += v * a[p + 3 * down];
  }
  out[o] = s0;
  out[o + outStep] = s1;
  out[o + 2 * outStep] = s2;
  out[o + 3 * outStep] = s3;
}

function fourColumns(
  M: number,
  a: TypedArray,
  p: number,
  down: number,
  across: number,
  x0: number,
  x1: number,
  x2: number,
  x3: number,
): void {
  const row = sums;
  for (let i = 0; i < M; i++, p += down) row[i] += x0 * a[p] + x1 * a[p + across] + x2 * a[p + 2 * across] + x3 * a[p + 3 * across];
}
