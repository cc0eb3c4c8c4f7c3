/** @file The backend as a plugin. Its code is loaded when somebody asks whether it can run. */
import { type BackendProvider, CONTRACT_VERSION, type Plugin } from '@tessera/core/backend';
import type { WebGpuBackendOptions } from './webgpu-backend.js';

/**
 * @example
 * await init({ plugins: [webgpuPlugin], device: 'webgpu' });
 */
export const webgpuPlugin: Plugin = {
  name: '@tessera/backend-webgpu',
  version: '0.1.0',
  contract: CONTRACT_VERSION,
  register({ container, core }) {
    const provider: BackendProvider = {
      id: 'webgpu',
      version: '0.1.0',
      priority: 100,
      async isAvailable() {
        const { facts, reason } = await (await import('./device/start.js')).probeAdapter();
        if (facts === undefined) return { available: false, reason: reason ?? 'WebGPU gave no answer' };
        return facts.software ? { available: true, slow: `${facts.description} computes on the CPU` } : { available: true };
      },
      create: async (options) => (await import('./webgpu-backend.js')).createWebGpuBackend(options as WebGpuBackendOptions | undefined),
    };
    container.register<BackendProvider>(core.BACKEND, { useValue: provider });
  },
};
