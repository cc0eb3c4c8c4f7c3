/** @file The accelerated kernels that this backend has. */
import type { AcceleratedKernels } from '@tessera/core';
import type { Context } from '../kernels/context.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';

export function acceleratedKernels(_context: Context): Partial<AcceleratedKernels<WebGpuBuffer>> {
  return {};
}
