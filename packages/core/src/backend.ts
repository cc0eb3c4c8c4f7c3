/**
 * @file The entry `@tessera/core/backend`: all that a backend stands on, and nothing else of core. A backend that imports from here brings no
 * op and no method of Tensor into a bundle that does not use them.
 */
export * from './errors.js';
export * from './backend/index.js';
export * from './backend/buffer-checks.js';
export * from './backend/kernel-checks.js';
export { ProgramEntry, ProgramTable } from './backend/program-table.js';
export { type Loops, mergeDims, walkRows, without } from './backend/strided.js';
export * from './tensor/dtype.js';
export * from './tensor/half.js';
export type * from './plugin/plugin.js';
export { BACKEND } from './plugin/plugin.js';
