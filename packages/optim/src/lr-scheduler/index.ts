/** @file Learning-rate schedulers. PyTorch: torch.optim.lr_scheduler. */
export { ChainedScheduler, type Part, SequentialLR } from './composed.js';
export {
  CosineAnnealingLR,
  type CosineAnnealingLROptions,
  CosineAnnealingWarmRestarts,
  type CosineAnnealingWarmRestartsOptions,
} from './cosine-annealing-lr.js';
export { CyclicLR, type CyclicLROptions } from './cyclic-lr.js';
export { ExponentialLR, PolynomialLR, type PolynomialLROptions } from './decay.js';
export { LambdaLR, type LrLambda, MultiplicativeLR } from './lambda-lr.js';
export { OneCycleLR, type OneCycleLROptions } from './one-cycle-lr.js';
export { ReduceLROnPlateau, type ReduceLROnPlateauOptions } from './reduce-lr-on-plateau.js';
export { type LrGroup, LRScheduler, type Schedulable, Scheduler, type SchedulerOptions, type SchedulerStateDict } from './scheduler.js';
export { MultiStepLR, StepLR, type StepLROptions } from './step-lr.js';
export { ConstantLR, type ConstantLROptions, LinearLR, type LinearLROptions } from './warmup.js';
