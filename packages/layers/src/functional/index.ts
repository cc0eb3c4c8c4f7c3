/** @file F: PyTorch's torch.nn.functional, in camelCase. What is an op of core is handed on; the rest is composed of core's ops. */
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  alphaDropout,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  batchNorm,
  celu,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  dropout,
  dropout1d,
  dropout2d,
  dropout3d,
  elu,
  embedding,
  gelu,
  glu,
  hardshrink,
  hardsigmoid,
  hardswish,
  hardtanh,
  leakyRelu,
  logsigmoid,
  mish,
  prelu,
  relu6,
  rrelu,
  selu,
  silu,
  softplus,
  softshrink,
  softsign,
  tanhshrink,
  threshold,
  featureAlphaDropout,
  groupNorm,
  instanceNorm,
  layerNorm,
  linear,
  logSoftmax,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  nllLoss,
  relu,
  relu_,
  rmsNorm,
  sigmoid,
  softmax,
  tanh,
  type AttentionOptions,
  scaledDotProductAttention,
} from '@tessera/core';
export {
  binaryCrossEntropy,
  type BinaryCrossEntropyOptions,
  binaryCrossEntropyWithLogits,
  type BinaryCrossEntropyWithLogitsOptions,
  multilabelSoftMarginLoss,
  softMarginLoss,
} from './binary-losses.js';
export { crossEntropy, type CrossEntropyOptions } from './cross-entropy.js';
export { ctcLoss, ctcLossAsync, type CtcLossOptions, type Lengths } from './ctc-loss.js';
export {
  bilinear,
  cosineSimilarity,
  type CosineSimilarityOptions,
  pairwiseDistance,
  type PairwiseDistanceOptions,
  pdist,
  type PdistOptions,
} from './distance.js';
export { embeddingBag, type EmbeddingBagOptions, oneHot, oneHotAsync } from './embedding.js';
export {
  affineGrid,
  type AffineGridOptions,
  type GridPaddingMode,
  gridSample,
  type GridSampleMode,
  type GridSampleOptions,
} from './grid-sample.js';
export { fractionalMaxPool2d, fractionalMaxPool3d, type FractionalMaxPoolOptions } from './fractional-max-pool.js';
export { gumbelSoftmax, type GumbelSoftmaxOptions } from './gumbel-softmax.js';
export { interpolate, type InterpolateMode, type InterpolateOptions, upsample, upsampleBilinear, upsampleNearest } from './interpolate.js';
export {
  cosineEmbeddingLoss,
  hingeEmbeddingLoss,
  type MarginLossOptions,
  marginRankingLoss,
  multilabelMarginLoss,
  multiMarginLoss,
  type MultiMarginLossOptions,
  tripletMarginLoss,
  type TripletMarginLossOptions,
  tripletMarginWithDistanceLoss,
  type TripletMarginWithDistanceLossOptions,
} from './margin-losses.js';
export { localResponseNorm, type LocalResponseNormOptions, normalize, type NormalizeOptions } from './normalization.js';
export { multiHeadAttentionForward, type MultiHeadAttentionOptions } from './multi-head-attention.js';
export { pad, type PadMode, type PadOptions } from './pad.js';
export {
  lpPool1d,
  lpPool2d,
  lpPool3d,
  type LpPoolOptions,
  maxUnpool1d,
  maxUnpool2d,
  maxUnpool3d,
  type MaxUnpoolOptions,
} from './pooling.js';
export { gru, lstm, type LstmOptions, type RecurrentOptions, rnnRelu, rnnTanh } from './recurrent.js';
export type { LossOptions, Reduction } from './reduction.js';
export {
  gaussianNllLoss,
  type GaussianNllLossOptions,
  huberLoss,
  type HuberLossOptions,
  klDiv,
  type KlDivOptions,
  l1Loss,
  mseLoss,
  poissonNllLoss,
  type PoissonNllLossOptions,
  smoothL1Loss,
  type SmoothL1LossOptions,
  type WeightedLossOptions,
} from './regression-losses.js';
export { softmin } from './softmin.js';
export { channelShuffle, fold, pixelShuffle, pixelUnshuffle, unfold, type UnfoldOptions } from './vision.js';
export {
  adaptiveMaxPool1dWithIndices,
  adaptiveMaxPool2dWithIndices,
  adaptiveMaxPool3dWithIndices,
  celu_,
  convTbc,
  elu_,
  fractionalMaxPool2dWithIndices,
  fractionalMaxPool3dWithIndices,
  hardtanh_,
  leakyRelu_,
  maxPool1dWithIndices,
  maxPool2dWithIndices,
  maxPool3dWithIndices,
  rrelu_,
  selu_,
  threshold_,
} from './variants.js';
export * from './python-names.js';
