/** @file matmul and linear through gemm. */
import type { CpuBackend, CpuBuffer } from '@tessera/backend-cpu';
import type { AcceleratedKernels, RequiredKernels } from '@tessera/core';
import type { OpenBlas } from './open-blas.js';
import { type CpuView, dataAt, floatsLike, isFloat, matrixOf } from './operands.js';

/** Products of fewer multiplications are done sooner without a call out of JavaScript. */
const SMALL = 4096;

type Matmul = RequiredKernels<CpuBuffer>['matmul'];
type Linear = AcceleratedKernels<CpuBuffer>['linear'];

/** The product of two matrices into one matrix of `out`, wherever that lies. */
function multiply(
  blas: OpenBlas,
  sizes: readonly [number, number, number],
  a: CpuView,
  b: CpuView,
  out: CpuView,
  at: readonly [number, number, number],
): void {
  const [m, n, k] = sizes;
  const [, aDown, aAcross] = a.strides as readonly [number, number, number];
  const [, bDown, bAcross] = b.strides as readonly [number, number, number];
  const [, down, across] = out.strides as readonly [number, number, number];
  const left = matrixOf(a, m, k, aDown, aAcross, at[0]);
  const right = matrixOf(b, k, n, bDown, bAcross, at[1]);
  if (across === 1 && (m === 1 || down >= n)) {
    blas.gemm(m, n, k, left, right, 0, dataAt(out, at[2]), Math.max(down, n));
    return;
  }
  if (down === 1 && (n === 1 || across >= m)) {
    // Its columns are rows: outᵀ = bᵀ · aᵀ.
    const turned = (x: typeof left): typeof left => ({ ...x, transposed: !x.transposed });
    blas.gemm(n, m, k, turned(right), turned(left), 0, dataAt(out, at[2]), Math.max(across, m));
    return;
  }
  const product = floatsLike(out, m * n);
  blas.gemm(m, n, k, left, right, 0, product, n);
  const target = dataAt({ ...out, offset: 0 }, 0);
  for (let i = 0, from = 0; i < m; i++)
    for (let j = 0, to = out.offset + at[2] + i * down; j < n; j++, to += across) target[to] = product[from++]!;
}

export const matmulBy =
  (blas: OpenBlas, cpu: CpuBackend['kernels']): Matmul =>
  (a, b, out) => {
    const [batch, m, k] = a.shape as readonly [number, number, number];
    const n = b.shape[2]!;
    if (!isFloat(out) || m * n * k <= SMALL) return cpu.matmul(a, b, out);
    for (let i = 0; i < batch; i++) multiply(blas, [m, n, k], a, b, out, [i * a.strides[0]!, i * b.strides[0]!, i * out.strides[0]!]);
  };

export const linearBy =
  (blas: OpenBlas, cpu: CpuBackend['kernels']): Linear =>
  (a, b, bias, out) => {
    const [m, k] = a.shape as readonly [number, number];
    const n = b.shape[0]!;
    const inRows = out.strides[1] === 1 && (m === 1 || out.strides[0]! >= n);
    const alike = isFloat(out) && a.dtype === out.dtype && b.dtype === out.dtype && (bias === null || bias.dtype === out.dtype);
    if (!alike || !inRows || m * n * k <= SMALL) return cpu.linear!(a, b, bias, out);
    const data = dataAt(out);
    const ld = Math.max(out.strides[0]!, n);
    if (bias !== null) {
      const row = Array.from({ length: n }, (_, j) => dataAt(bias)[j * bias.strides[0]!]!);
      for (let i = 0; i < m; i++) for (let j = 0, to = i * ld; j < n; j++) data[to++] = row[j]!;
    }
    const left = matrixOf(a, m, k, a.strides[0]!, a.strides[1]!);
    const right = matrixOf(b, k, n, b.strides[1]!, b.strides[0]!);
    blas.gemm(m, n, k, left, right, bias === null ? 0 : 1, data, ld);
    return true;
  };
