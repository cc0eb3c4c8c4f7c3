/** @file The WebAssembly backend of Tessera: SIMD and threads, emitted at run time by a small assembler of its own. */
export { disassemble } from './assembler/index.js';
export type { WasmBuffer } from './memory/wasm-buffer.js';
export { wasmAvailability, wasmPlugin } from './plugin.js';
export { createWasmBackend, WasmBackend, type WasmBackendOptions } from './wasm-backend.js';
