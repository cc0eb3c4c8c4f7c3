/** @file Schedulers made of schedulers. PyTorch: SequentialLR, ChainedScheduler. */
import { ReduceLROnPlateau } from './reduce-lr-on-plateau.js';
import {
  LRScheduler,
  refuseSchedule,
  refuseState,
  Scheduler,
  type Schedulable,
  type SchedulerOptions,
  type SchedulerStateDict,
} from './scheduler.js';
import { checkOptions, type OptionNames } from '@tessera/core';

const SCHEDULER_OPTIONS: OptionNames<SchedulerOptions> = { lastEpoch: true };

/** What can be a part: all schedulers but ReduceLROnPlateau, whose step takes a metric. */
export type Part = LRScheduler | SequentialLR | ChainedScheduler;

abstract class Composed extends Scheduler {
  constructor(
    optimizer: Schedulable,
    readonly schedulers: readonly Part[],
    typeName: string,
  ) {
    super(optimizer);
    schedulers.forEach((part, i) => {
      if (!((part as unknown) instanceof Scheduler))
        refuseSchedule(`${typeName} at index ${i} should have \`optimizer\` as its attribute.`);
      if ((part as unknown) instanceof ReduceLROnPlateau)
        refuseSchedule(
          `${typeName} does not support \`ReduceLROnPlateau\` scheduler as it requires additional kwargs to be specified when calling \`step\`, but got one at index ${i} in the given schedulers sequence.`,
        );
      if (part.optimizer !== optimizer)
        refuseSchedule(
          `${typeName} expects all schedulers to belong to the same optimizer, but got scheduler ${part.typeName} at index ${i}, which has another one`,
        );
    });
  }

  /** To the next epoch. */
  abstract step(): void;

  override stateDict(): Record<string, unknown> {
    return { ...super.stateDict(), _schedulers: this.schedulers.map((s) => s.stateDict()) };
  }

  /** @throws TesseraError `ERR_SCHEDULER_STATE` where the number of parts differs. */
  override loadStateDict(state: SchedulerStateDict): void {
    const parts = state['_schedulers'] as readonly SchedulerStateDict[] | undefined;
    if (parts?.length !== this.schedulers.length)
      refuseState(this.typeName, `the state has ${parts?.length ?? 0} schedulers, and there are ${this.schedulers.length}`);
    super.loadStateDict(state);
    this.schedulers.forEach((s, i) => s.loadStateDict(parts![i]!));
  }
}

/**
 * One scheduler after the other: the next from each milestone on, which is its epoch 0. PyTorch: SequentialLR.
 * @throws ValueError `ERR_SCHEDULER`.
 * @example
 * const warmUp = new LinearLR(optimizer, { startFactor: 0.1, totalIters: 5 });
 * const decay = new CosineAnnealingLR(optimizer, 95);
 * new SequentialLR(optimizer, [warmUp, decay], [5])
 */
export class SequentialLR extends Composed {
  static override readonly typeName = 'SequentialLR';
  static override readonly saved = { milestones: '_milestones' };
  milestones: readonly number[];

  constructor(optimizer: Schedulable, schedulers: readonly Part[], milestones: readonly number[], options: SchedulerOptions = {}) {
    checkOptions('SequentialLR', options, SCHEDULER_OPTIONS);
    if (schedulers.length < 1) refuseSchedule('SequentialLR expects at least one scheduler, but got no scheduler.');
    super(optimizer, schedulers, 'SequentialLR');
    if (milestones.length !== schedulers.length - 1)
      refuseSchedule(
        `Sequential Schedulers expects number of schedulers provided to be one more than the number of milestone points, but got number of schedulers ${schedulers.length} and the number of milestones to be equal to ${milestones.length}`,
      );
    this.milestones = [...milestones];
    this.lastEpoch = (options.lastEpoch ?? -1) + 1;
    // The parts have all taken their first step; only the first part's is to count.
    for (const group of this.groups) group.lr = group.initialLr ?? group.lr;
    undo(this);
    begin(schedulers[0]!);
    this.lastLr = schedulers[0]!.getLastLr();
  }

  override step(): void {
    this.lastEpoch++;
    const index = this.milestones.filter((m) => m <= this.lastEpoch).length;
    const part = this.schedulers[index]!;
    if (index > 0 && this.milestones[index - 1] === this.lastEpoch) restart(part);
    else part.step();
    this.lastLr = part.getLastLr();
  }
}

/** Takes back the first step of all simple schedulers below. PyTorch: recursive_undo. */
function undo(scheduler: Part): void {
  if (scheduler instanceof LRScheduler) scheduler.lastEpoch--;
  else for (const part of scheduler.schedulers) undo(part);
}

/** The first step, once more: each scheduler goes by what it finds. */
function begin(scheduler: Part): void {
  if (scheduler instanceof LRScheduler) scheduler.start();
  else if (scheduler instanceof SequentialLR) {
    scheduler.lastEpoch = 0;
    begin(scheduler.schedulers[0]!);
  } else for (const part of scheduler.schedulers) begin(part);
}

/** Epoch 0 of the next part: from the first learning rate on, whatever the part before it left. */
function restart(scheduler: Part): void {
  if (scheduler instanceof LRScheduler) scheduler.moveTo(0);
  else if (scheduler instanceof SequentialLR) {
    scheduler.lastEpoch = 0;
    restart(scheduler.schedulers[0]!);
    scheduler.noteLrs();
  } else {
    const [first, ...rest] = scheduler.schedulers;
    restart(first!);
    for (const part of rest) begin(part);
    scheduler.noteLrs();
  }
}

/**
 * All schedulers at once: each multiplies what the one before it left. PyTorch: ChainedScheduler.
 * @throws ValueError `ERR_SCHEDULER`.
 * @example new ChainedScheduler([new ConstantLR(optimizer, { factor: 0.1 }), new ExponentialLR(optimizer, 0.9)])
 */
export class ChainedScheduler extends Composed {
  static override readonly typeName = 'ChainedScheduler';

  constructor(schedulers: readonly Part[], optimizer?: Schedulable) {
    if (schedulers.length < 1) refuseSchedule('ChainedScheduler expects at least one scheduler to be chained, but got no scheduler.');
    super(optimizer ?? schedulers[0]!.optimizer, schedulers, 'ChainedScheduler');
    this.noteLrs();
  }

  override step(): void {
    for (const part of this.schedulers) part.step();
    this.noteLrs();
  }
}
