/** @file What the constructors of this package's layers take, by name, in the form of signature.ts. Options that are no data (device, generator) are left out. */

const DTYPE = "dtype: dtype = 'float32'";
const INPLACE = 'inplace: bool = false';
const REDUCTION = "reduction: 'none' | 'mean' | 'sum' = 'mean'";
const RNG = "rng: 'philox' | 'torch' = 'philox'";
const AFFINE_NORM = `eps: number = 1e-5, momentum: number | null = 0.1, affine: bool = %, trackRunningStats: bool = %, ${DTYPE}`;
const BATCH_NORM = `{ ${AFFINE_NORM.replaceAll('%', 'true')} }`;
const INSTANCE_NORM = `{ ${AFFINE_NORM.replaceAll('%', 'false')} }`;
const WEIGHT = 'weight: tensor | null = null';
const CONVOLUTION = `stride: size = 1, dilation: size = 1, groups: int = 1, bias: bool = true, paddingMode: 'zeros' | 'reflect' | 'replicate' | 'circular' = 'zeros', ${DTYPE}`;
const CONV = `kernelSize: size, { padding: size | 'same' | 'valid' = 0, ${CONVOLUTION} }`;
const CONV_TRANSPOSE = `kernelSize: size, { padding: size = 0, outputPadding: size = 0, ${CONVOLUTION} }`;
const RECURRENT = `inputSize: int, hiddenSize: int, { numLayers: int = 1, bias: bool = true, batchFirst: bool = false, dropout: number = 0, bidirectional: bool = false, ${DTYPE}`;
const EMBEDDING = `numEmbeddings: int, embeddingDim: int, { paddingIdx: int | null = null, maxNorm: number | null = null, normType: number = 2, scaleGradByFreq: bool = false, ${DTYPE}`;
const TRANSFORMER_LAYER = `dimFeedforward: int = 2048, dropout: number = 0.1, activation: 'relu' | 'gelu' | module = 'relu', layerNormEps: number = 1e-5, batchFirst: bool = false, normFirst: bool = false, bias: bool = true, ${RNG}, ${DTYPE}`;
const POOL = 'padding: size = 0, ceilMode: bool = false, countIncludePad: bool = true';
const STRIDED = 'kernelSize: size, stride: size | null = null';
const RESIZE = 'size: size | null = null, scaleFactor: number | number[] | null = null';

const dims = (name: string, ranks: readonly number[] = [1, 2, 3]): string => ranks.map((n) => `${name}${n}d`).join(' ');

/** Names, divided by spaces, and the signature that they share. */
const SHARED: readonly (readonly [names: string, signature: string])[] = [
  // containers
  ['Sequential', '...modules: module | modules'],
  ['ModuleList', 'modules: module[] = []'],
  ['ModuleDict', 'modules: modules = []'],

  // linear
  ['Identity', ''],
  ['Linear', `inFeatures: int, outFeatures: int, { bias: bool = true, ${DTYPE} }`],
  ['LazyLinear', `outFeatures: int, { bias: bool = true, ${DTYPE} }`],
  ['Bilinear', `in1Features: int, in2Features: int, outFeatures: int, { bias: bool = true, ${DTYPE} }`],
  ['CosineSimilarity', '{ dim: int = 1, eps: number = 1e-8 }'],
  ['PairwiseDistance', '{ p: number = 2, eps: number = 1e-6, keepdim: bool = false }'],

  // convolution
  [dims('Conv'), `inChannels: int, outChannels: int, ${CONV}`],
  [dims('LazyConv'), `outChannels: int, ${CONV}`],
  [dims('ConvTranspose'), `inChannels: int, outChannels: int, ${CONV_TRANSPOSE}`],
  [dims('LazyConvTranspose'), `outChannels: int, ${CONV_TRANSPOSE}`],

  // pooling
  ['AvgPool1d', `${STRIDED}, { ${POOL} }`],
  [dims('AvgPool', [2, 3]), `${STRIDED}, { ${POOL}, divisorOverride: int | null = null }`],
  [dims('MaxPool'), `${STRIDED}, { padding: size = 0, dilation: size = 1, returnIndices: bool = false, ceilMode: bool = false }`],
  [dims('MaxUnpool'), 'kernelSize: size, { stride: size | null = null, padding: size = 0 }'],
  [dims('LPPool'), 'normType: number, kernelSize: size, { stride: size | null = null, ceilMode: bool = false }'],
  [dims('AdaptiveAvgPool'), 'outputSize: int? | int?[]'],
  [dims('AdaptiveMaxPool'), 'outputSize: int? | int?[], { returnIndices: bool = false }'],
  [
    dims('FractionalMaxPool', [2, 3]),
    'kernelSize: size, { outputSize: size | null = null, outputRatio: number | number[] | null = null, returnIndices: bool = false }',
  ],

  // normalisation
  [dims('BatchNorm'), `numFeatures: int, ${BATCH_NORM}`],
  [dims('LazyBatchNorm'), BATCH_NORM],
  [dims('InstanceNorm'), `numFeatures: int, ${INSTANCE_NORM}`],
  [dims('LazyInstanceNorm'), INSTANCE_NORM],
  ['LayerNorm', `normalizedShape: size, { eps: number = 1e-5, elementwiseAffine: bool = true, bias: bool = true, ${DTYPE} }`],
  ['RMSNorm', `normalizedShape: size, { eps: number | null = null, elementwiseAffine: bool = true, ${DTYPE} }`],
  ['GroupNorm', `numGroups: int, numChannels: int, { eps: number = 1e-5, affine: bool = true, ${DTYPE} }`],
  ['LocalResponseNorm CrossMapLRN2d', 'size: int, { alpha: number = 1e-4, beta: number = 0.75, k: number = 1 }'],

  // activations
  ['Sigmoid LogSigmoid Tanh Tanhshrink Softsign Softmax2d', ''],
  ['ReLU ReLU6 SELU SiLU Mish Hardsigmoid Hardswish', `{ ${INPLACE} }`],
  ['CELU ELU', `{ alpha: number = 1, ${INPLACE} }`],
  ['LeakyReLU', `negativeSlope: number = 0.01, { ${INPLACE} }`],
  ['PReLU', `numParameters: int = 1, { init: number = 0.25, ${DTYPE} }`],
  ['RReLU', `{ lower: number = 0.125, upper: number = ${1 / 3}, ${INPLACE}, ${RNG} }`],
  ['Threshold', `threshold: number, value: number, { ${INPLACE} }`],
  ['GELU', "{ approximate: 'none' | 'tanh' = 'none' }"],
  ['GLU', 'dim: int = -1'],
  ['Hardshrink Softshrink', '{ lambd: number = 0.5 }'],
  ['Softplus', '{ beta: number = 1, threshold: number = 20 }'],
  ['Softmax Softmin LogSoftmax', 'dim: int | null = null'],
  ['Hardtanh', `{ minVal: number = -1, maxVal: number = 1, ${INPLACE} }`],

  // dropout
  [`Dropout AlphaDropout FeatureAlphaDropout ${dims('Dropout')}`, `p: number = 0.5, { ${INPLACE}, ${RNG} }`],

  // recurrent
  ['RNN', `${RECURRENT}, nonlinearity: 'tanh' | 'relu' = 'tanh' }`],
  ['LSTM', `${RECURRENT}, projSize: int = 0 }`],
  ['GRU', `${RECURRENT} }`],
  ['RNNCell', `inputSize: int, hiddenSize: int, { bias: bool = true, nonlinearity: 'tanh' | 'relu' = 'tanh', ${DTYPE} }`],
  ['LSTMCell GRUCell', `inputSize: int, hiddenSize: int, { bias: bool = true, ${DTYPE} }`],

  // tables
  ['Embedding', `${EMBEDDING} }`],
  ['EmbeddingBag', `${EMBEDDING}, mode: 'sum' | 'mean' | 'max' = 'mean', includeLastOffset: bool = false }`],

  // attention
  [
    'MultiheadAttention',
    `embedDim: int, numHeads: int, { dropout: number = 0, bias: bool = true, addBiasKv: bool = false, addZeroAttn: bool = false, kdim: int | null = null, vdim: int | null = null, batchFirst: bool = false, ${RNG}, ${DTYPE} }`,
  ],
  ['TransformerEncoderLayer TransformerDecoderLayer', `dModel: int, nhead: int, { ${TRANSFORMER_LAYER} }`],
  ['TransformerEncoder', 'encoderLayer: module, numLayers: int, { norm: module | null = null }'],
  ['TransformerDecoder', 'decoderLayer: module, numLayers: int, { norm: module | null = null }'],
  [
    'Transformer',
    `{ dModel: int = 512, nhead: int = 8, numEncoderLayers: int = 6, numDecoderLayers: int = 6, customEncoder: module | null = null, customDecoder: module | null = null, ${TRANSFORMER_LAYER} }`,
  ],

  // shape
  ['Flatten', 'startDim: int = 1, endDim: int = -1'],
  ['Unflatten', 'dim: int, unflattenedSize: int[]'],
  ['Fold', 'outputSize: size, kernelSize: size, { dilation: size = 1, padding: size = 0, stride: size = 1 }'],
  ['Unfold', 'kernelSize: size, { dilation: size = 1, padding: size = 0, stride: size = 1 }'],
  [dims('ConstantPad'), 'padding: size, value: number'],
  [['ZeroPad', 'ReflectionPad', 'ReplicationPad', 'CircularPad'].map((name) => dims(name)).join(' '), 'padding: size'],
  ['ChannelShuffle', 'groups: int'],
  ['PixelShuffle', 'upscaleFactor: int'],
  ['PixelUnshuffle', 'downscaleFactor: int'],
  [
    'Upsample',
    `{ ${RESIZE}, mode: 'nearest' | 'linear' | 'bilinear' | 'bicubic' | 'trilinear' | 'area' | 'nearest-exact' = 'nearest', alignCorners: bool | null = null, recomputeScaleFactor: bool | null = null }`,
  ],
  ['UpsamplingNearest2d UpsamplingBilinear2d', `{ ${RESIZE} }`],

  // losses
  ['L1Loss MSELoss SoftMarginLoss MultiLabelMarginLoss', `{ ${REDUCTION} }`],
  ['BCELoss MultiLabelSoftMarginLoss', `{ ${WEIGHT}, ${REDUCTION} }`],
  ['BCEWithLogitsLoss', `{ ${WEIGHT}, ${REDUCTION}, posWeight: tensor | null = null }`],
  ['CTCLoss', `{ blank: int = 0, ${REDUCTION}, zeroInfinity: bool = false }`],
  ['CosineEmbeddingLoss MarginRankingLoss', `{ margin: number = 0, ${REDUCTION} }`],
  ['HingeEmbeddingLoss', `{ margin: number = 1, ${REDUCTION} }`],
  ['NLLLoss', `{ ${WEIGHT}, ignoreIndex: int = -100, ${REDUCTION} }`],
  ['CrossEntropyLoss', `{ ${WEIGHT}, ignoreIndex: int = -100, ${REDUCTION}, labelSmoothing: number = 0 }`],
  ['GaussianNLLLoss', `{ full: bool = false, eps: number = 1e-6, ${REDUCTION} }`],
  ['HuberLoss', `{ ${REDUCTION}, delta: number = 1 }`],
  ['KLDivLoss', "{ reduction: 'none' | 'mean' | 'sum' | 'batchmean' = 'mean', logTarget: bool = false }"],
  ['MultiMarginLoss', `{ p: int = 1, margin: number = 1, ${WEIGHT}, ${REDUCTION} }`],
  ['PoissonNLLLoss', `{ logInput: bool = true, full: bool = false, eps: number = 1e-8, ${REDUCTION} }`],
  ['SmoothL1Loss', `{ ${REDUCTION}, beta: number = 1 }`],
  ['TripletMarginLoss', `{ margin: number = 1, p: number = 2, eps: number = 1e-6, swap: bool = false, ${REDUCTION} }`],
  // A distance that is a function is no data: only the default one (null) can be written.
  ['TripletMarginWithDistanceLoss', `{ distanceFunction: null = null, margin: number = 1, swap: bool = false, ${REDUCTION} }`],
  [
    'AdaptiveLogSoftmaxWithLoss',
    `inFeatures: int, nClasses: int, cutoffs: int[], { divValue: number = 4, headBias: bool = false, ${DTYPE} }`,
  ],
];

export const BUILT_IN_SIGNATURES: ReadonlyMap<string, string> = new Map(
  SHARED.flatMap(([names, signature]) => names.split(' ').map((name) => [name, signature] as const)),
);
