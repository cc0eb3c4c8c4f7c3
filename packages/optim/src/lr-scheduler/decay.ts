/** @file Learning rates that fall steadily. PyTorch: ExponentialLR, PolynomialLR. */
import { LRScheduler, requireNumber, type Schedulable, type SchedulerOptions } from './scheduler.js';
import { checkOptions, type OptionNames } from '@tessera/core';

const SCHEDULER_OPTIONS: OptionNames<SchedulerOptions> = { lastEpoch: true };
const POLYNOMIAL_LR_OPTIONS: OptionNames<PolynomialLROptions> = { totalIters: true, power: true, lastEpoch: true };

/**
 * The learning rate times gamma every epoch. PyTorch: ExponentialLR.
 * @example new ExponentialLR(optimizer, 0.95)
 */
export class ExponentialLR extends LRScheduler {
  static override readonly typeName = 'ExponentialLR';
  static override readonly saved = { gamma: 'gamma' };
  gamma: number;

  constructor(optimizer: Schedulable, gamma: number, options: SchedulerOptions = {}) {
    checkOptions('ExponentialLR', options, SCHEDULER_OPTIONS);
    super(optimizer, options);
    requireNumber('ExponentialLR', 'gamma', gamma);
    this.gamma = gamma;
    this.start();
  }

  protected override getLr(): number[] {
    return this.groups.map((g) => (this.initial ? g.lr : g.lr * this.gamma));
  }

  protected override closedForm(): number[] {
    return this.baseLrs.map((lr) => lr * this.gamma ** this.lastEpoch);
  }
}

export interface PolynomialLROptions extends SchedulerOptions {
  /** How many epochs it takes to reach 0. Default 5. */
  readonly totalIters?: number;
  /** Default 1: a straight line. */
  readonly power?: number;
}

/**
 * The learning rate times (1 − epoch / totalIters)^power, down to 0. PyTorch: PolynomialLR.
 * @example new PolynomialLR(optimizer, { totalIters: 100, power: 2 })
 */
export class PolynomialLR extends LRScheduler {
  static override readonly typeName = 'PolynomialLR';
  static override readonly saved = { totalIters: 'total_iters', power: 'power' };
  totalIters: number;
  power: number;

  constructor(optimizer: Schedulable, options: PolynomialLROptions = {}) {
    checkOptions('PolynomialLR', options, POLYNOMIAL_LR_OPTIONS);
    super(optimizer, options);
    this.totalIters = options.totalIters ?? 5;
    this.power = options.power ?? 1;
    this.start();
  }

  protected override getLr(): number[] {
    const { lastEpoch: n, totalIters, power } = this;
    if (this.initial || n > totalIters) return this.groups.map((g) => g.lr);
    const factor = ((1 - n / totalIters) / (1 - (n - 1) / totalIters)) ** power;
    return this.groups.map((g) => g.lr * factor);
  }

  protected override closedForm(): number[] {
    const { totalIters, power } = this;
    return this.baseLrs.map((lr) => lr * (1 - Math.min(totalIters, this.lastEpoch) / totalIters) ** power);
  }
}
