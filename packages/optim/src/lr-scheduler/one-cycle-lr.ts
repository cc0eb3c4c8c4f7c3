/** @file One cycle of the learning rate (Smith and Topin, 2017). PyTorch: OneCycleLR. */
import { cyclesBeta1, noteMomenta, setMomentum } from './momentum.js';
import {
  type LrGroup,
  LRScheduler,
  perGroup,
  refuseSchedule,
  requireOptimizer,
  type Schedulable,
  type SchedulerOptions,
  type SchedulerStateDict,
} from './scheduler.js';
import { checkOptions, type OptionNames } from '@tessera/core';

const ONE_CYCLE_LR_OPTIONS: OptionNames<OneCycleLROptions> = {
  totalSteps: true,
  epochs: true,
  stepsPerEpoch: true,
  pctStart: true,
  annealStrategy: true,
  cycleMomentum: true,
  baseMomentum: true,
  maxMomentum: true,
  divFactor: true,
  finalDivFactor: true,
  threePhase: true,
  lastEpoch: true,
};

export interface OneCycleLROptions extends SchedulerOptions {
  /** Batches in all. This, or `epochs` and `stepsPerEpoch`. */
  readonly totalSteps?: number | null;
  readonly epochs?: number | null;
  readonly stepsPerEpoch?: number | null;
  /** What part of the cycle goes up. Default 0.3. */
  readonly pctStart?: number;
  /** Default 'cos'. */
  readonly annealStrategy?: 'cos' | 'linear';
  /** Move the momentum the other way. Default true. */
  readonly cycleMomentum?: boolean;
  /** The lower end of the momentum, for all groups or each. Default 0.85. */
  readonly baseMomentum?: number | readonly number[];
  /** The upper end. Default 0.95. */
  readonly maxMomentum?: number | readonly number[];
  /** The first learning rate is maxLr / divFactor. Default 25. */
  readonly divFactor?: number;
  /** The last one is that / finalDivFactor. Default 1e4. */
  readonly finalDivFactor?: number;
  /** Go down as fast as up, and to the last learning rate in a third phase. Default false. */
  readonly threePhase?: boolean;
}

type Rate = 'initialLr' | 'maxLr' | 'minLr';
type Momentum = 'maxMomentum' | 'baseMomentum';
interface Phase {
  readonly endStep: number;
  readonly startLr: Rate;
  readonly endLr: Rate;
  readonly startMomentum: Momentum;
  readonly endMomentum: Momentum;
}

function phasesOf(totalSteps: number, pctStart: number, threePhase: boolean): Phase[] {
  const up: Phase = {
    endStep: pctStart * totalSteps - 1,
    startLr: 'initialLr',
    endLr: 'maxLr',
    startMomentum: 'maxMomentum',
    endMomentum: 'baseMomentum',
  };
  const last = totalSteps - 1;
  if (!threePhase)
    return [up, { endStep: last, startLr: 'maxLr', endLr: 'minLr', startMomentum: 'baseMomentum', endMomentum: 'maxMomentum' }];
  return [
    up,
    {
      endStep: 2 * pctStart * totalSteps - 2,
      startLr: 'maxLr',
      endLr: 'initialLr',
      startMomentum: 'baseMomentum',
      endMomentum: 'maxMomentum',
    },
    { endStep: last, startLr: 'initialLr', endLr: 'minLr', startMomentum: 'maxMomentum', endMomentum: 'maxMomentum' },
  ];
}

const PYTHON: Readonly<Record<string, string>> = {
  initialLr: 'initial_lr',
  maxLr: 'max_lr',
  minLr: 'min_lr',
  maxMomentum: 'max_momentum',
  baseMomentum: 'base_momentum',
};
const OURS = Object.fromEntries(Object.entries(PYTHON).map(([ours, theirs]) => [theirs, ours]));

/**
 * The learning rate from `maxLr / divFactor` up to `maxLr`, then far below where it began; the momentum the other way. Step it after every
 * batch. PyTorch: OneCycleLR.
 *
 * @throws ValueError `ERR_SCHEDULER` for options out of range, and for more steps than there are.
 * @example new OneCycleLR(optimizer, 0.01, { epochs: 10, stepsPerEpoch: loader.length })
 */
export class OneCycleLR extends LRScheduler {
  static override readonly typeName = 'OneCycleLR';
  static override readonly saved = {
    totalSteps: 'total_steps',
    annealStrategy: '_anneal_func_type',
    cycleMomentum: 'cycle_momentum',
    useBeta1: 'use_beta1',
  };
  totalSteps: number;
  annealStrategy: 'cos' | 'linear';
  cycleMomentum: boolean;
  useBeta1: boolean;
  #phases: Phase[];

  /** @param maxLr The upper end, for all groups or each. */
  constructor(optimizer: Schedulable, maxLr: number | readonly number[], options: OneCycleLROptions = {}) {
    checkOptions('OneCycleLR', options, ONE_CYCLE_LR_OPTIONS);
    requireOptimizer(optimizer);
    const { pctStart = 0.3, annealStrategy = 'cos', cycleMomentum = true, divFactor = 25, finalDivFactor = 1e4 } = options;
    const totalSteps = countSteps(options);
    if (!(pctStart >= 0 && pctStart <= 1)) refuseSchedule(`Expected float between 0 and 1 pct_start, but got ${pctStart}`);
    if (annealStrategy !== 'cos' && annealStrategy !== 'linear')
      refuseSchedule(`anneal_strategy must be one of 'cos' or 'linear', instead got ${String(annealStrategy)}`);
    const maxLrs = perGroup('max_lr', optimizer, maxLr);
    const useBeta1 = cycleMomentum && cyclesBeta1(optimizer);
    if ((options.lastEpoch ?? -1) === -1) {
      const groups = optimizer.paramGroups as readonly LrGroup[];
      groups.forEach((group, i) => {
        group.initialLr = maxLrs[i]! / divFactor;
        group.maxLr = maxLrs[i]!;
        group.minLr = group.initialLr / finalDivFactor;
      });
      if (cycleMomentum) {
        const base = perGroup('base_momentum', optimizer, options.baseMomentum ?? 0.85);
        const max = perGroup('max_momentum', optimizer, options.maxMomentum ?? 0.95);
        noteMomenta(groups, useBeta1, base, max);
      }
    }
    super(optimizer, options);
    this.totalSteps = totalSteps;
    this.annealStrategy = annealStrategy;
    this.cycleMomentum = cycleMomentum;
    this.useBeta1 = useBeta1;
    this.#phases = phasesOf(totalSteps, pctStart, options.threePhase ?? false);
    this.start();
  }

  #anneal(start: number, end: number, part: number): number {
    return this.annealStrategy === 'cos' ? end + ((start - end) / 2) * (Math.cos(Math.PI * part) + 1) : (end - start) * part + start;
  }

  protected override getLr(): number[] {
    const step = this.lastEpoch;
    if (step > this.totalSteps) refuseSchedule(`Tried to step ${step} times. The specified number of total steps is ${this.totalSteps}`);
    const found = this.#phases.findIndex((phase) => step <= phase.endStep);
    const at = found < 0 ? this.#phases.length - 1 : found;
    const phase = this.#phases[at]!;
    const from = at === 0 ? 0 : this.#phases[at - 1]!.endStep;
    const part = (step - from) / (phase.endStep - from);
    return this.groups.map((group) => {
      if (this.cycleMomentum) setMomentum(group, this.useBeta1, this.#anneal(group[phase.startMomentum]!, group[phase.endMomentum]!, part));
      return this.#anneal(group[phase.startLr]!, group[phase.endLr]!, part);
    });
  }

  override stateDict(): Record<string, unknown> {
    const phases = this.#phases.map((p) => ({
      end_step: p.endStep,
      start_lr: PYTHON[p.startLr],
      end_lr: PYTHON[p.endLr],
      start_momentum: PYTHON[p.startMomentum],
      end_momentum: PYTHON[p.endMomentum],
    }));
    return { ...super.stateDict(), _schedule_phases: phases };
  }

  override loadStateDict(state: SchedulerStateDict): void {
    super.loadStateDict(state);
    const saved = state['_schedule_phases'] as readonly Readonly<Record<string, number | string>>[] | undefined;
    if (saved === undefined) return;
    this.#phases = saved.map((p) => ({
      endStep: p['end_step'] as number,
      startLr: OURS[p['start_lr']!] as Rate,
      endLr: OURS[p['end_lr']!] as Rate,
      startMomentum: OURS[p['start_momentum']!] as Momentum,
      endMomentum: OURS[p['end_momentum']!] as Momentum,
    }));
  }
}

function countSteps({ totalSteps = null, epochs = null, stepsPerEpoch = null }: OneCycleLROptions): number {
  const positive = (name: string, n: number): number =>
    n > 0 && Number.isInteger(n) ? n : refuseSchedule(`Expected positive integer ${name}, but got ${n}`);
  if (totalSteps !== null) return positive('total_steps', totalSteps);
  if (epochs === null || stepsPerEpoch === null) refuseSchedule('You must define either total_steps OR (epochs AND steps_per_epoch)');
  return positive('epochs', epochs) * positive('steps_per_epoch', stepsPerEpoch);
}
