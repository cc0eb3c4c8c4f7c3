/**
 * @file What layers, optimizers, backends and tools stand on, and models do not: `@tessera/core` has it, the package `tessera` leaves it out. It
 * may change where versions of the packages change together.
 */
export { formatShape } from './errors.js';
export { checkOptions, kindOf, type OptionNames, refuseMore } from './options.js';
export { refusePythonNames, renamed } from './renamed.js';
export { didYouMean } from './suggest.js';
export * from './backend/index.js';
export {
  categoryAbove,
  type ComputeDType,
  DTYPE_INFO,
  type DTypeInfo,
  dtypeOfArray,
  floatDType,
  isFloat,
  requireDType,
} from './tensor/dtype.js';
export * from './tensor/half.js';
export { contiguousStrides, isContiguous, normalizeDim, normalizeDims, numelOf, sameShape } from './tensor/shape.js';
export { Update } from './tensor/update.js';
export { launchTogether } from './tensor/launch-batch.js';
export { anomaly, gradState } from './autograd/mode.js';
export { asFloat32, asHalf, asWidest } from './amp/policy.js';
export { autocasting } from './amp/state.js';
export { made, scopes } from './memory/scope.js';
export * from './random/index.js';
export { fromHost, splitOptions } from './ops/creation.js';
export { attachMethods } from './ops/methods.js';
export { type OpInfo, OPS } from './ops/registry.js';
export { binaryCrossEntropyLogitTerms, binaryCrossEntropyTerms } from './ops/nn/binary-cross-entropy.js';
export { crossEntropyOfClasses } from './ops/nn/cross-entropy.js';
export { philoxUniform } from './ops/nn/noise.js';
export { gruPointwise, lstmPointwise } from './ops/nn/recurrent-cells.js';
export { STATE } from './module/callable.js';
export { cameFrom } from './module/error-path.js';
export { missingForward } from './module/module.js';
