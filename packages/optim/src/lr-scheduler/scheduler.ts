/** @file LRScheduler: sets the learning rate of each group, epoch by epoch. PyTorch: torch.optim.lr_scheduler.LRScheduler. */
import { kindOf, refusePythonNames, TesseraError, ValueError } from '@tessera/core';
import { Optimizer } from '../base/optimizer.js';

/** A group as schedulers see it. What they add (`initialLr`, …) is saved with the optimizer. */
export interface LrGroup {
  lr: number;
  initialLr?: number;
  maxLr?: number;
  minLr?: number;
  swaLr?: number;
  momentum?: number;
  betas?: readonly [number, number];
  baseMomentum?: number;
  maxMomentum?: number;
}

/** An optimizer whose groups have a learning rate: all of them. */
export type Schedulable = { readonly paramGroups: readonly { lr: number }[]; readonly defaults: object; readonly stepsTaken: number };

export interface SchedulerOptions {
  /** The epoch to go on from; −1 (the default) starts anew. */
  readonly lastEpoch?: number;
}

/** A scheduler's numbers, under PyTorch's names. */
export type SchedulerStateDict = Readonly<Record<string, unknown>>;

/** @throws ValueError `ERR_SCHEDULER` */
export function refuseSchedule(why: string): never {
  throw new ValueError('ERR_SCHEDULER', why);
}

export function requireOptimizer(optimizer: Schedulable): void {
  if (!Array.isArray((optimizer as Partial<Schedulable> | null)?.paramGroups)) refuseSchedule(`${typeof optimizer} is not an Optimizer`);
}

/** A number that stands before the options. @throws ValueError `ERR_SCHEDULER` */
export function requireNumber(typeName: string, name: string, value: unknown): void {
  if (typeof value !== 'number')
    refuseSchedule(`${typeName}: ${name} comes after the optimizer and must be a number, not ${kindOf(value)}`);
}

/** One value for each group: the same, or an array of as many. PyTorch: _format_param. */
export function perGroup(name: string, optimizer: Schedulable, value: number | readonly number[]): number[] {
  const { length } = optimizer.paramGroups;
  if (typeof value === 'number') return new Array<number>(length).fill(value);
  if (value.length !== length) {
    refuseSchedule(
      `${name} must have the same length as optimizer.param_groups. ${name} has ${value.length} values, param_groups has ${length}.`,
    );
  }
  return [...value];
}

/** What all schedulers do. PyTorch: what its LRScheduler, and ReduceLROnPlateau, answer to. */
export abstract class Scheduler {
  static readonly typeName: string = 'LRScheduler';
  /** Own fields that are saved, and PyTorch's names for them. */
  static readonly saved: Readonly<Record<string, string>> = {};
  readonly optimizer: Schedulable;
  lastEpoch = -1;
  lastLr: number[] = [];

  constructor(optimizer: Schedulable) {
    requireOptimizer(optimizer);
    this.optimizer = optimizer;
  }

  get typeName(): string {
    return (this.constructor as typeof Scheduler).typeName;
  }

  protected get groups(): readonly LrGroup[] {
    return this.optimizer.paramGroups;
  }

  /** The learning rates that were set last, one for each group. PyTorch: get_last_lr. */
  getLastLr(): number[] {
    return [...this.lastLr];
  }

  /** Notes what the groups have now. @internal */
  noteLrs(): void {
    this.lastLr = this.groups.map((g) => g.lr);
  }

  /** All saved fields, those of the base classes too. */
  protected get savedFields(): [field: string, name: string][] {
    const all: Record<string, string> = {};
    for (let c = this.constructor as typeof Scheduler; typeof c.saved === 'object'; c = Object.getPrototypeOf(c) as typeof Scheduler)
      for (const [field, name] of Object.entries(c.saved)) all[field] ??= name;
    return Object.entries(all);
  }

  /**
   * Its numbers, under PyTorch's names, so that it can be loaded there too. Save the optimizer's state with it.
   * @example const { last_epoch } = scheduler.stateDict();
   */
  stateDict(): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    for (const [field, name] of this.savedFields) {
      const value = (this as unknown as Record<string, unknown>)[field];
      out[name] = Array.isArray(value) ? [...(value as unknown[])] : value;
    }
    out['last_epoch'] = this.lastEpoch;
    out['_last_lr'] = [...this.lastLr];
    return out;
  }

  /** Takes over saved numbers, of ours or of PyTorch's. The learning rates themselves are in the optimizer's state. */
  loadStateDict(state: SchedulerStateDict): void {
    for (const [field, name] of this.savedFields) {
      if (name in state) (this as unknown as Record<string, unknown>)[field] = copied(state[name]);
    }
    if ('last_epoch' in state) this.lastEpoch = state['last_epoch'] as number;
    if ('_last_lr' in state) this.lastLr = [...(state['_last_lr'] as number[])];
  }
}

const copied = (value: unknown): unknown => (Array.isArray(value) ? [...(value as unknown[])] : value);

/**
 * The base of schedulers that go by epochs. `getLr` gives the learning rates of an epoch, mostly from those of the one before, as PyTorch's
 * chainable forms do, so that several can be chained; `closedForm` gives them from the epoch's number alone.
 *
 * @example
 * const scheduler = new StepLR(optimizer, 30, { gamma: 0.1 });
 * for (let epoch = 0; epoch < 100; epoch++) { train(); scheduler.step(); }
 * @example
 * class Warmup extends LRScheduler {
 *   constructor(optimizer: Schedulable, private steps: number) { super(optimizer); this.start(); }
 *   protected override getLr(): number[] { return this.baseLrs.map((lr) => lr * Math.min(1, (this.lastEpoch + 1) / this.steps)); }
 * }
 */
export abstract class LRScheduler extends Scheduler {
  static override readonly saved: Readonly<Record<string, string>> = { baseLrs: 'base_lrs', stepCount: '_step_count' };
  /** The learning rates that the groups started with. */
  baseLrs: number[];
  /** How often `step` was called, the first time by the constructor. */
  stepCount = 0;
  /** The constructor's step runs: nothing is to be changed that the optimizer came with. */
  protected initial = false;
  #warned = false;

  constructor(optimizer: Schedulable, { lastEpoch = -1 }: SchedulerOptions = {}) {
    super(optimizer);
    this.lastEpoch = lastEpoch;
    for (const [i, group] of this.groups.entries()) {
      if (lastEpoch === -1) group.initialLr ??= group.lr;
      else if (group.initialLr === undefined)
        refuseSchedule(`param 'initial_lr' is not specified in param_groups[${i}] when resuming an optimizer`);
    }
    this.baseLrs = this.groups.map((g) => g.initialLr!);
  }

  /** Sets the first learning rates: the last act of each subclass's constructor, when its fields are there. PyTorch: _initial_step. */
  start(): void {
    this.stepCount = 0;
    this.initial = true;
    try {
      this.step();
    } finally {
      this.initial = false;
    }
  }

  /** The learning rates of epoch `lastEpoch`, from those of the one before. PyTorch: get_lr. */
  protected abstract getLr(): number[];
  /** The same from the epoch's number alone, where there is such a form. PyTorch: _get_closed_form_lr. */
  protected closedForm?(): number[];

  /**
   * To the next epoch; call it after the optimizer's step. With an epoch, to that one, by the closed form where there is one.
   */
  step(epoch?: number): void {
    if (this.stepCount === 1) this.#checkOrder();
    this.stepCount++;
    this.moveTo(epoch);
  }

  /** Sets an epoch's learning rates without counting a step. PyTorch: _update_lr. @internal */
  moveTo(epoch?: number): void {
    this.lastEpoch = epoch ?? this.lastEpoch + 1;
    const lrs = epoch === undefined || this.closedForm === undefined ? this.getLr() : this.closedForm();
    this.groups.forEach((group, i) => (group.lr = lrs[i]!));
    this.noteLrs();
  }

  #checkOrder(): void {
    if (this.#warned || this.optimizer.stepsTaken !== 0 || !(this.optimizer instanceof Optimizer)) return;
    this.#warned = true;
    console.warn(
      `${this.typeName}: step() was called before optimizer.step(), so that the first learning rate of the schedule is skipped; call optimizer.step() first`,
    );
  }

  override stateDict(): Record<string, unknown> {
    return { ...super.stateDict(), _is_initial: false, _get_lr_called_within_step: false };
  }
}

refusePythonNames(Scheduler.prototype, 'scheduler', { fields: ['lastEpoch', 'lastLr', 'baseLrs'] });

/** A scheduler's state that does not fit. @throws TesseraError `ERR_SCHEDULER_STATE` */
export function refuseState(typeName: string, why: string): never {
  throw new TesseraError('ERR_SCHEDULER_STATE', `${typeName}: ${why}`);
}
