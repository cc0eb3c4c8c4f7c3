/** @file The learning rate along a half cosine, down to `etaMin` in `tMax` epochs (Loshchilov and Hutter, 2016). PyTorch: CosineAnnealingLR. */
import { LRScheduler, type SchedulerOptions } from './scheduler.js';

export interface CosineAnnealingLROptions extends SchedulerOptions {
  /** The least learning rate. Default 0. */
  readonly etaMin?: number;
}

export class CosineAnnealingLR extends LRScheduler {
  static override readonly typeName = 'CosineAnnealingLR';
  etaMin: number;

  constructor(
    optimizer: ConstructorParameters<typeof LRScheduler>[0],
    public tMax: number,
    options: CosineAnnealingLROptions = {},
  ) {
    super(optimizer, options);
    this.etaMin = options.etaMin ?? 0;
    this.start();
  }

  protected override getLr(): number[] {
    const { lastEpoch: n, tMax, etaMin } = this;
    if (n === 0) return this.groups.map((g) => g.lr);
    // After a turn at etaMin the recursion below would divide by zero.
    if ((n - 1 - tMax) % (2 * tMax) === 0)
      return this.groups.map((g, i) => g.lr + ((this.baseLrs[i]! - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2);
    return this.groups.map(
      (g) => ((1 + Math.cos((Math.PI * n) / tMax)) / (1 + Math.cos((Math.PI * (n - 1)) / tMax))) * (g.lr - etaMin) + etaMin,
    );
  }
}
