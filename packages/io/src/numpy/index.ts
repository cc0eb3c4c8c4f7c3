/** @file NumPy's files, in and out. */
export { loadNpy, saveNpy, saveNpyAsync } from './npy.js';
export type { NpyOptions } from './npy.js';
export { loadNpz, saveNpz, saveNpzAsync } from './npz.js';
export type { NpzLoadOptions, NpzSaveOptions } from './npz.js';
