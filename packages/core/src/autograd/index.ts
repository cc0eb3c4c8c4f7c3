/** @file Automatic differentiation, by torch.autograd's names. */
export { backward, grad } from './backward.js';
export { type BackwardOptions } from './engine-ops.js';
export { checkpoint, checkpointSequential } from './checkpoint.js';
export { type BackwardResult, Function, FunctionContext } from './function.js';
export { hessian, hvp, jacobian, jvp, vhp, vjp, type DerivativeOptions } from './functional.js';
export * as functional from './functional.js';
export * as graph from './graph.js';
export { type CheckedFunction, gradcheck, type GradcheckOptions, gradgradcheck } from './gradcheck.js';
export { detectAnomaly, enableGrad, inferenceMode, isGradEnabled, noGrad, setDetectAnomaly, setGradEnabled } from './mode.js';
export { GradNode, type GradHook, type Rule } from './node.js';
export { type NodeGradients, type NodeHook, type NodePrehook } from './node-hooks.js';
export { attachAll, type OutputsRule } from './outputs.js';
export { type SavedTensorHooks, savedTensorsHooks } from './saved-hooks.js';
