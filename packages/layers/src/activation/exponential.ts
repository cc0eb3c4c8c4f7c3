/** @file Activations that are an exponential below 0. */
import { checkOptions, type OptionNames, celu, elu, Module, selu, type Tensor } from '@tessera/core';
import { withFirst } from '../options.js';
import { pyFloat } from '../repr.js';
import { type InplaceOptions, inplaceRepr } from './inplace.js';

const ALPHA_OPTIONS: OptionNames<AlphaOptions> = { alpha: true, inplace: true };
const INPLACE_OPTIONS: OptionNames<InplaceOptions> = { inplace: true };

export interface AlphaOptions extends InplaceOptions {
  /** Default 1. */
  readonly alpha?: number;
}

/** x above 0, alpha · (e^x − 1) below (Clevert et al., 2016). PyTorch: nn.ELU. @example new nn.ELU(0.5) */
export class ELU extends Module {
  static override readonly typeName: string = 'ELU';
  readonly alpha: number;
  readonly inplace: boolean;

  constructor(alpha?: number | AlphaOptions, options?: AlphaOptions) {
    super();
    const given = withFirst<AlphaOptions>(new.target.typeName, ALPHA_OPTIONS, alpha, 'alpha', options);
    this.alpha = given.alpha ?? 1;
    this.inplace = given.inplace ?? false;
  }

  forward(input: Tensor): Tensor {
    return elu(input, { alpha: this.alpha, inplace: this.inplace });
  }

  override extraRepr(): string {
    return `alpha=${pyFloat(this.alpha)}${inplaceRepr(this.inplace)}`;
  }
}

/** max(x, 0) + min(alpha · (e^(x/alpha) − 1), 0) (Barron, 2017). PyTorch: nn.CELU. */
export class CELU extends ELU {
  static override readonly typeName = 'CELU';

  override forward(input: Tensor): Tensor {
    return celu(input, { alpha: this.alpha, inplace: this.inplace });
  }
}

/** ELU scaled so that mean 0 and variance 1 are kept (Klambauer et al., 2017). PyTorch: nn.SELU. */
export class SELU extends Module {
  static override readonly typeName = 'SELU';
  readonly inplace: boolean;

  constructor(options: InplaceOptions = {}) {
    checkOptions('SELU', options, INPLACE_OPTIONS);
    super();
    this.inplace = options.inplace ?? false;
  }

  forward(input: Tensor): Tensor {
    return selu(input, { inplace: this.inplace });
  }

  override extraRepr(): string {
    return inplaceRepr(this.inplace, true);
  }
}
