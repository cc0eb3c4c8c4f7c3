/** @file The backend with all of its parts. */
import { ComposedWasmBackend, type WasmBackendOptions } from './composed-backend.js';
import { ALL_PARTS } from './parts/all.js';

export type { WasmBackendOptions } from './composed-backend.js';

/**
 * WebAssembly SIMD, with threads over shared memory.
 *
 * @example
 * await init({ device: 'wasm', backendOptions: { wasm: { threads: 2, deterministic: true } } });
 */
export class WasmBackend extends ComposedWasmBackend {
  /** @throws DeviceError `ERR_DEVICE_UNAVAILABLE` without SIMD; MemoryError `ERR_OUT_OF_MEMORY` */
  constructor(options?: WasmBackendOptions) {
    super(ALL_PARTS, options);
  }
}

/** Makes a wasm backend. */
export function createWasmBackend(options?: WasmBackendOptions): WasmBackend {
  return new WasmBackend(options);
}
