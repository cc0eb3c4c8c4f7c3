/** @file linear: a · bᵀ + bias. */
import type { AcceleratedKernels, View } from '@tessera/core/backend';
import { multiply } from '../gemm/blocked.js';
import { StridedLanes } from '../gemm/lanes.js';
import { type Matrix, MatrixSink } from '../gemm/matrix.js';
import { dot } from '../gemm/small.js';
import type { CpuBuffer } from '../memory/cpu-buffer.js';

type Linear = Required<AcceleratedKernels<CpuBuffer>>['linear'];

/** Products of fewer multiplications are not worth packing. */
const SMALL = 4096;

export const linear: Linear = (a, b, bias, out) => {
  if (
    (out.dtype !== 'float32' && out.dtype !== 'float64') ||
    a.dtype !== out.dtype ||
    b.dtype !== out.dtype ||
    (bias !== null && bias.dtype !== out.dtype)
  )
    return false;
  const [M, K] = a.shape;
  const N = b.shape[0];
  const x = matrixOf(a);
  const y = matrixOf(b);
  const z = matrixOf(out);
  const row: Matrix | null =
    bias === null ? null : { data: bias.buffer.data, at: bias.buffer.base + bias.offset, down: 0, across: bias.strides[0] };
  if (M * N * K <= SMALL || M === 1) small(M, N, K, x, y, row, z);
  else multiply(M, N, K, StridedLanes.rows(x), StridedLanes.rows(y), new MatrixSink(z), row);
  return true;
};

function matrixOf({ buffer, offset, strides }: View<CpuBuffer>): Matrix {
  return { data: buffer.data, at: buffer.base + offset, down: strides[0], across: strides[1] };
}

function small(M: number, N: number, K: number, a: Matrix, b: Matrix, bias: Matrix | null, out: Matrix): void {
  for (let i = 0; i < M; i++) {
    for (let j = 0; j < N; j++) {
      const sum = dot(K, a.data, a.at + i * a.down, a.across, b.data, b.at + j * b.down, b.across);
      out.data[out.at + i * out.down + j * out.across] = bias === null ? sum : sum + bias.data[bias.at + j * bias.across];
    }
  }
}
