/** @file The file formats of Tessera: safetensors, PyTorch checkpoints and NumPy arrays, in and out. */
export * from './safetensors/index.js';
export * from './torch/index.js';
export * from './numpy/index.js';
export * from './checkpoint/index.js';
