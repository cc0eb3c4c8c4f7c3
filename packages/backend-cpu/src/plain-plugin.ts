/** @file The backend with the seven required kernels alone as a plugin, for small bundles. */
import { type BackendProvider, CONTRACT_VERSION, type Plugin } from '@tessera/core/backend';
import { type CpuBackendOptions, PlainCpuBackend } from './plain-cpu-backend.js';

/** @internal */
export const pluginOf = (name: string, create: (options?: CpuBackendOptions) => PlainCpuBackend): Plugin => ({
  name,
  version: '0.1.0',
  contract: CONTRACT_VERSION,
  register({ container, core }) {
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
});

/**
 * The CPU backend with the seven required kernels: it computes all that {@link cpuPlugin} does, convolutions, poolings, softmax, norms and attention
 * more slowly, by core's decompositions, in a bundle that is 8 kB smaller.
 *
 * @example
 * await init({ plugins: [plainCpuPlugin], device: 'cpu' });
 */
export const plainCpuPlugin: Plugin = /* @__PURE__ */ pluginOf('@tessera/backend-cpu (plain)', (options) => new PlainCpuBackend(options));
