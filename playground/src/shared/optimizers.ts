/** @file The optimizers that the page offers, and their options: one table for the form and for the worker. */

export interface OptimizerOption {
  /** As the optimizer takes it. */
  readonly name: string;
  readonly label: string;
  readonly default: number | boolean;
  readonly min?: number;
  readonly max?: number;
}

export interface OptimizerRow {
  readonly name: string;
  readonly options: readonly OptimizerOption[];
}

const lr = (value: number): OptimizerOption => ({ name: 'lr', label: 'Learning rate', default: value, min: 0, max: 100 });
const decay = (value: number): OptimizerOption => ({ name: 'weightDecay', label: 'Weight decay', default: value, min: 0, max: 10 });
const momentum = (value: number): OptimizerOption => ({ name: 'momentum', label: 'Momentum', default: value, min: 0, max: 1 });
const beta1: OptimizerOption = { name: 'beta1', label: 'Beta 1', default: 0.9, min: 0, max: 0.999_999 };
const beta2: OptimizerOption = { name: 'beta2', label: 'Beta 2', default: 0.999, min: 0, max: 0.999_999 };
const amsgrad: OptimizerOption = { name: 'amsgrad', label: 'AMSGrad', default: false };

export const OPTIMIZERS: readonly OptimizerRow[] = [
  { name: 'Adam', options: [lr(0.004), beta1, beta2, decay(0), amsgrad] },
  { name: 'AdamW', options: [lr(0.004), beta1, beta2, decay(0.01), amsgrad] },
  { name: 'SGD', options: [lr(0.05), momentum(0.9), decay(0), { name: 'nesterov', label: 'Nesterov', default: false }] },
  { name: 'NAdam', options: [lr(0.004), beta1, beta2, decay(0)] },
  { name: 'RAdam', options: [lr(0.004), beta1, beta2, decay(0)] },
  { name: 'Adamax', options: [lr(0.004), beta1, beta2, decay(0)] },
  { name: 'RMSprop', options: [lr(0.001), { name: 'alpha', label: 'Smoothing', default: 0.99, min: 0, max: 1 }, momentum(0), decay(0)] },
  { name: 'Adagrad', options: [lr(0.02), decay(0)] },
  { name: 'Adadelta', options: [lr(1), { name: 'rho', label: 'Rho', default: 0.9, min: 0, max: 1 }, decay(0)] },
];
