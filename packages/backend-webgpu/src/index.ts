/** @file The WebGPU backend of Tessera: kernels in generated WGSL, in browsers and, through Dawn, in Node. */
export type { AdapterFacts, AdapterLimits } from './device/queue.js';
export type { MatrixUnitReport } from './kernels/matrix-check.js';
export { probeAdapter, type StartOptions } from './device/start.js';
export type { WebGpuBuffer } from './memory/webgpu-buffer.js';
export { webgpuPlugin } from './plugin.js';
export { createWebGpuBackend, WebGpuBackend, type WebGpuBackendOptions, type WebGpuCounters } from './webgpu-backend.js';
