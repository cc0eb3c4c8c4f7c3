/**
 * @file A PyTorch-modelled deep-learning framework for TypeScript whose backends and layers are plugins. This is what people import: all of the
 * packages, with the CPU backend ready to be used, and the wasm and webgpu backends there when `init` asks for them.
 */
import { cpuPlugin } from '@tessera/backend-cpu';
import { webgpuPlugin } from '@tessera/backend-webgpu/plugin';
import { runtimes } from '@tessera/core';
import { wasmPlugin } from './wasm-plugin.js';

runtimes.current.use(cpuPlugin).use(wasmPlugin).use(webgpuPlugin);

export * from '@tessera/core/public';
export * as nn from '@tessera/layers';
export { F, summary } from '@tessera/layers';
export * as optim from '@tessera/optim';
export * as data from '@tessera/data';
export * as io from '@tessera/io';
export { cpuPlugin, wasmPlugin, webgpuPlugin };
export * from './python-names.js';
