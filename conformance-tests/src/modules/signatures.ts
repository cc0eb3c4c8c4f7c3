/**
 * @file Constructors of layers, and forwards whose PyTorch calls use keywords. The rule is that of ops (see ops/signatures): what PyTorch requires
 * is positional, and what people write without a name (a pool's stride, a dropout's p, a softmax's dim); the rest are options. Classes that are not
 * here take everything positionally.
 */
export const CONSTRUCTORS: readonly string[] = [
  // linear
  'Linear(inFeatures, outFeatures, { bias })',
  'LazyLinear(outFeatures, { bias })',
  'Bilinear(in1Features, in2Features, outFeatures, { bias })',
  'CosineSimilarity({ dim, eps })',
  'PairwiseDistance({ p, eps, keepdim })',

  // convolution
  ...['', 'Lazy'].flatMap((lazy) =>
    [1, 2, 3].flatMap((dims) => {
      const channels = lazy === '' ? 'inChannels, outChannels, kernelSize' : 'outChannels, kernelSize';
      return [
        `${lazy}Conv${dims}d(${channels}, { stride, padding, dilation, groups, bias, paddingMode })`,
        `${lazy}ConvTranspose${dims}d(${channels}, { stride, padding, outputPadding, groups, bias, dilation, paddingMode })`,
      ];
    }),
  ),
  'Unfold(kernelSize, { dilation, padding, stride })',
  'Fold(outputSize, kernelSize, { dilation, padding, stride })',

  // pooling
  'AvgPool1d(kernelSize, stride, { padding, ceilMode, countIncludePad })',
  ...[2, 3].map((dims) => `AvgPool${dims}d(kernelSize, stride, { padding, ceilMode, countIncludePad, divisorOverride })`),
  ...[1, 2, 3].flatMap((dims) => [
    `MaxPool${dims}d(kernelSize, stride, { padding, dilation, returnIndices, ceilMode })`,
    `MaxUnpool${dims}d(kernelSize, stride, { padding })`,
    `LPPool${dims}d(normType, kernelSize, { stride, ceilMode })`,
    `AdaptiveMaxPool${dims}d(outputSize, { returnIndices })`,
  ]),
  ...[2, 3].map((dims) => `FractionalMaxPool${dims}d(kernelSize, { outputSize, outputRatio, returnIndices })`),

  // normalisation
  ...[1, 2, 3].flatMap((dims) => [
    `BatchNorm${dims}d(numFeatures, { eps, momentum, affine, trackRunningStats })`,
    `InstanceNorm${dims}d(numFeatures, { eps, momentum, affine, trackRunningStats })`,
  ]),
  'LayerNorm(normalizedShape, { eps, elementwiseAffine, bias })',
  'RMSNorm(normalizedShape, { eps, elementwiseAffine })',
  'GroupNorm(numGroups, numChannels, { eps, affine })',
  'LocalResponseNorm(size, { alpha, beta, k })',

  // activations
  'CELU({ alpha, inplace })',
  'ELU({ alpha, inplace })',
  'GELU({ approximate })',
  'GLU(dim)',
  'Hardshrink({ lambd })',
  'Softshrink({ lambd })',
  'Hardtanh({ minVal, maxVal, inplace })',
  'LeakyReLU(negativeSlope, { inplace })',
  'PReLU(numParameters, { init })',
  'RReLU({ lower, upper, inplace, rng })',
  'ReLU({ inplace })',
  'Softplus({ beta, threshold })',
  'Threshold(threshold, value, { inplace })',

  // dropout
  ...['Dropout', 'Dropout1d', 'Dropout2d', 'Dropout3d', 'AlphaDropout', 'FeatureAlphaDropout'].map(
    (name) => `${name}(p, { inplace, rng })`,
  ),

  // embedding
  'Embedding(numEmbeddings, embeddingDim, { paddingIdx, maxNorm, normType, scaleGradByFreq })',
  'EmbeddingBag(numEmbeddings, embeddingDim, { maxNorm, normType, scaleGradByFreq, mode, sparse, _weight, includeLastOffset, paddingIdx })',

  // recurrent
  'RNN(inputSize, hiddenSize, { numLayers, nonlinearity, bias, batchFirst, dropout, bidirectional })',
  'LSTM(inputSize, hiddenSize, { numLayers, bias, batchFirst, dropout, bidirectional, projSize })',
  'GRU(inputSize, hiddenSize, { numLayers, bias, batchFirst, dropout, bidirectional })',
  'RNNCell(inputSize, hiddenSize, { bias, nonlinearity })',
  'LSTMCell(inputSize, hiddenSize, { bias })',
  'GRUCell(inputSize, hiddenSize, { bias })',

  // attention
  'MultiheadAttention(embedDim, numHeads, { dropout, bias, addBiasKv, addZeroAttn, kdim, vdim, batchFirst, rng })',
  'Transformer({ dModel, nhead, numEncoderLayers, numDecoderLayers, dimFeedforward, dropout, activation, layerNormEps, batchFirst, normFirst, bias, rng })',
  ...['TransformerEncoderLayer', 'TransformerDecoderLayer'].map(
    (name) => `${name}(dModel, nhead, { dimFeedforward, dropout, activation, layerNormEps, batchFirst, normFirst, bias, rng })`,
  ),
  'TransformerEncoder(encoderLayer, numLayers, { norm, enableNestedTensor })',
  'TransformerDecoder(decoderLayer, numLayers, { norm })',

  // shape
  'Flatten(startDim, endDim)',
  'Upsample({ size, scaleFactor, mode, alignCorners })',
  'UpsamplingNearest2d({ size, scaleFactor })',
  'UpsamplingBilinear2d({ size, scaleFactor })',

  // losses
  ...['L1Loss', 'MSELoss', 'SoftMarginLoss', 'MultiLabelMarginLoss'].map((name) => `${name}({ sizeAverage, reduce, reduction })`),
  ...['BCELoss', 'MultiLabelSoftMarginLoss'].map((name) => `${name}({ weight, sizeAverage, reduce, reduction })`),
  'BCEWithLogitsLoss({ weight, sizeAverage, reduce, reduction, posWeight })',
  'CTCLoss({ blank, reduction, zeroInfinity })',
  'CosineEmbeddingLoss({ margin, sizeAverage, reduce, reduction })',
  'CrossEntropyLoss({ weight, sizeAverage, ignoreIndex, reduce, reduction, labelSmoothing })',
  'GaussianNLLLoss({ full, eps, reduction })',
  'HingeEmbeddingLoss({ margin, sizeAverage, reduce, reduction })',
  'HuberLoss({ reduction, delta })',
  'KLDivLoss({ sizeAverage, reduce, reduction, logTarget })',
  'MarginRankingLoss({ margin, sizeAverage, reduce, reduction })',
  'MultiMarginLoss({ p, margin, weight, sizeAverage, reduce, reduction })',
  'NLLLoss({ weight, sizeAverage, ignoreIndex, reduce, reduction })',
  'PoissonNLLLoss({ logInput, full, sizeAverage, eps, reduce, reduction })',
  'SmoothL1Loss({ sizeAverage, reduce, reduction, beta })',
  'TripletMarginLoss({ margin, p, eps, swap, sizeAverage, reduce, reduction })',
  'TripletMarginWithDistanceLoss({ distanceFunction, margin, swap, reduction })',
  'AdaptiveLogSoftmaxWithLoss(inFeatures, nClasses, cutoffs, { divValue, headBias })',
];

export const FORWARDS: readonly string[] = [
  'Linear(input)',
  'EmbeddingBag(input, offsets, perSampleWeights)',
  'MultiheadAttention(query, key, value, { keyPaddingMask, needWeights, attnMask, averageAttnWeights, isCausal })',
  'Transformer(src, tgt, { srcMask, tgtMask, memoryMask, srcKeyPaddingMask, tgtKeyPaddingMask, memoryKeyPaddingMask })',
  'TransformerEncoder(src, { mask, srcKeyPaddingMask, isCausal })',
  'TransformerEncoderLayer(src, { srcMask, srcKeyPaddingMask, isCausal })',
  'TransformerDecoder(tgt, memory, { tgtMask, memoryMask, tgtKeyPaddingMask, memoryKeyPaddingMask })',
  'TransformerDecoderLayer(tgt, memory, { tgtMask, memoryMask, tgtKeyPaddingMask, memoryKeyPaddingMask })',
];
