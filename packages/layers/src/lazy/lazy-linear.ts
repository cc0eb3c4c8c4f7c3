/** @file A dense layer that learns its input's features from the first one. */
import { checkOptions, type OptionNames, type Tensor, UninitializedParameter } from '@tessera/core';
import { Linear, type LinearOptions } from '../linear/linear.js';
import { factory } from '../options.js';
import { becomePlain, hasUninitializedParams, materialize } from './lazy.js';

const LINEAR_OPTIONS: OptionNames<LinearOptions> = { bias: true, device: true, dtype: true };

/**
 * A {@link Linear} whose `inFeatures` are those of its first input. Parameters have no shape, and are not drawn, before. Loading a state_dict
 * gives them theirs too. PyTorch: nn.LazyLinear.
 * @example
 * const layer = new nn.LazyLinear(30);
 * layer(randn(128, 20)); // now a Linear(20, 30)
 */
export class LazyLinear extends Linear {
  static override readonly typeName: string = 'LazyLinear';

  constructor(outFeatures: number, options: LinearOptions = {}) {
    checkOptions('LazyLinear', options, LINEAR_OPTIONS);
    super(0, 0, { ...options, bias: false });
    const made = factory(options);
    this.weight = new UninitializedParameter(made);
    if (options.bias !== false) this.bias = new UninitializedParameter(made);
    Object.assign(this, { outFeatures });
  }

  override resetParameters(): void {
    if (this.inFeatures !== 0) super.resetParameters();
  }

  override forward(input: Tensor): Tensor {
    const fresh = hasUninitializedParams(this);
    const inFeatures = fresh ? input.shape.at(-1) : this.weight.shape[1];
    Object.assign(this, { inFeatures });
    materialize(this.weight, [this.outFeatures, inFeatures!]);
    materialize(this.bias, [this.outFeatures]);
    if (fresh) super.resetParameters();
    becomePlain(this, Linear);
    return this.forward(input);
  }
}
