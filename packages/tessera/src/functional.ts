/**
 * @file The entry `tessera/functional`: functions of tensors without Tensor's methods, for inference in small bundles; see
 * `@tessera/core/functional`. It brings no backend: name the one that you want.
 *
 * @example
 * import { add, init, tensor, wasmPlugin } from 'tessera/functional';
 * await init({ plugins: [wasmPlugin], device: 'wasm' });
 * add(tensor([1, 2]), 1).toArray();
 */
export * from '@tessera/core/functional';
export { cpuPlugin, plainCpuPlugin } from '@tessera/backend-cpu';
export { wasmPlugin } from '@tessera/backend-wasm';
export { webgpuPlugin } from '@tessera/backend-webgpu/plugin';
