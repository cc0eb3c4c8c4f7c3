/** @file How many inputs and outputs an element of a weight has, and what an activation does to variances. */
import { ShapeError, type Tensor, ValueError } from '@tessera/core';

/** Which side's variance is kept: that of the forward pass (inputs), or of the backward pass. */
export type FanMode = 'fan_in' | 'fan_out';

/** Names of activations, as PyTorch has them. */
export type Nonlinearity =
  | 'linear'
  | 'conv1d'
  | 'conv2d'
  | 'conv3d'
  | 'conv_transpose1d'
  | 'conv_transpose2d'
  | 'conv_transpose3d'
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'leaky_relu'
  | 'selu';

/** For a weight (out, in, …kernel): in and out times the kernel's elements. @throws ShapeError `ERR_INIT_RANK`. */
export function calculateFans(weight: Tensor): { readonly fanIn: number; readonly fanOut: number } {
  if (weight.ndim < 2) {
    throw new ShapeError('ERR_INIT_RANK', 'Fan in and fan out can not be computed for tensor with fewer than 2 dimensions', {
      shapes: [weight.shape],
    });
  }
  const [out, input, ...kernel] = weight.shape;
  const field = kernel.reduce((product, size) => product * size, 1);
  return { fanIn: input * field, fanOut: out * field };
}

/** @throws ValueError `ERR_INIT_OPTION`. */
export function fanOf(weight: Tensor, mode: FanMode): number {
  const { fanIn, fanOut } = calculateFans(weight);
  if (mode !== 'fan_in' && mode !== 'fan_out')
    throw new ValueError('ERR_INIT_OPTION', `Mode ${String(mode)} not supported, please use one of fan_in, fan_out`);
  return mode === 'fan_in' ? fanIn : fanOut;
}

/**
 * The factor by which weights before an activation are to be larger. PyTorch: nn.init.calculate_gain.
 * @param slope of `leaky_relu` below 0. Default 0.01.
 * @throws ValueError `ERR_INIT_OPTION`.
 */
export function calculateGain(nonlinearity: Nonlinearity, slope = 0.01): number {
  switch (nonlinearity) {
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.sqrt(2);
    case 'leaky_relu':
      return Math.sqrt(2 / (1 + slope ** 2));
    case 'selu':
      return 3 / 4;
    case 'linear':
    case 'conv1d':
    case 'conv2d':
    case 'conv3d':
    case 'conv_transpose1d':
    case 'conv_transpose2d':
    case 'conv_transpose3d':
    case 'sigmoid':
      return 1;
    default:
      throw new ValueError('ERR_INIT_OPTION', `Unsupported nonlinearity ${String(nonlinearity)}`);
  }
}
