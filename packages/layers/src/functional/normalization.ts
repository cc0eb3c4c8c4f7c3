/** @file Norms that are compositions. Batch, instance, group, layer and root-mean-square norm are ops of core. */
import { checkOptions, type OptionNames, avgPool2d, constantPadNd, ShapeError, type Tensor, asFloat32, autocasting } from '@tessera/core';

const LOCAL_RESPONSE_NORM_OPTIONS: OptionNames<LocalResponseNormOptions> = { alpha: true, beta: true, k: true };
const NORMALIZE_OPTIONS: OptionNames<NormalizeOptions> = { p: true, dim: true, eps: true };

export interface LocalResponseNormOptions {
  /** Default 1e-4. */
  readonly alpha?: number;
  /** Default 0.75. */
  readonly beta?: number;
  /** Default 1. */
  readonly k?: number;
}

/**
 * x / (k + α · mean of x² over `size` neighbouring channels)^β, for x (N, C, …) (Krizhevsky et al., 2012). PyTorch: F.local_response_norm.
 * @throws ShapeError `ERR_NORM_SHAPE`
 */
export function localResponseNorm(x: Tensor, size: number, options: LocalResponseNormOptions = {}): Tensor {
  checkOptions('localResponseNorm', options, LOCAL_RESPONSE_NORM_OPTIONS);
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
  if (x.ndim < 3)
    throw new ShapeError('ERR_NORM_SHAPE', `localResponseNorm: Expected 3D or higher dimensionality input (got ${x.ndim} dimensions)`, {
      op: 'localResponseNorm',
      shapes: [x.shape],
    });
  if (x.numel() === 0) return x;
  const [batch, channels] = x.shape as [number, number];
  const squares = constantPadNd(x.square().reshape([batch, 1, channels, -1]), [0, 0, Math.floor(size / 2), Math.floor((size - 1) / 2)]);
  const mean = avgPool2d(squares, [size, 1], { stride: 1 }).reshape(x.shape);
  return x.div(mean.mul(alpha).add(k).pow(beta));
}

export interface NormalizeOptions {
  /** The norm's exponent; Infinity for the largest element. Default 2. */
  readonly p?: number;
  /** Default 1. */
  readonly dim?: number | readonly number[];
  /** The least divisor. Default 1e-12. */
  readonly eps?: number;
}

/** x / max(‖x‖_p, ε) along a dim. PyTorch: F.normalize. @example normalize(embeddings, { dim: -1 }) */
export function normalize(x: Tensor, options: NormalizeOptions = {}): Tensor {
  checkOptions('normalize', options, NORMALIZE_OPTIONS);
  if (autocasting.on) return asFloat32(normalize, x, options);
  const { p = 2, dim = 1, eps = 1e-12 } = options;
  return x.div(x.norm(p, dim, { keepdim: true }).clampMin(eps));
}
