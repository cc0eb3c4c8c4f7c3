/** @file Learning-rate schedulers. PyTorch: torch.optim.lr_scheduler. */
export { CosineAnnealingLR, type CosineAnnealingLROptions } from './cosine-annealing-lr.js';
export { LRScheduler, type SchedulerOptions, type WithLr } from './scheduler.js';
export { StepLR, type StepLROptions } from './step-lr.js';
