/** @file The matmul kernel. */
import type { View } from '@tessera/core';
import type { CpuBuffer } from '../memory/cpu-buffer.js';
import { checkDType } from './dtypes.js';

export function matmul(a: View<CpuBuffer>, b: View<CpuBuffer>, out: View<CpuBuffer>): void {
  checkDType('matmul', a.dtype);
  const [batch, M, K] = a.shape;
  const N = b.shape[2];
  const x = a.buffer.data;
  const y = b.buffer.data;
  const z = out.buffer.data;
  const int = a.dtype === 'int32';
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < M; i++) {
      for (let j = 0; j < N; j++) {
        let sum = 0;
        let p = a.buffer.base + a.offset + n * a.strides[0] + i * a.strides[1];
        let q = b.buffer.base + b.offset + n * b.strides[0] + j * b.strides[2];
        for (let k = 0; k < K; k++, p += a.strides[2], q += b.strides[1]) sum = int ? (sum + Math.imul(x[p], y[q])) | 0 : sum + x[p] * y[q];
        z[out.buffer.base + out.offset + n * out.strides[0] + i * out.strides[1] + j * out.strides[2]] = sum;
      }
    }
  }
}
