/** @file Averages of models: stochastic weight averaging, exponential moving averages. PyTorch: torch.optim.swa_utils. */
export { AveragedModel, type AveragedModelOptions } from './averaged-model.js';
export { type AverageFn, getEmaAvgFn, getEmaMultiAvgFn, getSwaAvgFn, getSwaMultiAvgFn, type MultiAverageFn } from './averages.js';
export { SWALR, type SWALROptions } from './swa-lr.js';
export { updateBn, type UpdateBnOptions } from './update-bn.js';
