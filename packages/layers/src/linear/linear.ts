/** @file The dense layer. */
import { checkOptions, type OptionNames, empty, Module, Parameter, ShapeError, type Tensor, type TesseraError } from '@tessera/core';
import { linear } from '../functional/index.js';
import { calculateFans } from '../init/fan.js';
import { uniform_ } from '../init/fill.js';
import { kaimingUniform_ } from '../init/scaled.js';
import { factory, type FactoryOptions, requireCount } from '../options.js';
import { pyBool } from '../repr.js';

const LINEAR_OPTIONS: OptionNames<LinearOptions> = { bias: true, device: true, dtype: true };

export interface LinearOptions extends FactoryOptions {
  /** Adds a learnt vector. Default true. */
  readonly bias?: boolean;
}

/**
 * y = x Aᵀ + b. Input (*, inFeatures), output (*, outFeatures). `weight` is A (outFeatures, inFeatures), `bias` is b; both begin uniform in
 * ±1/√inFeatures. PyTorch: nn.Linear.
 * @throws ShapeError `ERR_MATMUL_SHAPE` when called with another last size.
 * @example new nn.Linear(20, 30)(randn(128, 20)).shape // [128, 30]
 */
export class Linear extends Module {
  static override readonly typeName: string = 'Linear';
  weight: Parameter;
  bias: Parameter | null;

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    options: LinearOptions = {},
  ) {
    checkOptions('Linear', options, LINEAR_OPTIONS);
    super();
    requireCount('Linear', 'inFeatures', inFeatures);
    requireCount('Linear', 'outFeatures', outFeatures);
    const made = factory(options);
    this.weight = new Parameter(empty([outFeatures, inFeatures], made));
    this.bias = options.bias === false ? null : new Parameter(empty([outFeatures], made));
    this.resetParameters();
  }

  /** Draws weight and bias anew. PyTorch: reset_parameters. */
  resetParameters(): void {
    kaimingUniform_(this.weight, { a: Math.sqrt(5) });
    if (this.bias === null) return;
    const { fanIn } = calculateFans(this.weight);
    const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
    uniform_(this.bias, -bound, bound);
  }

  forward(input: Tensor): Tensor {
    return linear(input, this.weight, this.bias);
  }

  override extraRepr(): string {
    return `in_features=${this.inFeatures}, out_features=${this.outFeatures}, bias=${pyBool(this.bias !== null)}`;
  }

  override explainError(error: TesseraError): string | null {
    return error instanceof ShapeError
      ? `Linear(${this.inFeatures}, ${this.outFeatures}) takes inputs whose last size is ${this.inFeatures}.`
      : null;
  }
}
