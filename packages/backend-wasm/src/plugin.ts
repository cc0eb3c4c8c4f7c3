/** @file The backend as a plugin, registered like any other. */
import { type Availability, type BackendProvider, CONTRACT_VERSION, type Plugin } from '@tessera/core/backend';
import { whyUnavailable } from './machine/features.js';
import { createWasmBackend, type WasmBackendOptions } from './wasm-backend.js';

/** Whether the backend can run here. */
export function wasmAvailability(): Availability {
  const reason = whyUnavailable();
  return reason === undefined ? { available: true } : { available: false, reason };
}

/**
 * @example
 * await init({ plugins: [wasmPlugin], device: 'wasm' });
 */
export const wasmPlugin: Plugin = {
  name: '@tessera/backend-wasm',
  version: '0.1.0',
  contract: CONTRACT_VERSION,
  register({ container, core }) {
    const provider: BackendProvider = {
      id: 'wasm',
      version: '0.1.0',
      priority: 50,
      isAvailable: wasmAvailability,
      create: (options) => createWasmBackend(options as WasmBackendOptions | undefined),
    };
    container.register<BackendProvider>(core.BACKEND, { useValue: provider });
  },
};
