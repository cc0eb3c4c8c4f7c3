/** @file The ops as functions. */
export * from './creation.js';
export { type BinaryOp, type Operand, resultType, type UnaryOp } from './define.js';
export { type OpInfo, OPS } from './registry.js';
export { attachMethods } from './methods.js';
export { gather, indexSelect, scatterAdd } from './gather.js';
export * from './reduce.js';
export type { Dims, ReduceOptions, SumOptions } from './reduction.js';
export {
  asStrided, clone, contiguous, diagonal, expand, flatten, narrow, permute, reshape, select, slice, squeeze, t, transpose, unflatten, unfold, unsqueeze, view,
} from './view.js';
export { where } from './where.js';
export * from './cat.js';
export * from './arithmetic.js';
export * from './unary-math.js';
export * from './activations.js';
export * from './binary-math.js';
export * from './logic.js';
export * from './selecting.js';
export * from './indexing.js';
export * from './joining.js';
export * from './cast.js';
export * from './copy.js';
export * from './products.js';
export * from './matmul.js';
export * from './linalg.js';
export * from './statistics.js';
export * from './extremes.js';
export * from './scans.js';
export * from './sorting.js';
export * from './random-ops.js';
export * from './nn/index.js';
export * from './norms.js';
export * as linalg from './linalg/index.js';
