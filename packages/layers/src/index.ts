/**
 * @file The layers of Tessera: what `nn` is. PyTorch: torch.nn. Modules, F (torch.nn.functional), init (torch.nn.init), and the base classes.
 */
export { Buffer, Module, type ModuleOf, Parameter, UninitializedBuffer, UninitializedParameter } from '@tessera/core';
export * as F from './functional/index.js';
export * as functional from './functional/index.js';
export * as init from './init/index.js';
export * as utils from './utils/index.js';

export { ModuleDict } from './containers/module-dict.js';
export { ModuleList } from './containers/module-list.js';
export type { NamedModules } from './containers/named-modules.js';
export { ParameterDict } from './containers/parameter-dict.js';
export { ParameterList } from './containers/parameter-list.js';
export { Sequential } from './containers/sequential.js';

export { Bilinear } from './linear/bilinear.js';
export { CosineSimilarity, PairwiseDistance } from './linear/distance.js';
export { Identity } from './linear/identity.js';
export { Linear, type LinearOptions } from './linear/linear.js';

export type { ConvBaseOptions, PaddingMode } from './convolution/conv-base.js';
export { Conv1d, Conv2d, Conv3d, type ConvOptions } from './convolution/conv.js';
export { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d, type ConvTransposeOptions } from './convolution/conv-transpose.js';

export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveAvgPool3d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AdaptiveMaxPool3d,
} from './pooling/adaptive-pool.js';
export { AvgPool1d, AvgPool2d, AvgPool3d, type AvgPoolNdOptions, type AvgPoolOptions } from './pooling/avg-pool.js';
export { FractionalMaxPool2d, FractionalMaxPool3d, type FractionalMaxPoolOptions } from './pooling/fractional-max-pool.js';
export { LPPool1d, LPPool2d, LPPool3d } from './pooling/lp-pool.js';
export { MaxPool1d, MaxPool2d, MaxPool3d, type MaxPoolOptions } from './pooling/max-pool.js';
export { MaxUnpool1d, MaxUnpool2d, MaxUnpool3d, type MaxUnpoolOptions } from './pooling/max-unpool.js';

export { type AttentionCallOptions, MultiheadAttention, type MultiheadAttentionOptions } from './attention/multihead-attention.js';
export type { Clonable, LayerSource } from './attention/copies.js';
export { Transformer, type TransformerCallOptions, type TransformerOptions } from './attention/transformer.js';
export {
  type DecoderCallOptions,
  type DecoderLayer,
  TransformerDecoder,
  TransformerDecoderLayer,
  type TransformerDecoderOptions,
} from './attention/transformer-decoder.js';
export {
  type EncoderCallOptions,
  type EncoderLayer,
  type EncoderLayerCallOptions,
  TransformerEncoder,
  TransformerEncoderLayer,
  type TransformerEncoderOptions,
} from './attention/transformer-encoder.js';
export type { TransformerActivation, TransformerLayerOptions } from './attention/transformer-layer.js';

export type { InplaceOptions } from './activation/inplace.js';
export { type AlphaOptions, CELU, ELU, SELU } from './activation/exponential.js';
export { GELU, type GELUOptions, GLU } from './activation/gelu.js';
export {
  LeakyReLU,
  type LeakyReLUOptions,
  PReLU,
  type PReLUOptions,
  ReLU,
  ReLU6,
  RReLU,
  type RReLUOptions,
  Threshold,
} from './activation/relu.js';
export { Hardsigmoid, Hardswish, LogSigmoid, Mish, Sigmoid, SiLU } from './activation/sigmoid.js';
export { Hardshrink, type ShrinkOptions, Softplus, type SoftplusOptions, Softshrink, Softsign } from './activation/soft.js';
export { type DimOptions, LogSoftmax, Softmax, Softmax2d, Softmin } from './activation/softmax.js';
export { Hardtanh, type HardtanhOptions, Tanh, Tanhshrink } from './activation/tanh.js';

export { BatchNorm1d, BatchNorm2d, BatchNorm3d } from './normalization/batch-norm.js';
export { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d } from './normalization/instance-norm.js';
export {
  GroupNorm,
  type GroupNormOptions,
  LayerNorm,
  type LayerNormOptions,
  RMSNorm,
  type RMSNormOptions,
} from './normalization/layer-norm.js';
export { CrossMapLRN2d, LocalResponseNorm } from './normalization/local-response-norm.js';
export type { NormOptions } from './normalization/norm-base.js';

export { AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, type DropoutOptions, FeatureAlphaDropout } from './dropout/dropout.js';

export { GRU, LSTM, type LSTMOptions, RNN, type RNNOptions } from './rnn.js';
export { RNNBase, type RNNBaseOptions } from './rnn-base.js';
export { type CellOptions, GRUCell, LSTMCell, RNNCell, RNNCellBase, type RNNCellOptions } from './rnn-cells.js';

export { Embedding, type EmbeddingOptions, type PretrainedOptions } from './sparse/embedding.js';
export { EmbeddingBag, type EmbeddingBagOptions } from './sparse/embedding-bag.js';

export { LazyConv1d, LazyConv2d, LazyConv3d, LazyConvTranspose1d, LazyConvTranspose2d, LazyConvTranspose3d } from './lazy/lazy-conv.js';
export { LazyLinear } from './lazy/lazy-linear.js';
export {
  LazyBatchNorm1d,
  LazyBatchNorm2d,
  LazyBatchNorm3d,
  LazyInstanceNorm1d,
  LazyInstanceNorm2d,
  LazyInstanceNorm3d,
} from './lazy/lazy-norm.js';

export { Flatten, type FlattenOptions, Unflatten } from './shape/flatten.js';
export { Fold, Unfold } from './shape/fold.js';
export {
  CircularPad1d,
  CircularPad2d,
  CircularPad3d,
  ConstantPad1d,
  ConstantPad2d,
  ConstantPad3d,
  type Padding,
  ReflectionPad1d,
  ReflectionPad2d,
  ReflectionPad3d,
  ReplicationPad1d,
  ReplicationPad2d,
  ReplicationPad3d,
  ZeroPad1d,
  ZeroPad2d,
  ZeroPad3d,
} from './shape/padding.js';
export { ChannelShuffle, PixelShuffle, PixelUnshuffle } from './shape/shuffle.js';
export { Upsample, type UpsampleOptions, UpsamplingBilinear2d, UpsamplingNearest2d } from './shape/upsample.js';

export { AdaptiveLogSoftmaxWithLoss, type AdaptiveLogSoftmaxWithLossOptions } from './loss/adaptive-log-softmax.js';
export { BCELoss, BCEWithLogitsLoss, type BCEWithLogitsLossOptions, MultiLabelSoftMarginLoss, SoftMarginLoss } from './loss/binary.js';
export { CrossEntropyLoss, type CrossEntropyLossOptions, NLLLoss, type NLLLossOptions } from './loss/classification.js';
export { CTCLoss, type CTCLossOptions } from './loss/ctc.js';
export {
  CosineEmbeddingLoss,
  HingeEmbeddingLoss,
  type MarginLossOptions,
  MarginRankingLoss,
  MultiLabelMarginLoss,
  MultiMarginLoss,
  type MultiMarginLossOptions,
  TripletMarginLoss,
  type TripletMarginLossOptions,
  TripletMarginWithDistanceLoss,
  type TripletMarginWithDistanceLossOptions,
} from './loss/margin.js';
export type { LossOptions, WeightedLossOptions } from './loss/loss-base.js';
export {
  GaussianNLLLoss,
  type GaussianNLLLossOptions,
  HuberLoss,
  type HuberLossOptions,
  KLDivLoss,
  type KLDivLossOptions,
  L1Loss,
  MSELoss,
  PoissonNLLLoss,
  type PoissonNLLLossOptions,
  SmoothL1Loss,
  type SmoothL1LossOptions,
} from './loss/regression.js';
export type { FactoryOptions } from './options.js';
export { ModelSummary, type SummaryColumn, type SummaryRow } from './summary/model-summary.js';
export { summary, type SummaryOptions } from './summary/summary.js';

export {
  type ConfigOptions,
  fromConfig,
  type LayerDocument,
  type LayerReference,
  type ModelDocument,
  type ModuleClass,
  type MoreLayers,
  toConfig,
  type ToConfigOptions,
} from './config/index.js';
