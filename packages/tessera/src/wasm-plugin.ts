/** @file The wasm backend, loaded when it is first asked for: programs that stay on the CPU do not pay for it. */
import { type BackendProvider, CONTRACT_VERSION, type Plugin } from '@tessera/core';

const load = (): Promise<typeof import('@tessera/backend-wasm')> => import('@tessera/backend-wasm');

/** Registers the wasm backend, of a higher priority than the CPU's. */
export const wasmPlugin: Plugin = {
  name: '@tessera/backend-wasm',
  version: '0.1.0',
  contract: CONTRACT_VERSION,
  register({ container, core }) {
    const provider: BackendProvider = {
      id: 'wasm',
      version: '0.1.0',
      priority: 50,
      isAvailable: async () => (await load()).wasmAvailability(),
      create: async (options) => (await load()).createWasmBackend(options),
    };
    container.register<BackendProvider>(core.BACKEND, { useValue: provider });
  },
};
