/** @file PyTorch's checkpoints, in and out. */
export { loadTorch } from './load.js';
export type { TorchLoadOptions, TorchValue } from './load.js';
export { saveTorch, saveTorchAsync } from './save.js';
export type { TorchSavable, TorchSaveOptions } from './save.js';
