/** @file F: PyTorch's torch.nn.functional, in camelCase. What is an op of core is handed on; the rest is composed of core's ops. */
export {
  alphaDropout, avgPool1d, avgPool2d, avgPool3d, conv1d, conv2d, conv3d, convTranspose1d, convTranspose2d, convTranspose3d, dropout, dropout1d,
  dropout2d, dropout3d, featureAlphaDropout, linear, logSoftmax, maxPool1d, maxPool2d, maxPool3d,
  nllLoss, relu, relu_, sigmoid, softmax, tanh,
} from '@tessera/core';
export { crossEntropy, type CrossEntropyOptions } from './cross-entropy.js';
export { gru, lstm, type LstmOptions, type RecurrentOptions, rnnRelu, rnnTanh } from './recurrent.js';
export type { LossOptions, Reduction } from './reduction.js';
export {
  gaussianNllLoss, type GaussianNllLossOptions, huberLoss, type HuberLossOptions, klDiv, type KlDivOptions, l1Loss, mseLoss, poissonNllLoss,
  type PoissonNllLossOptions, smoothL1Loss, type SmoothL1LossOptions, type WeightedLossOptions,
} from './regression-losses.js';
