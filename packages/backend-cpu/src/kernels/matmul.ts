/** @file The matmul kernel: chooses by size and shape among the products in ../gemm. */
import { checkKernelDType, type View } from '@tessera/core/backend';
import { multiply } from '../gemm/blocked.js';
import { multiplyIntegers } from '../gemm/integer.js';
import { StridedLanes } from '../gemm/lanes.js';
import { type Matrix, MatrixSink } from '../gemm/matrix.js';
import { multiplySmall } from '../gemm/small.js';
import { multiplyVector } from '../gemm/vector.js';
import type { CpuBuffer } from '../memory/cpu-buffer.js';

/** Products of fewer multiplications are not worth packing. */
const SMALL = 4096;

export function matmul(a: View<CpuBuffer>, b: View<CpuBuffer>, out: View<CpuBuffer>): void {
  checkKernelDType('cpu', 'matmul', a.dtype);
  let [batch, M] = a.shape;
  const K = a.shape[2];
  const N = b.shape[2];
  // One matrix on the right for the whole batch: its rows are simply more rows.
  if (batch > 1 && b.strides[0] === 0 && a.strides[0] === M * a.strides[1] && out.strides[0] === M * out.strides[1]) {
    M *= batch;
    batch = 1;
  }
  for (let n = 0; n < batch; n++) product(M, N, K, matrixOf(a, n), matrixOf(b, n), matrixOf(out, n), a.dtype === 'int32');
}

function matrixOf({ buffer, offset, strides }: View<CpuBuffer>, n: number): Matrix {
  return { data: buffer.data, at: buffer.base + offset + n * strides[0], down: strides[1], across: strides[2] };
}

/** out = a · b, with a (M, K) and b (K, N), by the way that its sizes ask for. */
export function product(M: number, N: number, K: number, a: Matrix, b: Matrix, out: Matrix, integers: boolean): void {
  if (integers) multiplyIntegers(M, N, K, a, b, out);
  else if (N === 1) multiplyVector(M, K, a, b.data, b.at, b.down, out.data, out.at, out.down);
  else if (M === 1)
    multiplyVector(N, K, { data: b.data, at: b.at, down: b.across, across: b.down }, a.data, a.at, a.across, out.data, out.at, out.across);
  else if (M * N * K <= SMALL || K === 1) multiplySmall(M, N, K, a, b, out);
  else multiply(M, N, K, StridedLanes.rows(a), StridedLanes.columns(b), new MatrixSink(out));
}
