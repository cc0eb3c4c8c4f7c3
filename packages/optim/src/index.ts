/** @file The optimizers of Tessera: PyTorch's torch.optim, learning-rate schedulers and gradient clipping. */
export { Adam, type AdamOptions, AdamW } from './adam.js';
export {
  Optimizer,
  type OptimizerStateDict,
  type ParamGroup,
  type ParamGroupInput,
  type Params,
  type ParamState,
  type StepHook,
} from './optimizer.js';
export { SGD, type SGDOptions } from './sgd.js';
export * as lrScheduler from './lr-scheduler/index.js';
