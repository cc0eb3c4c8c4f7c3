/** @file Local response normalisation. */
import { Module, type Tensor } from '@tessera/core';
import { localResponseNorm, type LocalResponseNormOptions } from '../functional/index.js';
import { pyFloat } from '../repr.js';

/** x / (k + α · mean of x² over `size` neighbouring channels)^β (Krizhevsky et al., 2012). PyTorch: nn.LocalResponseNorm. */
export class LocalResponseNorm extends Module {
  static override readonly typeName = 'LocalResponseNorm';
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;

  constructor(
    readonly size: number,
    options: LocalResponseNormOptions = {},
  ) {
    super();
    this.alpha = options.alpha ?? 1e-4;
    this.beta = options.beta ?? 0.75;
    this.k = options.k ?? 1;
  }

  forward(input: Tensor): Tensor {
    const { size, alpha, beta, k } = this;
    return localResponseNorm(input, size, { alpha, beta, k });
  }

  override extraRepr(): string {
    return `${this.size}, alpha=${pyFloat(this.alpha)}, beta=${pyFloat(this.beta)}, k=${pyFloat(this.k)}`;
  }
}
