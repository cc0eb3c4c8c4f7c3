/** @file The WebAssembly backend of Tessera: SIMD and threads, emitted at run time by a small assembler of its own. */
export { disassemble } from './assembler/index.js';
export { WasmBuffer } from './memory/wasm-buffer.js';
