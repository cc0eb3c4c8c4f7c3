/** @file The backend as a plugin, registered like any other. */
import { type BackendProvider, CONTRACT_VERSION, type Plugin } from '@tessera/core/backend';
import { type CpuBackendOptions, createCpuBackend } from './cpu-backend.js';

/**
 * @example
 * await init({ plugins: [cpuPlugin], device: 'cpu' });
 */
export const cpuPlugin: Plugin = {
  name: '@tessera/backend-cpu',
  version: '0.1.0',
  contract: CONTRACT_VERSION,
  register({ container, core }) {
    const create = (options?: Readonly<Record<string, unknown>>): ReturnType<typeof createCpuBackend> =>
      createCpuBackend(options as CpuBackendOptions | undefined);
    const provider: BackendProvider = {
      id: 'cpu',
      version: '0.1.0',
      priority: 0,
      isAvailable: () => ({ available: true }),
      create,
      createSync: create,
    };
    container.register<BackendProvider>(core.BACKEND, { useValue: provider });
  },
};
