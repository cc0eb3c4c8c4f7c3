/**
 * @file The entry `tessera/wasm`: the WebAssembly backend in parts, for small bundles; see `@tessera/backend-wasm/parts`.
 *
 * @example
 * import { init, matmul, rand } from 'tessera/functional';
 * import { products, wasmPluginOf } from 'tessera/wasm';
 * await init({ plugins: [wasmPluginOf([products])], device: 'wasm' });
 * await matmul(rand(2, 3), rand(3, 4)).toArrayAsync();
 */
export * from '@tessera/backend-wasm/parts';
