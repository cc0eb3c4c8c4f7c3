/** @file What the layers of a transformer's encoder and decoder share: options, activations, parts. */
import { gelu, type Generator, type OptionNames, relu, type Tensor, ValueError } from '@tessera/core';
import { Dropout } from '../dropout/dropout.js';
import { Linear } from '../linear/linear.js';
import { LayerNorm } from '../normalization/layer-norm.js';
import { factory, type FactoryOptions } from '../options.js';

/** 'relu', 'gelu', or any function of a tensor, which may be a module. */
export type TransformerActivation = 'relu' | 'gelu' | ((x: Tensor) => Tensor);

export interface TransformerLayerOptions extends FactoryOptions {
  /** Features between the two linear layers. Default 2048. */
  readonly dimFeedforward?: number;
  /** Default 0.1. */
  readonly dropout?: number;
  /** Default 'relu'. */
  readonly activation?: TransformerActivation;
  /** Default 1e-5. */
  readonly layerNormEps?: number;
  /** Inputs and outputs are (N, L, E) rather than (L, N, E). Default false. */
  readonly batchFirst?: boolean;
  /** Norms come before attention and feed-forward rather than after. Default false. */
  readonly normFirst?: boolean;
  /** Linear layers, attention and norms have biases. Default true. */
  readonly bias?: boolean;
  /** Where the noise of the dropouts comes from; see {@link Dropout}. */
  readonly rng?: 'philox' | 'torch';
  readonly generator?: Generator;
}

/** @internal */
export const TRANSFORMER_LAYER_OPTIONS: OptionNames<TransformerLayerOptions> = {
  dimFeedforward: true,
  dropout: true,
  activation: true,
  layerNormEps: true,
  batchFirst: true,
  normFirst: true,
  bias: true,
  rng: true,
  generator: true,
  device: true,
  dtype: true,
};

/** @throws ValueError `ERR_LAYER_OPTION` */
export function activationOf(given: TransformerActivation): (x: Tensor) => Tensor {
  if (given === 'relu') return relu;
  if (given === 'gelu') return (x) => gelu(x);
  if (typeof given === 'function') return given;
  throw new ValueError('ERR_LAYER_OPTION', `activation should be relu/gelu, not ${String(given)}`);
}

/** Makes the parts of a layer from its options. */
export class LayerParts {
  readonly #options: TransformerLayerOptions;

  constructor(
    readonly dModel: number,
    options: TransformerLayerOptions,
  ) {
    this.#options = options;
  }

  get #noise(): Pick<TransformerLayerOptions, 'rng' | 'generator'> {
    const { rng, generator } = this.#options;
    return { ...(rng === undefined ? {} : { rng }), ...(generator === undefined ? {} : { generator }) };
  }

  linear(inFeatures: number, outFeatures: number): Linear {
    return new Linear(inFeatures, outFeatures, { bias: this.#options.bias ?? true, ...factory(this.#options) });
  }

  norm(): LayerNorm {
    const { layerNormEps: eps = 1e-5, bias = true } = this.#options;
    return new LayerNorm(this.dModel, { eps, bias, ...factory(this.#options) });
  }

  dropout(): Dropout {
    return new Dropout({ p: this.#options.dropout ?? 0.1, ...this.#noise });
  }

  /** The options of its attention. */
  attention(): TransformerLayerOptions {
    const { dropout = 0.1, bias = true, batchFirst = false } = this.#options;
    return { dropout, bias, batchFirst, ...this.#noise, ...factory(this.#options) };
  }
}
