/** @file The backend as a plugin, registered like any other. */
import type { Plugin } from '@tessera/core/backend';
import { createCpuBackend } from './cpu-backend.js';
import { pluginOf } from './plain-plugin.js';

/**
 * @example
 * await init({ plugins: [cpuPlugin], device: 'cpu' });
 */
export const cpuPlugin: Plugin = /* @__PURE__ */ pluginOf('@tessera/backend-cpu', createCpuBackend);
