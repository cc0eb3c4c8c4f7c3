/** @file Learning rates that fall in steps. PyTorch: StepLR, MultiStepLR. */
import { LRScheduler, requireNumber, type Schedulable, type SchedulerOptions, type SchedulerStateDict } from './scheduler.js';
import { checkOptions, type OptionNames } from '@tessera/core';

const STEP_LR_OPTIONS: OptionNames<StepLROptions> = { gamma: true, lastEpoch: true };

export interface StepLROptions extends SchedulerOptions {
  /** The factor of each step. Default 0.1. */
  readonly gamma?: number;
}

/**
 * The learning rate times gamma every `stepSize` epochs. PyTorch: StepLR.
 * @example new StepLR(optimizer, 30, { gamma: 0.1 }) // 0.05, from epoch 30 on 0.005, from 60 on 0.0005
 */
export class StepLR extends LRScheduler {
  static override readonly typeName = 'StepLR';
  static override readonly saved = { stepSize: 'step_size', gamma: 'gamma' };
  stepSize: number;
  gamma: number;

  constructor(optimizer: Schedulable, stepSize: number, options: StepLROptions = {}) {
    checkOptions('StepLR', options, STEP_LR_OPTIONS);
    super(optimizer, options);
    requireNumber('StepLR', 'stepSize', stepSize);
    this.stepSize = stepSize;
    this.gamma = options.gamma ?? 0.1;
    this.start();
  }

  protected override getLr(): number[] {
    const keep = this.lastEpoch === 0 || this.lastEpoch % this.stepSize !== 0;
    return this.groups.map((g) => (keep ? g.lr : g.lr * this.gamma));
  }

  protected override closedForm(): number[] {
    return this.baseLrs.map((lr) => lr * this.gamma ** Math.floor(this.lastEpoch / this.stepSize));
  }
}

/**
 * The learning rate times gamma at each milestone (an epoch; one given twice counts twice). PyTorch: MultiStepLR.
 * @example new MultiStepLR(optimizer, [30, 80], { gamma: 0.1 })
 */
export class MultiStepLR extends LRScheduler {
  static override readonly typeName = 'MultiStepLR';
  static override readonly saved = { gamma: 'gamma' };
  /** How often each epoch is a milestone. */
  milestones: Map<number, number>;
  gamma: number;

  constructor(optimizer: Schedulable, milestones: Iterable<number>, options: StepLROptions = {}) {
    checkOptions('MultiStepLR', options, STEP_LR_OPTIONS);
    super(optimizer, options);
    this.milestones = new Map();
    for (const m of milestones) this.milestones.set(m, (this.milestones.get(m) ?? 0) + 1);
    this.gamma = options.gamma ?? 0.1;
    this.start();
  }

  protected override getLr(): number[] {
    const times = this.milestones.get(this.lastEpoch);
    return this.groups.map((g) => (times === undefined ? g.lr : g.lr * this.gamma ** times));
  }

  protected override closedForm(): number[] {
    let passed = 0;
    for (const [epoch, times] of this.milestones) if (epoch <= this.lastEpoch) passed += times;
    return this.baseLrs.map((lr) => lr * this.gamma ** passed);
  }

  /** `milestones` is an object from epochs to counts, as PyTorch's Counter is. */
  override stateDict(): Record<string, unknown> {
    return { ...super.stateDict(), milestones: Object.fromEntries(this.milestones) };
  }

  override loadStateDict(state: SchedulerStateDict): void {
    super.loadStateDict(state);
    const saved = state['milestones'];
    if (saved instanceof Map) this.milestones = new Map(saved as Map<number, number>);
    else if (typeof saved === 'object' && saved !== null)
      this.milestones = new Map(Object.entries(saved).map(([epoch, times]) => [Number(epoch), times as number]));
  }
}
