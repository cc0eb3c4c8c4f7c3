/**
 * @file The entry `@tessera/core/functional`: tensors and functions of them, for inference in small bundles. A bundle holds the functions that it
 * calls and no others, because tensors have no methods here: `add(a, b)`, not `a.add(b)`. What is exported works without methods, which a test
 * holds. Gradients are written with methods: whoever trains imports `tessera` (or this entry and `@tessera/core`; both are one core).
 */
import { CONTRACT_VERSION } from './backend/contract.js';
import { BACKEND, LAYER } from './plugin/plugin.js';
import { Runtime } from './plugin/runtime.js';

export * from './errors.js';
export * from './tensor/dtype.js';
export { isTensor, type Tensor } from './tensor/tensor.js';
export type { Shape, Sizes } from './tensor/shape.js';
export { scope } from './memory/scope.js';
export type { BackendProvider, Plugin } from './plugin/plugin.js';
export type { Device } from './plugin/device.js';
export { init, type InitOptions, Runtime, runtimes } from './plugin/runtime.js';

export {
  arange,
  eye,
  empty,
  full,
  fullLike,
  manualSeed,
  ones,
  onesLike,
  rand,
  randint,
  randn,
  randperm,
  tensor,
  type TensorData,
  type TensorOptions,
  zeros,
  zerosLike,
} from './ops/creation.js';
export { add, div, mul, neg, sub } from './ops/arithmetic.js';
export { abs, ceil, exp, floor, log, reciprocal, round, rsqrt, sign, sqrt } from './ops/unary-math.js';
export { pow, remainder, square } from './ops/binary-math.js';
export { cos, sin } from './ops/trigonometry.js';
export { eq, ge, gt, le, lt, ne } from './ops/comparisons.js';
export { relu, sigmoid, tanh } from './ops/activations.js';
export { elu, gelu, hardsigmoid, hardswish, leakyRelu, silu, softplus } from './ops/activations-fn.js';
export { logicalAnd, logicalNot, logicalOr } from './ops/logic.js';
export { choose as where } from './ops/where.js';
export { clamp, maximum, minimum } from './ops/selecting.js';
export { mean, prod, sum } from './ops/reduce.js';
export { amax, amin, argmax, argmin } from './ops/extremes.js';
export { matmul } from './ops/matmul.js';
export { cat, stack } from './ops/cat.js';
export { gather, indexSelect } from './ops/gather.js';
export { cast, cast as to } from './ops/cast.js';
export { expand, flatten, narrow, permute, reshape, select, slice, squeeze, transpose, unflatten, unsqueeze, view } from './ops/view.js';
export { linear } from './ops/nn/linear.js';
export { conv1d, conv2d, conv3d } from './ops/nn/conv.js';
export { maxPool1d, maxPool2d, maxPool3d } from './ops/nn/max-pool.js';
export { avgPool1d, avgPool2d, avgPool3d } from './ops/nn/avg-pool.js';
export { embedding } from './ops/nn/embedding.js';
export { batchNorm, groupNorm, layerNorm, rmsNorm } from './ops/nn/normalization.js';
export { logSoftmax, softmax } from './ops/nn/softmax.js';
export { scaledDotProductAttention } from './ops/nn/attention.js';

// What plugins are handed; with all of core there as well, its index came first or comes instead.
Runtime.provideCore({ BACKEND, LAYER, CONTRACT_VERSION } as unknown as typeof import('./index.js'), true);
export { CONTRACT_VERSION };
