/** @file The learning rate of stochastic weight averaging. PyTorch: torch.optim.swa_utils.SWALR. */
import {
  LRScheduler,
  perGroup,
  refuseSchedule,
  requireOptimizer,
  type Schedulable,
  type SchedulerOptions,
} from '../lr-scheduler/scheduler.js';
import { checkOptions, type OptionNames } from '@tessera/core';

const SWALR_OPTIONS: OptionNames<SWALROptions> = { annealEpochs: true, annealStrategy: true, lastEpoch: true };

export interface SWALROptions extends SchedulerOptions {
  /** How many epochs it takes to get there. Default 10. */
  readonly annealEpochs?: number;
  /** Default 'cos'. */
  readonly annealStrategy?: 'cos' | 'linear';
}

/**
 * The learning rate from where it is to `swaLr`, and constant from then on. PyTorch: optim.swa_utils.SWALR.
 * @throws ValueError `ERR_SCHEDULER`.
 * @example new SWALR(optimizer, 0.05, { annealEpochs: 5, annealStrategy: 'linear' })
 */
export class SWALR extends LRScheduler {
  static override readonly typeName = 'SWALR';
  static override readonly saved = { annealEpochs: 'anneal_epochs' };
  annealEpochs: number;
  readonly annealStrategy: 'cos' | 'linear';

  /** @param swaLr For all groups, or for each. */
  constructor(optimizer: Schedulable, swaLr: number | readonly number[], options: SWALROptions = {}) {
    checkOptions('SWALR', options, SWALR_OPTIONS);
    requireOptimizer(optimizer);
    const { annealEpochs = 10, annealStrategy = 'cos' } = options;
    const lrs = perGroup('swa_lr', optimizer, swaLr);
    if (annealStrategy !== 'cos' && annealStrategy !== 'linear')
      refuseSchedule(`anneal_strategy must by one of 'cos' or 'linear', instead got ${String(annealStrategy)}`);
    if (!Number.isInteger(annealEpochs) || annealEpochs < 0)
      refuseSchedule(`anneal_epochs must be equal or greater than 0, got ${annealEpochs}`);
    super(optimizer, options);
    this.groups.forEach((group, i) => (group.swaLr = lrs[i]!));
    this.annealEpochs = annealEpochs;
    this.annealStrategy = annealStrategy;
    this.start();
  }

  #share(t: number): number {
    return this.annealStrategy === 'cos' ? (1 - Math.cos(Math.PI * t)) / 2 : t;
  }

  protected override getLr(): number[] {
    const length = Math.max(1, this.annealEpochs);
    const step = this.annealEpochs === 0 ? Math.max(1, this.stepCount - 1) : this.stepCount - 1;
    const part = (n: number): number => this.#share(Math.max(0, Math.min(1, n / length)));
    const before = part(step - 1);
    const now = part(step);
    return this.groups.map((group) => {
      const swa = group.swaLr!;
      // What the learning rate was before any of it was mixed in.
      const start = before === 1 ? swa : (group.lr - before * swa) / (1 - before);
      return swa * now + start * (1 - now);
    });
  }
}
