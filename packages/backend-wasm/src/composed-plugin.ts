/** @file The backend as a plugin, registered like any other: of all parts or of some. */
import { type Availability, type BackendProvider, CONTRACT_VERSION, type Plugin } from '@tessera/core/backend';
import { ComposedWasmBackend, type WasmBackendOptions } from './composed-backend.js';
import { whyUnavailable } from './machine/features.js';
import type { WasmPart } from './parts/part.js';

/** Whether the backend can run here. */
export function wasmAvailability(): Availability {
  const reason = whyUnavailable();
  return reason === undefined ? { available: true } : { available: false, reason };
}

/**
 * The backend made of the given parts; see `@tessera/backend-wasm/parts`.
 *
 * @example
 * await init({ plugins: [wasmPluginOf([products, reductions])], device: 'wasm' });
 */
export const wasmPluginOf = (parts: readonly WasmPart[]): Plugin =>
  pluginOf(`@tessera/backend-wasm of ${parts.map(({ name }) => name).join(', ')}`, (options) => new ComposedWasmBackend(parts, options));

/** @internal */
export const pluginOf = (name: string, create: (options?: WasmBackendOptions) => ComposedWasmBackend): Plugin => ({
  name,
  version: '0.1.0',
  contract: CONTRACT_VERSION,
  register({ container, core }) {
    const provider: BackendProvider = {
      id: 'wasm',
      version: '0.1.0',
      priority: 50,
      isAvailable: wasmAvailability,
      create,
    };
    container.register<BackendProvider>(core.BACKEND, { useValue: provider });
  },
});
