/** @file Losses between numbers. Input and target have one shape. */
import type { Tensor } from '@tessera/core';
import { gaussianNllLoss, huberLoss, klDiv, l1Loss, mseLoss, poissonNllLoss, type Reduction, smoothL1Loss } from '../functional/index.js';
import { Loss, type LossOptions } from './loss-base.js';
import { checkOptions, type OptionNames } from '@tessera/core';

const GAUSSIAN_NLLLOSS_OPTIONS: OptionNames<GaussianNLLLossOptions> = { full: true, eps: true, reduction: true };
const HUBER_LOSS_OPTIONS: OptionNames<HuberLossOptions> = { delta: true, reduction: true };
const KLDIV_LOSS_OPTIONS: OptionNames<KLDivLossOptions> = { reduction: true, logTarget: true };
const LOSS_OPTIONS: OptionNames<LossOptions> = { reduction: true };
const POISSON_NLLLOSS_OPTIONS: OptionNames<PoissonNLLLossOptions> = { logInput: true, full: true, eps: true, reduction: true };
const SMOOTH_L1_LOSS_OPTIONS: OptionNames<SmoothL1LossOptions> = { beta: true, reduction: true };

/** (x − y)². PyTorch: nn.MSELoss. */
export class MSELoss extends Loss {
  static override readonly typeName = 'MSELoss';

  constructor(options: LossOptions = {}) {
    checkOptions('MSELoss', options, LOSS_OPTIONS);
    super(options);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return mseLoss(input, target, { reduction: this.reduction });
  }
}

/** |x − y|. PyTorch: nn.L1Loss. */
export class L1Loss extends Loss {
  static override readonly typeName = 'L1Loss';

  constructor(options: LossOptions = {}) {
    checkOptions('L1Loss', options, LOSS_OPTIONS);
    super(options);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return l1Loss(input, target, { reduction: this.reduction });
  }
}

export interface SmoothL1LossOptions extends LossOptions {
  /** Where it goes over from squared to absolute. Default 1. */
  readonly beta?: number;
}

/** ½ d² / β where |d| < β, else |d| − ½ β, for d = x − y (Girshick, 2015). PyTorch: nn.SmoothL1Loss. */
export class SmoothL1Loss extends Loss {
  static override readonly typeName = 'SmoothL1Loss';
  readonly beta: number;

  constructor(options: SmoothL1LossOptions = {}) {
    checkOptions('SmoothL1Loss', options, SMOOTH_L1_LOSS_OPTIONS);
    super(options);
    this.beta = options.beta ?? 1;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return smoothL1Loss(input, target, { reduction: this.reduction, beta: this.beta });
  }
}

export interface HuberLossOptions extends LossOptions {
  /** Where it goes over from squared to linear. Default 1. */
  readonly delta?: number;
}

/** ½ d² where |d| ≤ δ, else δ (|d| − ½ δ), for d = x − y. PyTorch: nn.HuberLoss. */
export class HuberLoss extends Loss {
  static override readonly typeName = 'HuberLoss';
  readonly delta: number;

  constructor(options: HuberLossOptions = {}) {
    checkOptions('HuberLoss', options, HUBER_LOSS_OPTIONS);
    super(options);
    this.delta = options.delta ?? 1;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return huberLoss(input, target, { reduction: this.reduction, delta: this.delta });
  }
}

export interface KLDivLossOptions {
  /** 'batchmean' is the divergence itself: the sum divided by the first size. Default 'mean'. */
  readonly reduction?: Reduction | 'batchmean';
  /** The target is given as logarithms too. Default false. */
  readonly logTarget?: boolean;
}

/** y · (log y − x), for x the logarithms of probabilities. PyTorch: nn.KLDivLoss. */
export class KLDivLoss extends Loss<Reduction | 'batchmean'> {
  static override readonly typeName = 'KLDivLoss';
  readonly logTarget: boolean;

  constructor(options: KLDivLossOptions = {}) {
    checkOptions('KLDivLoss', options, KLDIV_LOSS_OPTIONS);
    super(options);
    this.logTarget = options.logTarget ?? false;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return klDiv(input, target, { reduction: this.reduction, logTarget: this.logTarget });
  }
}

export interface PoissonNLLLossOptions extends LossOptions {
  /** The input is the logarithm of the rate. Default true. */
  readonly logInput?: boolean;
  /** Adds Stirling's approximation of log y!. Default false. */
  readonly full?: boolean;
  /** Keeps log 0 away where the input is no logarithm. Default 1e-8. */
  readonly eps?: number;
}

/** e^x − y·x: the negative log likelihood of counts y under a Poisson distribution. PyTorch: nn.PoissonNLLLoss. */
export class PoissonNLLLoss extends Loss {
  static override readonly typeName = 'PoissonNLLLoss';
  readonly logInput: boolean;
  readonly full: boolean;
  readonly eps: number;

  constructor(options: PoissonNLLLossOptions = {}) {
    checkOptions('PoissonNLLLoss', options, POISSON_NLLLOSS_OPTIONS);
    super(options);
    this.logInput = options.logInput ?? true;
    this.full = options.full ?? false;
    this.eps = options.eps ?? 1e-8;
  }

  forward(logInput: Tensor, target: Tensor): Tensor {
    const { full, eps, reduction } = this;
    return poissonNllLoss(logInput, target, { logInput: this.logInput, full, eps, reduction });
  }
}

export interface GaussianNLLLossOptions extends LossOptions {
  /** Adds ½ log 2π. Default false. */
  readonly full?: boolean;
  /** The least variance. Default 1e-6. */
  readonly eps?: number;
}

/** ½ (log var + (x − y)² / var): the negative log likelihood under a normal distribution. PyTorch: nn.GaussianNLLLoss. */
export class GaussianNLLLoss extends Loss {
  static override readonly typeName = 'GaussianNLLLoss';
  readonly full: boolean;
  readonly eps: number;

  constructor(options: GaussianNLLLossOptions = {}) {
    checkOptions('GaussianNLLLoss', options, GAUSSIAN_NLLLOSS_OPTIONS);
    super(options);
    this.full = options.full ?? false;
    this.eps = options.eps ?? 1e-6;
  }

  forward(input: Tensor, target: Tensor, variance: Tensor | number): Tensor {
    const { full, eps, reduction } = this;
    return gaussianNllLoss(input, target, variance, { full, eps, reduction });
  }
}
