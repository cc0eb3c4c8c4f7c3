/** @file Activations with a gate. */
import { checkOptions, type OptionNames, gelu, glu, Module, type Tensor } from '@tessera/core';
import { withFirst } from '../options.js';

const GLU_OPTIONS: OptionNames<{ readonly dim?: number }> = { dim: true };
const GELU_OPTIONS: OptionNames<GELUOptions> = { approximate: true };

export interface GELUOptions {
  /** 'tanh' takes the approximation by tanh. Default 'none'. */
  readonly approximate?: 'none' | 'tanh';
}

/** x · Φ(x), Φ being the normal distribution function (Hendrycks and Gimpel, 2016). PyTorch: nn.GELU. */
export class GELU extends Module {
  static override readonly typeName = 'GELU';
  readonly approximate: 'none' | 'tanh';

  constructor(options: GELUOptions = {}) {
    checkOptions('GELU', options, GELU_OPTIONS);
    super();
    this.approximate = options.approximate ?? 'none';
  }

  forward(input: Tensor): Tensor {
    return gelu(input, { approximate: this.approximate });
  }

  override extraRepr(): string {
    return `approximate='${this.approximate}'`;
  }
}

/** a · sigmoid(b), a and b the halves of the input along a dim (Dauphin et al., 2017). PyTorch: nn.GLU. */
export class GLU extends Module {
  static override readonly typeName = 'GLU';
  readonly dim: number;

  constructor(dim: number | { readonly dim?: number } = -1) {
    super();
    this.dim = withFirst<{ readonly dim?: number }>('GLU', GLU_OPTIONS, dim, 'dim').dim ?? -1;
  }

  forward(input: Tensor): Tensor {
    return glu(input, this.dim);
  }

  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}
