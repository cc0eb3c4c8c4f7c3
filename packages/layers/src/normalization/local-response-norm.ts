/** @file Local response normalisation. */
import { checkOptions, type OptionNames, Module, ShapeError, type Tensor } from '@tessera/core';
import { localResponseNorm, type LocalResponseNormOptions } from '../functional/index.js';
import { pyFloat } from '../repr.js';

const LOCAL_RESPONSE_NORM_OPTIONS: OptionNames<LocalResponseNormOptions> = { alpha: true, beta: true, k: true };

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
    checkOptions('LocalResponseNorm', options, LOCAL_RESPONSE_NORM_OPTIONS);
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

/**
 * {@link LocalResponseNorm} over (N, C, H, W) as Torch 7 had it: of an even `size` it looks at the size − 1 channels around each, and divides their
 * sum by `size`. PyTorch: nn.CrossMapLRN2d.
 */
export class CrossMapLRN2d extends Module {
  static override readonly typeName = 'CrossMapLRN2d';
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;

  constructor(
    readonly size: number,
    options: LocalResponseNormOptions = {},
  ) {
    checkOptions('CrossMapLRN2d', options, LOCAL_RESPONSE_NORM_OPTIONS);
    super();
    this.alpha = options.alpha ?? 1e-4;
    this.beta = options.beta ?? 0.75;
    this.k = options.k ?? 1;
  }

  forward(input: Tensor): Tensor {
    const { size, alpha, beta, k } = this;
    if (input.ndim !== 4)
      throw new ShapeError('ERR_RANK', `CrossMapLRN2d: input should be 4D, got ${input.ndim}D instead`, {
        op: 'CrossMapLRN2d',
        shapes: [input.shape],
      });
    const channels = 2 * Math.floor((size - 1) / 2 + 1) - 1;
    return localResponseNorm(input, channels, { alpha: (alpha * channels) / size, beta, k });
  }

  override extraRepr(): string {
    return `${this.size}, alpha=${pyFloat(this.alpha)}, beta=${pyFloat(this.beta)}, k=${pyFloat(this.k)}`;
  }
}
