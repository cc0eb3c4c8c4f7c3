/** @file The learning rate falls when a metric stops getting better. PyTorch: ReduceLROnPlateau. */
import { refuseSchedule, type Schedulable, Scheduler } from './scheduler.js';
import { checkOptions, type OptionNames } from '@tessera/core';

const REDUCE_LR_ON_PLATEAU_OPTIONS: OptionNames<ReduceLROnPlateauOptions> = {
  mode: true,
  factor: true,
  patience: true,
  threshold: true,
  thresholdMode: true,
  cooldown: true,
  minLr: true,
  eps: true,
};

export interface ReduceLROnPlateauOptions {
  /** Is a smaller metric better, or a larger one? Default 'min'. */
  readonly mode?: 'min' | 'max';
  /** What the learning rate is multiplied by; below 1. Default 0.1. */
  readonly factor?: number;
  /** How many epochs without improvement are let pass. Default 10. */
  readonly patience?: number;
  /** How much better counts as better. Default 1e-4. */
  readonly threshold?: number;
  /** Is the threshold a part of the best value, or a difference from it? Default 'rel'. */
  readonly thresholdMode?: 'rel' | 'abs';
  /** How many epochs after a reduction are not counted. Default 0. */
  readonly cooldown?: number;
  /** The least learning rate, for all groups or each. Default 0. */
  readonly minLr?: number | readonly number[];
  /** Smaller changes of the learning rate are not made. Default 1e-8. */
  readonly eps?: number;
}

/**
 * The learning rate times a factor whenever the metric was no better for `patience` epochs. PyTorch: ReduceLROnPlateau.
 *
 * @throws ValueError `ERR_SCHEDULER`.
 * @example
 * const scheduler = new ReduceLROnPlateau(optimizer, { mode: 'min', patience: 5 });
 * scheduler.step(validationLoss);
 */
export class ReduceLROnPlateau extends Scheduler {
  static override readonly typeName = 'ReduceLROnPlateau';
  static override readonly saved = {
    factor: 'factor',
    defaultMinLr: 'default_min_lr',
    minLrs: 'min_lrs',
    patience: 'patience',
    cooldown: 'cooldown',
    eps: 'eps',
    mode: 'mode',
    threshold: 'threshold',
    thresholdMode: 'threshold_mode',
    best: 'best',
    cooldownCounter: 'cooldown_counter',
    numBadEpochs: 'num_bad_epochs',
  };
  factor: number;
  /** null when each group has its own. */
  defaultMinLr: number | null;
  minLrs: number[];
  patience: number;
  cooldown: number;
  eps: number;
  mode: 'min' | 'max';
  threshold: number;
  thresholdMode: 'rel' | 'abs';
  best: number;
  cooldownCounter = 0;
  numBadEpochs = 0;

  constructor(optimizer: Schedulable, options: ReduceLROnPlateauOptions = {}) {
    checkOptions('ReduceLROnPlateau', options, REDUCE_LR_ON_PLATEAU_OPTIONS);
    super(optimizer);
    const { mode = 'min', factor = 0.1, thresholdMode = 'rel', minLr = 0 } = options;
    if (!(factor < 1)) refuseSchedule('Factor should be < 1.0.');
    if (mode !== 'min' && mode !== 'max') refuseSchedule(`mode ${String(mode)} is unknown!`);
    if (thresholdMode !== 'rel' && thresholdMode !== 'abs') refuseSchedule(`threshold mode ${String(thresholdMode)} is unknown!`);
    const { length } = optimizer.paramGroups;
    if (typeof minLr !== 'number' && minLr.length !== length) refuseSchedule(`expected ${length} min_lrs, got ${minLr.length}`);
    this.factor = factor;
    this.defaultMinLr = typeof minLr === 'number' ? minLr : null;
    this.minLrs = typeof minLr === 'number' ? new Array<number>(length).fill(minLr) : [...minLr];
    this.patience = options.patience ?? 10;
    this.cooldown = options.cooldown ?? 0;
    this.eps = options.eps ?? 1e-8;
    this.mode = mode;
    this.threshold = options.threshold ?? 1e-4;
    this.thresholdMode = thresholdMode;
    this.best = this.#worst;
    this.lastEpoch = 0;
    this.noteLrs();
  }

  get #worst(): number {
    return this.mode === 'min' ? Infinity : -Infinity;
  }

  get inCooldown(): boolean {
    return this.cooldownCounter > 0;
  }

  /** Forgets the best value, and starts counting anew. PyTorch: _reset. */
  reset(): void {
    this.best = this.#worst;
    this.cooldownCounter = 0;
    this.numBadEpochs = 0;
  }

  /** Notes an epoch's metric. A tensor's is `metric.item()`. */
  step(metric: number, epoch?: number): void {
    if (typeof metric !== 'number') refuseSchedule(`ReduceLROnPlateau: step takes the metric as a number, not ${typeof metric}`);
    this.lastEpoch = epoch ?? this.lastEpoch + 1;
    if (this.#isBetter(metric)) {
      this.best = metric;
      this.numBadEpochs = 0;
    } else this.numBadEpochs++;
    if (this.inCooldown) {
      this.cooldownCounter--;
      this.numBadEpochs = 0;
    }
    if (this.numBadEpochs > this.patience) {
      this.#reduce();
      this.cooldownCounter = this.cooldown;
      this.numBadEpochs = 0;
    }
    this.noteLrs();
  }

  #reduce(): void {
    const { length } = this.groups;
    if (length !== this.minLrs.length) {
      if (this.defaultMinLr === null)
        refuseSchedule(
          `The number of param groups in the \`optimizer\` (${length}) differs from when \`ReduceLROnPlateau\` was initialized (${this.minLrs.length}), usually due to a new param group being added to the optimizer. Please modify the \`minLrs\` field to match the length of the \`optimizer\` param groups.`,
        );
      this.minLrs = new Array<number>(length).fill(this.defaultMinLr);
    }
    this.groups.forEach((group, i) => {
      const next = Math.max(group.lr * this.factor, this.minLrs[i]!);
      if (group.lr - next > this.eps) group.lr = next;
    });
  }

  #isBetter(a: number): boolean {
    const { best, threshold } = this;
    if (this.mode === 'min') return a < (this.thresholdMode === 'rel' ? best * (1 - threshold) : best - threshold);
    return a > (this.thresholdMode === 'rel' ? best * (threshold + 1) : best + threshold);
  }

  override stateDict(): Record<string, unknown> {
    return { ...super.stateDict(), mode_worse: this.#worst };
  }
}
