/** @file nn.utils: what is done to whole modules and their parameters. PyTorch: torch.nn.utils. */
export { clipGradNorm_, clipGradsWithNorm_, clipGradValue_, type ClipNormOptions, getTotalNorm, type Parameters } from './clip-grad.js';
export { fuseConvBnEval, fuseConvBnWeights, fuseLinearBnEval, fuseLinearBnWeights } from './fuse.js';
export { parametersToVector, vectorToParameters } from './parameter-vector.js';
export * as parametrizations from './parametrizations/index.js';
export * as parametrize from './parametrize/index.js';
export * as prune from './prune/index.js';
export * as rnn from './rnn.js';
export * from './python-names.js';
