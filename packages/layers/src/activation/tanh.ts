/** @file The hyperbolic tangent and its kin. */
import { checkOptions, type OptionNames, hardtanh, Module, tanh, tanhshrink, type Tensor, ValueError } from '@tessera/core';
import { pyFloat } from '../repr.js';
import { type InplaceOptions, inplaceRepr } from './inplace.js';

const HARDTANH_OPTIONS: OptionNames<HardtanhOptions> = { minVal: true, maxVal: true, inplace: true };

/** tanh x. PyTorch: nn.Tanh. */
export class Tanh extends Module {
  static override readonly typeName = 'Tanh';

  forward(input: Tensor): Tensor {
    return tanh(input);
  }
}

/** x − tanh x. PyTorch: nn.Tanhshrink. */
export class Tanhshrink extends Module {
  static override readonly typeName = 'Tanhshrink';

  forward(input: Tensor): Tensor {
    return tanhshrink(input);
  }
}

export interface HardtanhOptions extends InplaceOptions {
  /** Default −1. */
  readonly minVal?: number;
  /** Default 1. */
  readonly maxVal?: number;
}

/** x bounded to [minVal, maxVal]. PyTorch: nn.Hardtanh. @throws ValueError `ERR_LAYER_OPTION` unless minVal is below maxVal. */
export class Hardtanh extends Module {
  static override readonly typeName = 'Hardtanh';
  readonly minVal: number;
  readonly maxVal: number;
  readonly inplace: boolean;

  constructor(options: HardtanhOptions = {}) {
    checkOptions('Hardtanh', options, HARDTANH_OPTIONS);
    super();
    this.minVal = options.minVal ?? -1;
    this.maxVal = options.maxVal ?? 1;
    this.inplace = options.inplace ?? false;
    if (!(this.maxVal > this.minVal))
      throw new ValueError('ERR_LAYER_OPTION', `Hardtanh: max_val (${this.maxVal}) must be above min_val (${this.minVal})`);
  }

  forward(input: Tensor): Tensor {
    const { minVal, maxVal, inplace } = this;
    return hardtanh(input, { minVal, maxVal, inplace });
  }

  override extraRepr(): string {
    return `min_val=${pyFloat(this.minVal)}, max_val=${pyFloat(this.maxVal)}${inplaceRepr(this.inplace)}`;
  }
}
