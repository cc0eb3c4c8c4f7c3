/** @file Learning rates by functions of the epoch. PyTorch: LambdaLR, MultiplicativeLR. */
import { LRScheduler, refuseSchedule, type Schedulable, type SchedulerOptions } from './scheduler.js';
import { checkOptions, type OptionNames } from '@tessera/core';

const SCHEDULER_OPTIONS: OptionNames<SchedulerOptions> = { lastEpoch: true };

/** A factor for an epoch. */
export type LrLambda = (epoch: number) => number;

function lambdasFor(optimizer: Schedulable, given: LrLambda | readonly LrLambda[]): LrLambda[] {
  const { length } = optimizer.paramGroups;
  const all = typeof given === 'function' ? new Array<LrLambda>(length).fill(given) : [...given];
  if (all.length !== length) refuseSchedule(`Expected ${length} lr_lambdas, but got ${all.length}`);
  for (const fn of all) if (typeof fn !== 'function') refuseSchedule(`lr_lambda should be a function, but got ${typeof fn}`);
  return all;
}

/** What both save: that there are functions, which cannot be saved. */
abstract class ByLambda extends LRScheduler {
  readonly lrLambdas: readonly LrLambda[];

  /** @param lrLambda One function, or one for each group. */
  constructor(optimizer: Schedulable, lrLambda: LrLambda | readonly LrLambda[], options: SchedulerOptions = {}) {
    checkOptions(new.target.typeName, options, SCHEDULER_OPTIONS);
    super(optimizer, options);
    this.lrLambdas = lambdasFor(optimizer, lrLambda);
    this.start();
  }

  override stateDict(): Record<string, unknown> {
    return { ...super.stateDict(), lr_lambdas: this.lrLambdas.map(() => null) };
  }
}

/**
 * The first learning rate times a function of the epoch. Functions are not saved. PyTorch: LambdaLR.
 * @example new LambdaLR(optimizer, (epoch) => 0.95 ** epoch)
 */
export class LambdaLR extends ByLambda {
  static override readonly typeName = 'LambdaLR';

  protected override getLr(): number[] {
    return this.baseLrs.map((lr, i) => lr * this.lrLambdas[i]!(this.lastEpoch));
  }
}

/**
 * The last learning rate times a function of the epoch. Functions are not saved. PyTorch: MultiplicativeLR.
 * @example new MultiplicativeLR(optimizer, () => 0.95)
 */
export class MultiplicativeLR extends ByLambda {
  static override readonly typeName = 'MultiplicativeLR';

  protected override getLr(): number[] {
    return this.groups.map((g, i) => (this.initial ? g.lr : g.lr * this.lrLambdas[i]!(this.lastEpoch)));
  }
}
