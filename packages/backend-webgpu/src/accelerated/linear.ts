/** @file linear: a product with a bias. */
import type { AcceleratedKernels } from '@tessera/core/backend';
import type { Context } from '../kernels/context.js';
import { product } from '../kernels/matmul.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import type { GpuView } from '../wgsl/views.js';

const batched = (view: GpuView, swap = false): GpuView => {
  const [m, n] = view.shape;
  const [s, t] = view.strides;
  return { ...view, shape: swap ? [1, n, m] : [1, m, n], strides: swap ? [0, t, s] : [0, s, t] };
};

export function createLinear(context: Context): AcceleratedKernels<WebGpuBuffer>['linear'] {
  return (a, b, bias, out) => {
    if (out.dtype !== 'float32') return false;
    product(context, 'linear', batched(a), batched(b, true), batched(out), bias);
    context.release();
    return true;
  };
}
