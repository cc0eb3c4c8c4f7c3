/** @file The bilinear layer. */
import { checkOptions, type OptionNames, empty, Module, Parameter, type Tensor, ValueError } from '@tessera/core';
import { bilinear } from '../functional/index.js';
import { uniform_ } from '../init/fill.js';
import { factory } from '../options.js';
import { pyBool } from '../repr.js';
import type { LinearOptions } from './linear.js';

const LINEAR_OPTIONS: OptionNames<LinearOptions> = { bias: true, device: true, dtype: true };

/**
 * y_k = x1ᵀ A_k x2 + b_k. Inputs (*, in1Features) and (*, in2Features), output (*, outFeatures). `weight` is A (outFeatures, in1Features,
 * in2Features). PyTorch: nn.Bilinear.
 * @throws ValueError `ERR_LAYER_OPTION` where in1Features is not above 0.
 */
export class Bilinear extends Module {
  static override readonly typeName = 'Bilinear';
  weight: Parameter;
  bias: Parameter | null;

  constructor(
    readonly in1Features: number,
    readonly in2Features: number,
    readonly outFeatures: number,
    options: LinearOptions = {},
  ) {
    checkOptions('Bilinear', options, LINEAR_OPTIONS);
    super();
    if (in1Features <= 0) throw new ValueError('ERR_LAYER_OPTION', `Bilinear: in1_features must be > 0, but got ${in1Features}`);
    const made = factory(options);
    this.weight = new Parameter(empty([outFeatures, in1Features, in2Features], made));
    this.bias = options.bias === false ? null : new Parameter(empty([outFeatures], made));
    this.resetParameters();
  }

  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.in1Features);
    uniform_(this.weight, -bound, bound);
    if (this.bias !== null) uniform_(this.bias, -bound, bound);
  }

  forward(input1: Tensor, input2: Tensor): Tensor {
    return bilinear(input1, input2, this.weight, this.bias);
  }

  override extraRepr(): string {
    return `in1_features=${this.in1Features}, in2_features=${this.in2Features}, out_features=${this.outFeatures}, bias=${pyBool(this.bias !== null)}`;
  }
}
