/** @file Softplus, softsign and the shrinking activations. */
import { checkOptions, type OptionNames, hardshrink, Module, softplus, softshrink, softsign, type Tensor } from '@tessera/core';
import { withFirst } from '../options.js';
import { pyFloat } from '../repr.js';

const SHRINK_OPTIONS: OptionNames<ShrinkOptions> = { lambd: true };
const SOFTPLUS_OPTIONS: OptionNames<SoftplusOptions> = { beta: true, threshold: true };

export interface SoftplusOptions {
  /** Default 1. */
  readonly beta?: number;
  /** Where beta · x is above it, the result is x itself. Default 20. */
  readonly threshold?: number;
}

/** log(1 + e^(beta · x)) / beta. PyTorch: nn.Softplus. */
export class Softplus extends Module {
  static override readonly typeName = 'Softplus';
  readonly beta: number;
  readonly threshold: number;

  constructor(options: SoftplusOptions = {}) {
    checkOptions('Softplus', options, SOFTPLUS_OPTIONS);
    super();
    this.beta = options.beta ?? 1;
    this.threshold = options.threshold ?? 20;
  }

  forward(input: Tensor): Tensor {
    return softplus(input, { beta: this.beta, threshold: this.threshold });
  }

  override extraRepr(): string {
    return `beta=${pyFloat(this.beta)}, threshold=${pyFloat(this.threshold)}`;
  }
}

/** x / (1 + |x|). PyTorch: nn.Softsign. */
export class Softsign extends Module {
  static override readonly typeName = 'Softsign';

  forward(input: Tensor): Tensor {
    return softsign(input);
  }
}

export interface ShrinkOptions {
  /** Default 0.5. */
  readonly lambd?: number;
}

/** x where |x| > lambd, 0 elsewhere. PyTorch: nn.Hardshrink. */
export class Hardshrink extends Module {
  static override readonly typeName = 'Hardshrink';
  readonly lambd: number;

  constructor(lambd?: number | ShrinkOptions) {
    super();
    this.lambd = withFirst<ShrinkOptions>(new.target.typeName, SHRINK_OPTIONS, lambd, 'lambd').lambd ?? 0.5;
  }

  forward(input: Tensor): Tensor {
    return hardshrink(input, { lambd: this.lambd });
  }

  override extraRepr(): string {
    return pyFloat(this.lambd);
  }
}

/** x moved towards 0 by lambd, and 0 within lambd of it. PyTorch: nn.Softshrink. */
export class Softshrink extends Module {
  static override readonly typeName = 'Softshrink';
  readonly lambd: number;

  constructor(lambd?: number | ShrinkOptions) {
    super();
    this.lambd = withFirst<ShrinkOptions>(new.target.typeName, SHRINK_OPTIONS, lambd, 'lambd').lambd ?? 0.5;
  }

  forward(input: Tensor): Tensor {
    return softshrink(input, { lambd: this.lambd });
  }

  override extraRepr(): string {
    return pyFloat(this.lambd);
  }
}
