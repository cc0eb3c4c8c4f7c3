/** @file Learning rates that go up and down again (Smith, 2015). PyTorch: CyclicLR. */
import { cyclesBeta1, noteMomenta, setMomentum } from './momentum.js';
import { LRScheduler, perGroup, refuseSchedule, requireOptimizer, type Schedulable, type SchedulerOptions } from './scheduler.js';
import { checkOptions, type OptionNames } from '@tessera/core';

const CYCLIC_LR_OPTIONS: OptionNames<CyclicLROptions> = {
  stepSizeUp: true,
  stepSizeDown: true,
  mode: true,
  gamma: true,
  scaleFn: true,
  scaleMode: true,
  cycleMomentum: true,
  baseMomentum: true,
  maxMomentum: true,
  lastEpoch: true,
};

export interface CyclicLROptions extends SchedulerOptions {
  /** Batches from the lower end to the upper. Default 2000. */
  readonly stepSizeUp?: number;
  /** Batches back. Default: as many. */
  readonly stepSizeDown?: number | null;
  /** Cycles of the same height, of half the height of the last one, or of a height that falls by gamma each batch. Default 'triangular'. */
  readonly mode?: 'triangular' | 'triangular2' | 'exp_range';
  /** For 'exp_range'. Default 1. */
  readonly gamma?: number;
  /** The height of a cycle, by the function of one's own; `mode` is not asked then. */
  readonly scaleFn?: (x: number) => number;
  /** What `scaleFn` gets: the number of the cycle (from 1), or of the batch. Default 'cycle'. */
  readonly scaleMode?: 'cycle' | 'iterations';
  /** Move the momentum the other way. Default true. */
  readonly cycleMomentum?: boolean;
  /** The lower end of the momentum, for all groups or each. Default 0.8. */
  readonly baseMomentum?: number | readonly number[];
  /** The upper end. Default 0.9. */
  readonly maxMomentum?: number | readonly number[];
}

/**
 * The learning rate up from `baseLr` to `maxLr` and down again, over and over. Step it after every batch. PyTorch: CyclicLR.
 * @example new CyclicLR(optimizer, 0.01, 0.1, { stepSizeUp: 500, mode: 'triangular2' })
 */
export class CyclicLR extends LRScheduler {
  static override readonly typeName = 'CyclicLR';
  static override readonly saved = {
    maxLrs: 'max_lrs',
    totalSize: 'total_size',
    stepRatio: 'step_ratio',
    mode: 'mode',
    gamma: 'gamma',
    scaleMode: 'scale_mode',
    cycleMomentum: 'cycle_momentum',
    useBeta1: 'use_beta1',
    baseMomentums: 'base_momentums',
    maxMomentums: 'max_momentums',
  };
  maxLrs: number[];
  totalSize: number;
  stepRatio: number;
  mode: 'triangular' | 'triangular2' | 'exp_range';
  gamma: number;
  scaleMode: 'cycle' | 'iterations';
  cycleMomentum: boolean;
  useBeta1: boolean;
  baseMomentums: number[];
  maxMomentums: number[];
  readonly #scaleFn: ((x: number) => number) | undefined;

  /** @param baseLr The lower end, for all groups or each. @param maxLr The upper end. */
  constructor(
    optimizer: Schedulable,
    baseLr: number | readonly number[],
    maxLr: number | readonly number[],
    options: CyclicLROptions = {},
  ) {
    checkOptions('CyclicLR', options, CYCLIC_LR_OPTIONS);
    requireOptimizer(optimizer);
    const baseLrs = perGroup('base_lr', optimizer, baseLr);
    const fresh = (options.lastEpoch ?? -1) === -1;
    if (fresh) optimizer.paramGroups.forEach((group, i) => (group.lr = baseLrs[i]!));
    super(optimizer, options);
    const { stepSizeUp = 2000, mode = 'triangular', cycleMomentum = true } = options;
    const stepSizeDown = options.stepSizeDown ?? stepSizeUp;
    this.maxLrs = perGroup('max_lr', optimizer, maxLr);
    this.totalSize = stepSizeUp + stepSizeDown;
    this.stepRatio = stepSizeUp / this.totalSize;
    this.#scaleFn = options.scaleFn;
    if (this.#scaleFn === undefined && mode !== 'triangular' && mode !== 'triangular2' && mode !== 'exp_range')
      refuseSchedule('mode is invalid and scale_fn is None');
    this.mode = mode;
    this.gamma = options.gamma ?? 1;
    this.scaleMode = this.#scaleFn !== undefined ? (options.scaleMode ?? 'cycle') : mode === 'exp_range' ? 'iterations' : 'cycle';
    this.cycleMomentum = cycleMomentum;
    this.useBeta1 = cycleMomentum && cyclesBeta1(optimizer);
    this.baseMomentums = cycleMomentum ? perGroup('base_momentum', optimizer, options.baseMomentum ?? 0.8) : [];
    this.maxMomentums = cycleMomentum ? perGroup('max_momentum', optimizer, options.maxMomentum ?? 0.9) : [];
    if (cycleMomentum && fresh) noteMomenta(this.groups, this.useBeta1, this.baseMomentums, this.maxMomentums);
    // PyTorch takes the first step from what the groups say, and the lower ends from then on: they are the same.
    this.baseLrs = baseLrs;
    this.start();
  }

  /** The height of a cycle. PyTorch: scale_fn. */
  scaleFn(x: number): number {
    if (this.#scaleFn !== undefined) return this.#scaleFn(x);
    return this.mode === 'triangular' ? 1 : this.mode === 'triangular2' ? 1 / 2 ** (x - 1) : this.gamma ** x;
  }

  protected override getLr(): number[] {
    const { totalSize, stepRatio, lastEpoch } = this;
    const cycle = Math.floor(1 + lastEpoch / totalSize);
    const x = 1 + lastEpoch / totalSize - cycle;
    const height = x <= stepRatio ? x / stepRatio : (x - 1) / (stepRatio - 1);
    const scale = this.scaleFn(this.scaleMode === 'cycle' ? cycle : lastEpoch);
    if (this.cycleMomentum) {
      this.groups.forEach((group, i) => {
        const base = this.baseMomentums[i]!;
        const max = this.maxMomentums[i]!;
        setMomentum(group, this.useBeta1, max - (max - base) * height * scale);
      });
    }
    return this.baseLrs.map((lr, i) => lr + (this.maxLrs[i]! - lr) * height * scale);
  }

  /** A function of one's own is not saved. */
  override stateDict(): Record<string, unknown> {
    return { ...super.stateDict(), _scale_fn_custom: null };
  }
}
