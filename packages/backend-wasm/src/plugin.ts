/** @file The backend with all of its parts as a plugin. */
import type { Plugin } from '@tessera/core/backend';
import { pluginOf } from './composed-plugin.js';
import { createWasmBackend } from './wasm-backend.js';

export { wasmAvailability } from './composed-plugin.js';

/**
 * @example
 * await init({ plugins: [wasmPlugin], device: 'wasm' });
 */
export const wasmPlugin: Plugin = /* @__PURE__ */ pluginOf('@tessera/backend-wasm', createWasmBackend);
