/** @file Learning rates along half a cosine (Loshchilov and Hutter, 2016). PyTorch: CosineAnnealingLR, CosineAnnealingWarmRestarts. */
import { LRScheduler, requireNumber, refuseSchedule, type Schedulable, type SchedulerOptions } from './scheduler.js';
import { checkOptions, type OptionNames } from '@tessera/core';

const COSINE_ANNEALING_LR_OPTIONS: OptionNames<CosineAnnealingLROptions> = { etaMin: true, lastEpoch: true };
const COSINE_ANNEALING_WARM_RESTARTS_OPTIONS: OptionNames<CosineAnnealingWarmRestartsOptions> = {
  tMult: true,
  etaMin: true,
  lastEpoch: true,
};

export interface CosineAnnealingLROptions extends SchedulerOptions {
  /** The least learning rate. Default 0. */
  readonly etaMin?: number;
}

/**
 * The learning rate along half a cosine, down to `etaMin` in `tMax` epochs (and up again in as many). PyTorch: CosineAnnealingLR.
 * @example new CosineAnnealingLR(optimizer, 100, { etaMin: 1e-5 })
 */
export class CosineAnnealingLR extends LRScheduler {
  static override readonly typeName = 'CosineAnnealingLR';
  static override readonly saved = { tMax: 'T_max', etaMin: 'eta_min' };
  tMax: number;
  etaMin: number;

  constructor(optimizer: Schedulable, tMax: number, options: CosineAnnealingLROptions = {}) {
    checkOptions('CosineAnnealingLR', options, COSINE_ANNEALING_LR_OPTIONS);
    super(optimizer, options);
    requireNumber('CosineAnnealingLR', 'tMax', tMax);
    this.tMax = tMax;
    this.etaMin = options.etaMin ?? 0;
    this.start();
  }

  protected override getLr(): number[] {
    const { lastEpoch: n, tMax, etaMin } = this;
    if (this.initial) return this.groups.map((g) => g.lr);
    if (this.stepCount === 1 && n > 0) return this.closedForm();
    // After a turn at etaMin the recursion below would divide by zero.
    if ((n - 1 - tMax) % (2 * tMax) === 0)
      return this.groups.map((g, i) => g.lr + ((this.baseLrs[i]! - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2);
    const ratio = (1 + Math.cos((Math.PI * n) / tMax)) / (1 + Math.cos((Math.PI * (n - 1)) / tMax));
    return this.groups.map((g) => ratio * (g.lr - etaMin) + etaMin);
  }

  protected override closedForm(): number[] {
    const { lastEpoch: n, tMax, etaMin } = this;
    return this.baseLrs.map((lr) => etaMin + ((lr - etaMin) * (1 + Math.cos((Math.PI * n) / tMax))) / 2);
  }
}

export interface CosineAnnealingWarmRestartsOptions extends CosineAnnealingLROptions {
  /** What each cycle's length is multiplied by for the next; a whole number ≥ 1. Default 1. */
  readonly tMult?: number;
}

/**
 * Half cosines one after the other: each starts anew at the first learning rate, the first after `t0` epochs. PyTorch: CosineAnnealingWarmRestarts.
 * @example
 * const scheduler = new CosineAnnealingWarmRestarts(optimizer, 10, { tMult: 2 });
 * scheduler.step(epoch + batch / batches); // within epochs, too
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  static override readonly typeName = 'CosineAnnealingWarmRestarts';
  static override readonly saved = { t0: 'T_0', ti: 'T_i', tMult: 'T_mult', etaMin: 'eta_min', tCur: 'T_cur' };
  t0: number;
  /** The length of this cycle. */
  ti: number;
  tMult: number;
  etaMin: number;
  /** Epochs since it began. */
  tCur: number;

  constructor(optimizer: Schedulable, t0: number, options: CosineAnnealingWarmRestartsOptions = {}) {
    checkOptions('CosineAnnealingWarmRestarts', options, COSINE_ANNEALING_WARM_RESTARTS_OPTIONS);
    super(optimizer, options);
    const { tMult = 1, etaMin = 0 } = options;
    requireNumber('CosineAnnealingWarmRestarts', 't0', t0);
    if (!(t0 > 0) || !Number.isInteger(t0)) refuseSchedule(`Expected positive integer T_0, but got ${t0}`);
    if (!(tMult >= 1) || !Number.isInteger(tMult)) refuseSchedule(`Expected integer T_mult >= 1, but got ${tMult}`);
    this.t0 = t0;
    this.ti = t0;
    this.tMult = tMult;
    this.etaMin = etaMin;
    this.tCur = this.lastEpoch;
    this.start();
  }

  protected override getLr(): number[] {
    const { tCur, ti, etaMin } = this;
    return this.baseLrs.map((lr) => etaMin + ((lr - etaMin) * (1 + Math.cos((Math.PI * tCur) / ti))) / 2);
  }

  override moveTo(given?: number): void {
    let epoch = given === undefined && this.lastEpoch < 0 ? 0 : given;
    if (epoch === undefined) {
      epoch = this.lastEpoch + 1;
      this.tCur++;
      if (this.tCur >= this.ti) {
        this.tCur %= this.ti;
        this.ti *= this.tMult;
      }
    } else this.#seek(epoch);
    this.lastEpoch = Math.floor(epoch);
    const lrs = this.getLr();
    this.groups.forEach((group, i) => (group.lr = lrs[i]!));
    this.noteLrs();
  }

  /** The cycle that an epoch is in. */
  #seek(epoch: number): void {
    const { t0, tMult } = this;
    if (!(epoch >= 0)) refuseSchedule(`Expected non-negative epoch, but got ${epoch}`);
    if (epoch < t0) {
      this.ti = t0;
      this.tCur = epoch;
    } else if (tMult === 1) this.tCur = epoch % t0;
    else {
      const n = Math.trunc(Math.log((epoch / t0) * (tMult - 1) + 1) / Math.log(tMult));
      this.tCur = epoch - (t0 * (tMult ** n - 1)) / (tMult - 1);
      this.ti = t0 * tMult ** n;
    }
  }
}
