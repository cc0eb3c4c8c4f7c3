/** @file The encoder of a transformer. */
import { checkOptions, type OptionNames, Module, type Tensor } from '@tessera/core';
import { ModuleList } from '../containers/module-list.js';
import type { Dropout } from '../dropout/dropout.js';
import type { Linear } from '../linear/linear.js';
import type { LayerNorm } from '../normalization/layer-norm.js';
import { type LayerSource, layersFrom, likeOriginal, withoutDrawing } from './copies.js';
import { MultiheadAttention } from './multihead-attention.js';
import { activationOf, LayerParts, TRANSFORMER_LAYER_OPTIONS, type TransformerLayerOptions } from './transformer-layer.js';

const TRANSFORMER_ENCODER_OPTIONS: OptionNames<TransformerEncoderOptions> = { norm: true, enableNestedTensor: true };
const ENCODER_CALL_OPTIONS: OptionNames<EncoderCallOptions> = { mask: true, srcKeyPaddingMask: true, isCausal: true };
const ENCODER_LAYER_CALL_OPTIONS: OptionNames<EncoderLayerCallOptions> = { srcMask: true, srcKeyPaddingMask: true, isCausal: true };

export interface EncoderLayerCallOptions {
  /** (L, L) or (N · heads, L, L): where a position must not look. */
  readonly srcMask?: Tensor | null;
  /** (N, L): which positions are padding. */
  readonly srcKeyPaddingMask?: Tensor | null;
  /** A hint that `srcMask` is the causal one. Default false. */
  readonly isCausal?: boolean;
}

/**
 * Self-attention and a feed-forward block, each with a residual connection and a norm (Vaswani et al., 2017). Input and output (L, N, dModel),
 * (N, L, dModel) with `batchFirst`, or (L, dModel). PyTorch: nn.TransformerEncoderLayer. PyTorch's inference path, which writes zeros at
 * padded places, does not exist here: those places hold what the formula gives.
 *
 * @example new nn.TransformerEncoderLayer(512, 8, { batchFirst: true })(randn(32, 10, 512))
 */
export class TransformerEncoderLayer extends Module {
  static override readonly typeName = 'TransformerEncoderLayer';
  self_attn: MultiheadAttention;
  linear1: Linear;
  dropout: Dropout;
  linear2: Linear;
  norm1: LayerNorm;
  norm2: LayerNorm;
  dropout1: Dropout;
  dropout2: Dropout;
  readonly activation: (x: Tensor) => Tensor;
  readonly normFirst: boolean;

  constructor(
    readonly dModel: number,
    readonly nhead: number,
    readonly options: TransformerLayerOptions = {},
  ) {
    checkOptions('TransformerEncoderLayer', options, TRANSFORMER_LAYER_OPTIONS);
    super();
    const { dimFeedforward = 2048 } = options;
    const parts = new LayerParts(dModel, options);
    this.self_attn = new MultiheadAttention(dModel, nhead, parts.attention());
    this.linear1 = parts.linear(dModel, dimFeedforward);
    this.dropout = parts.dropout();
    this.linear2 = parts.linear(dimFeedforward, dModel);
    this.norm1 = parts.norm();
    this.norm2 = parts.norm();
    this.dropout1 = parts.dropout();
    this.dropout2 = parts.dropout();
    this.activation = activationOf(options.activation ?? 'relu');
    this.normFirst = options.normFirst ?? false;
  }

  /** A layer with the same options and equal parameters of its own. */
  clone(): TransformerEncoderLayer {
    return withoutDrawing(() => likeOriginal(new TransformerEncoderLayer(this.dModel, this.nhead, this.options), this));
  }

  forward(src: Tensor, options: EncoderLayerCallOptions = {}): Tensor {
    checkOptions('TransformerEncoderLayer', options, ENCODER_LAYER_CALL_OPTIONS);
    if (this.normFirst) {
      const x = src.add(this.#attend(this.norm1(src), options));
      return x.add(this.#feed(this.norm2(x)));
    }
    const x = this.norm1(src.add(this.#attend(src, options)));
    return this.norm2(x.add(this.#feed(x)));
  }

  #attend(x: Tensor, { srcMask = null, srcKeyPaddingMask = null, isCausal = false }: EncoderLayerCallOptions): Tensor {
    const [y] = this.self_attn(x, x, x, { attnMask: srcMask, keyPaddingMask: srcKeyPaddingMask, needWeights: false, isCausal });
    return this.dropout1(y);
  }

  #feed(x: Tensor): Tensor {
    return this.dropout2(this.linear2(this.dropout(this.activation(this.linear1(x)))));
  }
}

/** What a {@link TransformerEncoder} is made of: any module that is called as its layers are. */
export type EncoderLayer = Module & { forward(src: Tensor, options?: EncoderLayerCallOptions): Tensor };

export interface TransformerEncoderOptions {
  /** Applied to the output. Default null. */
  readonly norm?: (Module & { forward(x: Tensor): Tensor }) | null;
  /** PyTorch's nested tensors do not exist here: it has no effect. */
  readonly enableNestedTensor?: boolean;
}

export interface EncoderCallOptions {
  readonly mask?: Tensor | null;
  readonly srcKeyPaddingMask?: Tensor | null;
  /** A hint that `mask` is the causal one. Default false. */
  readonly isCausal?: boolean;
}

/**
 * Layers one after the other. They are copies of `encoderLayer` and begin equal, as PyTorch's do; a function in its place makes the layer of
 * each place. PyTorch: nn.TransformerEncoder.
 * @throws ModuleError `ERR_NO_CLONE`.
 * @example new nn.TransformerEncoder(new nn.TransformerEncoderLayer(512, 8), 6)
 * @example new nn.TransformerEncoder((i) => new MyLayer(i), 6)
 */
export class TransformerEncoder extends Module {
  static override readonly typeName = 'TransformerEncoder';
  layers: ModuleList<EncoderLayer>;
  norm: (Module & { forward(x: Tensor): Tensor }) | null;

  constructor(
    encoderLayer: LayerSource<EncoderLayer>,
    readonly numLayers: number,
    options: TransformerEncoderOptions = {},
  ) {
    checkOptions('TransformerEncoder', options, TRANSFORMER_ENCODER_OPTIONS);
    super();
    this.layers = new ModuleList(layersFrom(encoderLayer, numLayers, 'TransformerEncoder'));
    this.norm = options.norm ?? null;
  }

  forward(src: Tensor, options: EncoderCallOptions = {}): Tensor {
    const { mask = null, srcKeyPaddingMask = null, isCausal = false } = checkOptions('TransformerEncoder', options, ENCODER_CALL_OPTIONS);
    let x = src;
    for (const layer of this.layers) x = layer(x, { srcMask: mask, srcKeyPaddingMask, isCausal });
    return this.norm === null ? x : this.norm(x);
  }
}
