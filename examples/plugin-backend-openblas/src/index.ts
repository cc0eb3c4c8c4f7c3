/**
 * @file A backend of Tessera in a package of its own.
 *
 * @example
 * import { init } from 'tessera';
 * import { openBlasPlugin } from 'tessera-backend-openblas';
 * await init({ plugins: [openBlasPlugin], device: 'openblas', backendOptions: { openblas: { threads: 1 } } });
 */
import type { Availability, BackendProvider, Plugin } from '@tessera/core';
import { CONTRACT, OpenBlasBackend, type OpenBlasOptions } from './backend.js';
import { OpenBlas } from './open-blas.js';

export { OpenBlasBackend, type OpenBlasOptions } from './backend.js';

/** Whether the library is there; if not, what was tried. */
export function openBlasAvailability(library?: string): Availability {
  try {
    OpenBlas.load(library);
    return { available: true };
  } catch (error) {
    return { available: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

export const openBlasPlugin: Plugin = {
  name: 'tessera-backend-openblas',
  version: '0.1.0',
  contract: CONTRACT,
  register({ container, core }) {
    const provider: BackendProvider = {
      id: 'openblas',
      version: '0.1.0',
      priority: 40,
      isAvailable: () => openBlasAvailability(),
      create: (options) => new OpenBlasBackend(options as OpenBlasOptions | undefined),
      createSync: (options) => new OpenBlasBackend(options as OpenBlasOptions | undefined),
    };
    container.register<BackendProvider>(core.BACKEND, { useValue: provider });
  },
};
