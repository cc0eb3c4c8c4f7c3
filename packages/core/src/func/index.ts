/** @file Functions of functions, by torch.func's names. */
export { functionalCall, type FunctionalCallOptions, type NamedTensors, stackModuleState } from './functional-call.js';
export {
  type Fn,
  grad,
  gradAndValue,
  type Gradient,
  hessian,
  jacfwd,
  jacrev,
  jvp,
  type TransformOptions,
  vjp,
  type VjpFunction,
} from './transforms.js';
export { type Tree } from './tree.js';
export { type BatchDims, vmap, type VmapOptions } from './vmap.js';
