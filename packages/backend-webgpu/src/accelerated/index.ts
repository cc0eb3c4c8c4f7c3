/** @file The accelerated kernels that this backend has. */
import type { AcceleratedKernels } from '@tessera/core';
import type { Context } from '../kernels/context.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { createConvolution } from './convolution.js';
import { createLinear } from './linear.js';
import { createPool } from './pool.js';

export function acceleratedKernels(context: Context): Partial<AcceleratedKernels<WebGpuBuffer>> {
  return { ...createConvolution(context), ...createPool(context), linear: createLinear(context) };
}
