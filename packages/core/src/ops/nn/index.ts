/** @file Neural-net ops with kernels and backward rules of their own. */
export {
  type AdaptiveMaxPoolOptions,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  type AdaptiveSize,
} from './adaptive-pool.js';
export { type AttentionOptions, scaledDotProductAttention } from './attention.js';
export { avgPool1d, avgPool2d, avgPool3d, type AvgPoolOptions } from './avg-pool.js';
export {
  conv1d,
  conv2d,
  conv3d,
  type ConvOptions,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type ConvTransposeOptions,
} from './conv.js';
export { alphaDropout, dropout, dropout1d, dropout2d, dropout3d, type DropoutOptions, featureAlphaDropout } from './dropout.js';
export { embedding, type EmbeddingOptions } from './embedding.js';
export type { SpatialSize } from './geometry.js';
export { col2im, im2col } from './im2col.js';
export { linear } from './linear.js';
export { maxPool1d, maxPool2d, maxPool3d, type MaxPoolOptions } from './max-pool.js';
export { nllLoss, type NllLossOptions, type Reduction } from './nll-loss.js';
export {
  batchNorm,
  type BatchNormOptions,
  type EpsOptions,
  groupNorm,
  instanceNorm,
  type InstanceNormOptions,
  layerNorm,
  rmsNorm,
  type RmsNormOptions,
} from './normalization.js';
export type { NoiseOptions } from './noise.js';
export { nativeBatchNorm, nativeLayerNorm } from './native-norms.js';
export { constantPadNd } from './pad.js';
export { gruCell, lstmCell, rnnReluCell, rnnTanhCell } from './recurrent-cells.js';
export { logSoftmax, softmax, type SoftmaxOptions } from './softmax.js';
