/** @file Learning rates that start low. PyTorch: ConstantLR, LinearLR. */
import { LRScheduler, refuseSchedule, type Schedulable, type SchedulerOptions } from './scheduler.js';
import { checkOptions, type OptionNames } from '@tessera/core';

const CONSTANT_LR_OPTIONS: OptionNames<ConstantLROptions> = { factor: true, totalIters: true, lastEpoch: true };
const LINEAR_LR_OPTIONS: OptionNames<LinearLROptions> = { startFactor: true, endFactor: true, totalIters: true, lastEpoch: true };

export interface ConstantLROptions extends SchedulerOptions {
  /** In [0, 1]. Default 1/3. */
  readonly factor?: number;
  /** How many epochs it lasts. Default 5. */
  readonly totalIters?: number;
}

/**
 * The learning rate times a factor until epoch `totalIters`. PyTorch: ConstantLR.
 * @example new ConstantLR(optimizer, { factor: 0.5, totalIters: 4 })
 */
export class ConstantLR extends LRScheduler {
  static override readonly typeName = 'ConstantLR';
  static override readonly saved = { factor: 'factor', totalIters: 'total_iters' };
  factor: number;
  totalIters: number;

  constructor(optimizer: Schedulable, options: ConstantLROptions = {}) {
    checkOptions('ConstantLR', options, CONSTANT_LR_OPTIONS);
    super(optimizer, options);
    const factor = options.factor ?? 1 / 3;
    if (!(factor >= 0 && factor <= 1)) refuseSchedule('Constant multiplicative factor expected to be between 0 and 1.');
    this.factor = factor;
    this.totalIters = options.totalIters ?? 5;
    this.start();
  }

  protected override getLr(): number[] {
    const { lastEpoch: n, totalIters, factor } = this;
    return this.groups.map((g) => (n === 0 ? g.lr * factor : n === totalIters ? g.lr * (1 / factor) : g.lr));
  }

  protected override closedForm(): number[] {
    return this.baseLrs.map((lr) => lr * (this.lastEpoch >= this.totalIters ? 1 : this.factor));
  }
}

export interface LinearLROptions extends SchedulerOptions {
  /** The factor at epoch 0, in (0, 1]. Default 1/3. */
  readonly startFactor?: number;
  /** The factor from epoch `totalIters` on, in [0, 1]. Default 1. */
  readonly endFactor?: number;
  /** How many epochs it takes. Default 5. */
  readonly totalIters?: number;
}

/**
 * The learning rate times a factor that goes evenly from one value to another. PyTorch: LinearLR.
 * @example new LinearLR(optimizer, { startFactor: 0.1, totalIters: 10 }) // warm-up
 */
export class LinearLR extends LRScheduler {
  static override readonly typeName = 'LinearLR';
  static override readonly saved = { startFactor: 'start_factor', endFactor: 'end_factor', totalIters: 'total_iters' };
  startFactor: number;
  endFactor: number;
  totalIters: number;

  constructor(optimizer: Schedulable, options: LinearLROptions = {}) {
    checkOptions('LinearLR', options, LINEAR_LR_OPTIONS);
    super(optimizer, options);
    const { startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = options;
    if (!(startFactor > 0 && startFactor <= 1))
      refuseSchedule('Starting multiplicative factor expected to be greater than 0 and less or equal to 1.');
    if (!(endFactor >= 0 && endFactor <= 1)) refuseSchedule('Ending multiplicative factor expected to be between 0 and 1.');
    this.startFactor = startFactor;
    this.endFactor = endFactor;
    this.totalIters = totalIters;
    this.start();
  }

  protected override getLr(): number[] {
    const { lastEpoch: n, totalIters, startFactor, endFactor } = this;
    if (n === 0) return this.groups.map((g) => g.lr * startFactor);
    if (this.initial || n > totalIters) return this.groups.map((g) => g.lr);
    const rise = endFactor - startFactor;
    return this.groups.map((g) => g.lr * (1 + rise / (totalIters * startFactor + (n - 1) * rise)));
  }

  protected override closedForm(): number[] {
    const { startFactor, endFactor, totalIters } = this;
    const factor = startFactor + ((endFactor - startFactor) * Math.min(totalIters, this.lastEpoch)) / totalIters;
    return this.baseLrs.map((lr) => lr * factor);
  }
}
