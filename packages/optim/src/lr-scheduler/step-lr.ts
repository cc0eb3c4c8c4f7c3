/** @file The learning rate times gamma every `stepSize` epochs. PyTorch: StepLR. */
import { LRScheduler, type SchedulerOptions } from './scheduler.js';

export interface StepLROptions extends SchedulerOptions {
  /** Default 0.1. */
  readonly gamma?: number;
}

export class StepLR extends LRScheduler {
  static override readonly typeName = 'StepLR';
  gamma: number;

  constructor(
    optimizer: ConstructorParameters<typeof LRScheduler>[0],
    public stepSize: number,
    options: StepLROptions = {},
  ) {
    super(optimizer, options);
    this.gamma = options.gamma ?? 0.1;
    this.start();
  }

  protected override getLr(): number[] {
    const keep = this.lastEpoch === 0 || this.lastEpoch % this.stepSize !== 0;
    return this.groups.map((g) => (keep ? g.lr : g.lr * this.gamma));
  }
}
