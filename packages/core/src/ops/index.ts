/** @file The ops as functions. */
export {
  arange,
  empty,
  emptyLike,
  eye,
  fromBytes,
  full,
  fullLike,
  manualSeed,
  ones,
  onesLike,
  rand,
  randint,
  randn,
  type RandomOptions,
  randperm,
  type SizesAndOptions,
  tensor,
  type TensorData,
  type TensorOptions,
  zeros,
  zerosLike,
} from './creation.js';
export * from './ranges.js';
export { type BinaryOp, type Operand, resultType, type UnaryOp } from './define.js';
export { gather, indexSelect, scatterAdd } from './gather.js';
export * from './reduce.js';
export type { Dims, ReduceOptions, SumOptions } from './reduction.js';
export {
  asStrided,
  clone,
  contiguous,
  diagonal,
  expand,
  flatten,
  narrow,
  permute,
  reshape,
  select,
  slice,
  squeeze,
  t,
  transpose,
  unflatten,
  unfold,
  unsqueeze,
  view,
} from './view.js';
export { where } from './where.js';
export { polygamma } from './special.js';
export { cat, concat, concatenate, stack } from './cat.js';
export * from './stacks.js';
export * from './view-copies.js';
export * from './view-scatters.js';
export * from './activations-fn.js';
export type { Index, Slice } from './index-arguments.js';
export type { TensorIndices } from './advanced-index.js';
export * from './arithmetic.js';
export * from './unary-math.js';
export * from './activations.js';
export * from './binary-math.js';
export * from './bitwise.js';
export * from './blending.js';
export * from './closeness.js';
export * from './comparisons.js';
export * from './diagonals.js';
export * from './dims.js';
export * from './float-classes.js';
export * from './float-parts.js';
export * from './rearrange.js';
export * from './scattering.js';
export * from './special-math.js';
export * from './trigonometry.js';
export * as special from './special.js';
export * from './logic.js';
export * from './selecting.js';
export * from './indexing.js';
export * from './joining.js';
export * from './cast.js';
export * from './copy.js';
export * from './products.js';
export { bmm, dot, matmul, mm, mv, outer, vdot } from './matmul.js';
export * from './linalg.js';
export * from './statistics.js';
export * from './extremes.js';
export * from './scans.js';
export * from './sorting.js';
export * from './event-counts.js';
export * from './random-ops.js';
export * from './sampling.js';
export * as signal from './signal.js';
export * from './nn/index.js';
export * from './norms.js';
export * from './einsum.js';
export * from './tensordot.js';
export * from './distance.js';
export * from './calculus.js';
export * from './searching.js';
export * from './unique.js';
export * from './unravel-index.js';
export * from './counting.js';
export * from './order-statistics.js';
export * as linalg from './linalg/index.js';
