/** @file Weights divided by their largest singular value. */
import { checkOptions, type OptionNames, Buffer, Module, noGrad, randn, ShapeError, type Tensor, ValueError } from '@tessera/core';
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from '../../convolution/conv-transpose.js';
import { normalize } from '../../functional/index.js';
import { registerParametrization } from '../parametrize/parametrize.js';

const SPECTRAL_NORM_OPTIONS: OptionNames<SpectralNormOptions> = { nPowerIterations: true, eps: true, dim: true };

export interface SpectralNormOptions {
  /** Steps of the power iteration at each call while training. Default 1. */
  readonly nPowerIterations?: number;
  /** Keeps norms above 0. Default 1e-12. */
  readonly eps?: number;
  /** The dim of the outputs. Default 0, and 1 for transposed convolutions. */
  readonly dim?: number | null;
}

class SpectralNorm extends Module {
  static override readonly typeName = '_SpectralNorm';
  readonly dim: number;
  readonly eps: number;
  readonly nPowerIterations: number;
  _u: Tensor | null = null;
  _v: Tensor | null = null;

  constructor(weight: Tensor, { nPowerIterations = 1, eps = 1e-12 }: SpectralNormOptions, dim: number) {
    super();
    const { ndim } = weight;
    if (dim >= ndim || dim < -ndim)
      throw new ShapeError(
        'ERR_DIM',
        `spectralNorm: Dimension out of range (expected to be in range of [-${ndim}, ${ndim - 1}] but got ${dim})`,
      );
    if (!(nPowerIterations > 0))
      throw new ValueError('ERR_LAYER_OPTION', `spectralNorm: Expected n_power_iterations to be positive, but got ${nPowerIterations}`);
    this.dim = dim < 0 ? dim + ndim : dim;
    this.eps = eps;
    this.nPowerIterations = nPowerIterations;
    // A vector is divided by its norm: nothing to iterate.
    if (ndim < 2) return;
    const matrix = noGrad(() => this.#matrix(weight.detach()));
    const start = (size: number): Buffer =>
      new Buffer(normalize(randn([size], { dtype: weight.dtype, device: weight.device }), { dim: 0, eps }));
    this._u = start(matrix.shape[0]!);
    this._v = start(matrix.shape[1]!);
    this.#iterate(matrix, 15);
  }

  /** (outputs, all the rest). */
  #matrix(weight: Tensor): Tensor {
    const others = weight.shape.map((_, d) => d).filter((d) => d !== this.dim);
    return (this.dim === 0 ? weight : weight.permute([this.dim, ...others])).flatten(1);
  }

  #iterate(matrix: Tensor, steps: number): void {
    noGrad(() => {
      const { eps } = this;
      for (let i = 0; i < steps; i++) {
        this._u!.copy_(normalize(matrix.mv(this._v!), { dim: 0, eps }));
        this._v!.copy_(normalize(matrix.t().mv(this._u!), { dim: 0, eps }));
      }
    });
  }

  forward(weight: Tensor): Tensor {
    if (weight.ndim === 1) return normalize(weight, { dim: 0, eps: this.eps });
    const matrix = this.#matrix(weight);
    if (this.training) this.#iterate(matrix.detach(), this.nPowerIterations);
    // The next call writes into them, and the graph of this one needs what they are now.
    const u = this._u!.clone();
    const v = this._v!.clone();
    return weight.div(u.dot(matrix.mv(v)));
  }

  /** Assigned weights are learnt as they are. */
  rightInverse(value: Tensor): Tensor {
    return value;
  }
}

/**
 * w / σ(w), with the largest singular value σ by power iteration (Miyato et al., 2018). PyTorch: nn.utils.parametrizations.spectral_norm.
 * @throws ShapeError `ERR_DIM`; ValueError `ERR_LAYER_OPTION`.
 * @example nn.utils.parametrizations.spectralNorm(new nn.Linear(20, 40))
 */
export function spectralNorm<M extends Module>(module: M, name = 'weight', options: SpectralNormOptions = {}): M {
  checkOptions('spectralNorm', options, SPECTRAL_NORM_OPTIONS);
  const weight = (module as unknown as Record<string, Tensor | undefined>)[name];
  if (weight === undefined || weight === null)
    throw new ValueError('ERR_LAYER_OPTION', `spectralNorm: Module has no parameter or buffer with name '${name}'`);
  const transposed = [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d].some((type) => module instanceof type);
  registerParametrization(module, name, new SpectralNorm(weight, options, options.dim ?? (transposed ? 1 : 0)));
  return module;
}
