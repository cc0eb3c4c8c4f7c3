/** @file The plain TypeScript backend of Tessera: the living specification of its kernels. */
export { CpuBackend, type CpuBackendOptions, createCpuBackend } from './cpu-backend.js';
export type { CpuBuffer } from './memory/cpu-buffer.js';
export { PlainCpuBackend } from './plain-cpu-backend.js';
export { plainCpuPlugin } from './plain-plugin.js';
export { cpuPlugin } from './plugin.js';
