/** @file Products of int32 matrices, modulo 2^32: Math.imul over packed columns. */
import type { Matrix } from './matrix.js';

let column = new Int32Array(0);

/** out = a · b, with a (M, K) and b (K, N). */
export function multiplyIntegers(M: number, N: number, K: number, a: Matrix, b: Matrix, out: Matrix): void {
  if (column.length < 2 * K) column = new Int32Array(2 * K);
  const x = a.data;
  for (let j = 0; j < N; j += 2) {
    const two = j + 1 < N;
    for (let k = 0, q = b.at + j * b.across; k < K; k++, q += b.down) {
      column[2 * k] = b.data[q];
      column[2 * k + 1] = two ? b.data[q + b.across] : 0;
    }
    for (let i = 0; i < M; i++) {
      let s0 = 0;
      let s1 = 0;
      for (let k = 0, p = a.at + i * a.down; k < K; k++, p += a.across) {
        const v = x[p];
        s0 = (s0 + Math.imul(v, column[2 * k])) | 0;
        s1 = (s1 + Math.imul(v, column[2 * k + 1])) | 0;
      }
      const o = out.at + i * out.down + j * out.across;
      out.data[o] = s0;
      if (two) out.data[o + out.across] = s1;
    }
  }
}
