/** @file In-place forms, and forms that always give indices, under PyTorch's names of them. */
import {
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

type Options<F> = F extends (x: Tensor, options?: infer O) => unknown ? Omit<NonNullable<O>, 'inplace'> : never;

/** PyTorch: F.celu_. */
export const celu_ = (x: Tensor, options: Options<typeof celu> = {}): Tensor => celu(x, { ...options, inplace: true });
/** PyTorch: F.elu_. */
export const elu_ = (x: Tensor, options: Options<typeof elu> = {}): Tensor => elu(x, { ...options, inplace: true });
/** PyTorch: F.hardtanh_. */
export const hardtanh_ = (x: Tensor, options: Options<typeof hardtanh> = {}): Tensor => hardtanh(x, { ...options, inplace: true });
/** PyTorch: F.leaky_relu_. */
export const leakyRelu_ = (x: Tensor, options: Options<typeof leakyRelu> = {}): Tensor => leakyRelu(x, { ...options, inplace: true });
/** PyTorch: F.rrelu_. */
export const rrelu_ = (x: Tensor, options: Options<typeof rrelu> = {}): Tensor => rrelu(x, { ...options, inplace: true });
/** PyTorch: F.selu_. */
export const selu_ = (x: Tensor): Tensor => selu(x, { inplace: true });
/** PyTorch: F.threshold_. */
export const threshold_ = (x: Tensor, limit: number, value: number): Tensor => threshold(x, limit, value, { inplace: true });

type PoolOptions = Omit<MaxPoolOptions, 'returnIndices'>;
type WithIndices = [values: Tensor, indices: Tensor];

/** PyTorch: F.max_pool1d_with_indices. */
export const maxPool1dWithIndices = (x: Tensor, kernelSize: SpatialSize, options: PoolOptions = {}): WithIndices =>
  maxPool1d(x, kernelSize, { ...options, returnIndices: true });
/** PyTorch: F.max_pool2d_with_indices. */
export const maxPool2dWithIndices = (x: Tensor, kernelSize: SpatialSize, options: PoolOptions = {}): WithIndices =>
  maxPool2d(x, kernelSize, { ...options, returnIndices: true });
/** PyTorch: F.max_pool3d_with_indices. */
export const maxPool3dWithIndices = (x: Tensor, kernelSize: SpatialSize, options: PoolOptions = {}): WithIndices =>
  maxPool3d(x, kernelSize, { ...options, returnIndices: true });
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
): WithIndices => fractionalMaxPool2d(x, kernelSize, { ...options, returnIndices: true });
/** PyTorch: F.fractional_max_pool3d_with_indices. */
export const fractionalMaxPool3dWithIndices = (
  x: Tensor,
  kernelSize: SpatialSize,
  options: Omit<FractionalMaxPoolOptions, 'returnIndices'> = {},
): WithIndices => fractionalMaxPool3d(x, kernelSize, { ...options, returnIndices: true });

/** A convolution over time of (T, N, C) with a weight (kernel, C, C'): (T', N, C'). PyTorch: F.conv_tbc. */
export const convTbc = (x: Tensor, weight: Tensor, bias: Tensor, padding = 0): Tensor =>
  conv1d(x.permute([1, 2, 0]), weight.permute([2, 1, 0]), bias, { padding }).permute([2, 0, 1]);
