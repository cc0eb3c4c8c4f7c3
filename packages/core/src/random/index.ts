/** @file Random numbers: PyTorch's CPU stream on the host, Philox for devices. Nothing here knows of tensors. */
export { DEFAULT_SEED, Generator } from './generator.js';
export type { FloatArray, MaskArray, NumberArray, PhiloxKey } from './generator.js';
export { GENERATOR_STATE_BYTES } from './generator-state.js';
export { Mt19937 } from './mt19937.js';
export { philox4x32 } from './philox.js';
export type { PhiloxBlock } from './philox.js';
