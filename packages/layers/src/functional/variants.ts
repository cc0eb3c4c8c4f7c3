/** @file In-place forms, and forms that always give indices, under PyTorch's names of them. */
import {
  checkOptions,
  type OptionNames,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  type AdaptiveSize,
  celu,
  conv1d,
  elu,
  hardtanh,
  leakyRelu,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  type MaxPoolOptions,
  rrelu,
  selu,
  type SpatialSize,
  type Tensor,
  threshold,
} from '@tessera/core';
import { fractionalMaxPool2d, fractionalMaxPool3d, type FractionalMaxPoolOptions } from './fractional-max-pool.js';

const CELU__OPTIONS: OptionNames<Options<typeof celu>> = { alpha: true };
const ELU__OPTIONS: OptionNames<Options<typeof elu>> = { alpha: true };
const FRACTIONAL_MAX_POOL2D_WITH_INDICES_OPTIONS: OptionNames<Omit<FractionalMaxPoolOptions, 'returnIndices'>> = {
  outputSize: true,
  outputRatio: true,
  _randomSamples: true,
  generator: true,
};
const HARDTANH__OPTIONS: OptionNames<Options<typeof hardtanh>> = { minVal: true, maxVal: true };
const LEAKY_RELU__OPTIONS: OptionNames<Options<typeof leakyRelu>> = { negativeSlope: true };
const POOL_OPTIONS: OptionNames<PoolOptions> = { stride: true, padding: true, ceilMode: true, dilation: true };
const RRELU__OPTIONS: OptionNames<Options<typeof rrelu>> = { generator: true, lower: true, upper: true, training: true, rng: true };

type Options<F> = F extends (x: Tensor, options?: infer O) => unknown ? Omit<NonNullable<O>, 'inplace'> : never;

/** PyTorch: F.celu_. */
export const celu_ = (x: Tensor, options: Options<typeof celu> = {}): Tensor =>
  celu(x, { ...checkOptions('celu_', options, CELU__OPTIONS), inplace: true });
/** PyTorch: F.elu_. */
export const elu_ = (x: Tensor, options: Options<typeof elu> = {}): Tensor =>
  elu(x, { ...checkOptions('elu_', options, ELU__OPTIONS), inplace: true });
/** PyTorch: F.hardtanh_. */
export const hardtanh_ = (x: Tensor, options: Options<typeof hardtanh> = {}): Tensor =>
  hardtanh(x, { ...checkOptions('hardtanh_', options, HARDTANH__OPTIONS), inplace: true });
/** PyTorch: F.leaky_relu_. */
export const leakyRelu_ = (x: Tensor, options: Options<typeof leakyRelu> = {}): Tensor =>
  leakyRelu(x, { ...checkOptions('leakyRelu_', options, LEAKY_RELU__OPTIONS), inplace: true });
/** PyTorch: F.rrelu_. */
export const rrelu_ = (x: Tensor, options: Options<typeof rrelu> = {}): Tensor =>
  rrelu(x, { ...checkOptions('rrelu_', options, RRELU__OPTIONS), inplace: true });
/** PyTorch: F.selu_. */
export const selu_ = (x: Tensor): Tensor => selu(x, { inplace: true });
/** PyTorch: F.threshold_. */
export const threshold_ = (x: Tensor, limit: number, value: number): Tensor => threshold(x, limit, value, { inplace: true });

type PoolOptions = Omit<MaxPoolOptions, 'returnIndices'>;
type WithIndices = [values: Tensor, indices: Tensor];

/** PyTorch: F.max_pool1d_with_indices. */
export const maxPool1dWithIndices = (x: Tensor, kernelSize: SpatialSize, options: PoolOptions = {}): WithIndices =>
  maxPool1d(x, kernelSize, { ...checkOptions('maxPool1dWithIndices', options, POOL_OPTIONS), returnIndices: true });
/** PyTorch: F.max_pool2d_with_indices. */
export const maxPool2dWithIndices = (x: Tensor, kernelSize: SpatialSize, options: PoolOptions = {}): WithIndices =>
  maxPool2d(x, kernelSize, { ...checkOptions('maxPool2dWithIndices', options, POOL_OPTIONS), returnIndices: true });
/** PyTorch: F.max_pool3d_with_indices. */
export const maxPool3dWithIndices = (x: Tensor, kernelSize: SpatialSize, options: PoolOptions = {}): WithIndices =>
  maxPool3d(x, kernelSize, { ...checkOptions('maxPool3dWithIndices', options, POOL_OPTIONS), returnIndices: true });
/** PyTorch: F.adaptive_max_pool1d_with_indices. */
export const adaptiveMaxPool1dWithIndices = (x: Tensor, outputSize: AdaptiveSize): WithIndices =>
  adaptiveMaxPool1d(x, outputSize, { returnIndices: true });
/** PyTorch: F.adaptive_max_pool2d_with_indices. */
export const adaptiveMaxPool2dWithIndices = (x: Tensor, outputSize: AdaptiveSize): WithIndices =>
  adaptiveMaxPool2d(x, outputSize, { returnIndices: true });
/** PyTorch: F.adaptive_max_pool3d_with_indices. */
export const adaptiveMaxPool3dWithIndices = (x: Tensor, outputSize: AdaptiveSize): WithIndices =>
  adaptiveMaxPool3d(x, outputSize, { returnIndices: true });
/** PyTorch: F.fractional_max_pool2d_with_indices. */
export const fractionalMaxPool2dWithIndices = (
  x: Tensor,
  kernelSize: SpatialSize,
  options: Omit<FractionalMaxPoolOptions, 'returnIndices'> = {},
): WithIndices =>
  fractionalMaxPool2d(x, kernelSize, {
    ...checkOptions('fractionalMaxPool2dWithIndices', options, FRACTIONAL_MAX_POOL2D_WITH_INDICES_OPTIONS),
    returnIndices: true,
  });
/** PyTorch: F.fractional_max_pool3d_with_indices. */
export const fractionalMaxPool3dWithIndices = (
  x: Tensor,
  kernelSize: SpatialSize,
  options: Omit<FractionalMaxPoolOptions, 'returnIndices'> = {},
): WithIndices =>
  fractionalMaxPool3d(x, kernelSize, {
    ...checkOptions('fractionalMaxPool3dWithIndices', options, FRACTIONAL_MAX_POOL2D_WITH_INDICES_OPTIONS),
    returnIndices: true,
  });

/** A convolution over time of (T, N, C) with a weight (kernel, C, C'): (T', N, C'). PyTorch: F.conv_tbc. */
export const convTbc = (x: Tensor, weight: Tensor, bias: Tensor, padding = 0): Tensor =>
  conv1d(x.permute([1, 2, 0]), weight.permute([2, 1, 0]), bias, { padding }).permute([2, 0, 1]);
