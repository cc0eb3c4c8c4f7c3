/** @file Modules, parameters, buffers and their state. */
export type {
  BackwardHook,
  BackwardPreHook,
  ForwardHook,
  ForwardHookOptions,
  ForwardPreHook,
  Gradients,
  HookOptions,
  LoadPostHook,
  LoadPreHook,
  StateDictHook,
} from './hooks.js';
export { isModule } from './members.js';
export { Module, type ModuleOf } from './module.js';
export { Buffer, isBuffer, isParameter, Parameter } from './parameter.js';
export { typeNameOf } from './repr.js';
export { type IncompatibleKeys, Loading, type LoadOptions, StateDict, type StateDictLike, type StateDictOptions } from './state-dict.js';
export type { TraversalOptions } from './traversal.js';
export { isUninitialized, UninitializedBuffer, UninitializedParameter } from './uninitialized.js';
export { type WarmableOptimizer, warmup, type WarmupOptions } from './warmup.js';
