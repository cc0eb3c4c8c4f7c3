/** @file The decoder of a transformer. */
import { checkOptions, type OptionNames, Module, type Tensor, typeNameOf } from '@tessera/core';
import { ModuleList } from '../containers/module-list.js';
import type { Dropout } from '../dropout/dropout.js';
import type { Linear } from '../linear/linear.js';
import type { LayerNorm } from '../normalization/layer-norm.js';
import { type LayerSource, layersFrom, likeOriginal, withoutDrawing } from './copies.js';
import { MultiheadAttention } from './multihead-attention.js';
import { activationOf, LayerParts, TRANSFORMER_LAYER_OPTIONS, type TransformerLayerOptions } from './transformer-layer.js';

const TRANSFORMER_DECODER_OPTIONS: OptionNames<TransformerDecoderOptions> = { norm: true };
const DECODER_CALL_OPTIONS: OptionNames<DecoderCallOptions> = {
  tgtMask: true,
  memoryMask: true,
  tgtKeyPaddingMask: true,
  memoryKeyPaddingMask: true,
  tgtIsCausal: true,
  memoryIsCausal: true,
};

export interface DecoderCallOptions {
  /** (T, T) or (N · heads, T, T): where a position of the target must not look in the target. */
  readonly tgtMask?: Tensor | null;
  /** (T, S) or (N · heads, T, S): where it must not look in the memory. */
  readonly memoryMask?: Tensor | null;
  /** (N, T): which positions of the target are padding. */
  readonly tgtKeyPaddingMask?: Tensor | null;
  /** (N, S): which positions of the memory are padding. */
  readonly memoryKeyPaddingMask?: Tensor | null;
  /** A hint that `tgtMask` is the causal one. Default false. */
  readonly tgtIsCausal?: boolean;
  /** A hint that `memoryMask` is the causal one. Default false. */
  readonly memoryIsCausal?: boolean;
}

/**
 * Self-attention, attention to the encoder's output and a feed-forward block, each with a residual connection and a norm. Target and output
 * (T, N, dModel), memory (S, N, dModel), with N first under `batchFirst`. PyTorch: nn.TransformerDecoderLayer.
 * @example new nn.TransformerDecoderLayer(512, 8)(randn(20, 32, 512), randn(10, 32, 512))
 */
export class TransformerDecoderLayer extends Module {
  static override readonly typeName = 'TransformerDecoderLayer';
  self_attn: MultiheadAttention;
  multihead_attn: MultiheadAttention;
  linear1: Linear;
  dropout: Dropout;
  linear2: Linear;
  norm1: LayerNorm;
  norm2: LayerNorm;
  norm3: LayerNorm;
  dropout1: Dropout;
  dropout2: Dropout;
  dropout3: Dropout;
  readonly activation: (x: Tensor) => Tensor;
  readonly normFirst: boolean;

  constructor(
    readonly dModel: number,
    readonly nhead: number,
    readonly options: TransformerLayerOptions = {},
  ) {
    checkOptions('TransformerDecoderLayer', options, TRANSFORMER_LAYER_OPTIONS);
    super();
    const { dimFeedforward = 2048 } = options;
    const parts = new LayerParts(dModel, options);
    this.self_attn = new MultiheadAttention(dModel, nhead, parts.attention());
    this.multihead_attn = new MultiheadAttention(dModel, nhead, parts.attention());
    this.linear1 = parts.linear(dModel, dimFeedforward);
    this.dropout = parts.dropout();
    this.linear2 = parts.linear(dimFeedforward, dModel);
    this.norm1 = parts.norm();
    this.norm2 = parts.norm();
    this.norm3 = parts.norm();
    this.dropout1 = parts.dropout();
    this.dropout2 = parts.dropout();
    this.dropout3 = parts.dropout();
    this.activation = activationOf(options.activation ?? 'relu');
    this.normFirst = options.normFirst ?? false;
  }

  /** A layer with the same options and equal parameters of its own. */
  clone(): TransformerDecoderLayer {
    return withoutDrawing(() => likeOriginal(new TransformerDecoderLayer(this.dModel, this.nhead, this.options), this));
  }

  forward(tgt: Tensor, memory: Tensor, options: DecoderCallOptions = {}): Tensor {
    checkOptions(typeNameOf(this), options, DECODER_CALL_OPTIONS);
    if (this.normFirst) {
      const x = tgt.add(this.#attend(this.norm1(tgt), options));
      const y = x.add(this.#attendMemory(this.norm2(x), memory, options));
      return y.add(this.#feed(this.norm3(y)));
    }
    const x = this.norm1(tgt.add(this.#attend(tgt, options)));
    const y = this.norm2(x.add(this.#attendMemory(x, memory, options)));
    return this.norm3(y.add(this.#feed(y)));
  }

  #attend(x: Tensor, { tgtMask = null, tgtKeyPaddingMask = null, tgtIsCausal = false }: DecoderCallOptions): Tensor {
    const options = { attnMask: tgtMask, keyPaddingMask: tgtKeyPaddingMask, isCausal: tgtIsCausal, needWeights: false };
    return this.dropout1(this.self_attn(x, x, x, options)[0]);
  }

  #attendMemory(x: Tensor, memory: Tensor, o: DecoderCallOptions): Tensor {
    const { memoryMask = null, memoryKeyPaddingMask = null, memoryIsCausal = false } = o;
    const options = { attnMask: memoryMask, keyPaddingMask: memoryKeyPaddingMask, isCausal: memoryIsCausal, needWeights: false };
    return this.dropout2(this.multihead_attn(x, memory, memory, options)[0]);
  }

  #feed(x: Tensor): Tensor {
    return this.dropout3(this.linear2(this.dropout(this.activation(this.linear1(x)))));
  }
}

/** What a {@link TransformerDecoder} is made of. */
export type DecoderLayer = Module & { forward(tgt: Tensor, memory: Tensor, options?: DecoderCallOptions): Tensor };

export interface TransformerDecoderOptions {
  /** Applied to the output. Default null. */
  readonly norm?: (Module & { forward(x: Tensor): Tensor }) | null;
}

/** Layers one after the other, as {@link TransformerEncoder} has them. PyTorch: nn.TransformerDecoder. @throws ModuleError `ERR_NO_CLONE`. */
export class TransformerDecoder extends Module {
  static override readonly typeName = 'TransformerDecoder';
  layers: ModuleList<DecoderLayer>;
  norm: (Module & { forward(x: Tensor): Tensor }) | null;

  constructor(
    decoderLayer: LayerSource<DecoderLayer>,
    readonly numLayers: number,
    options: TransformerDecoderOptions = {},
  ) {
    checkOptions('TransformerDecoder', options, TRANSFORMER_DECODER_OPTIONS);
    super();
    this.layers = new ModuleList(layersFrom(decoderLayer, numLayers, 'TransformerDecoder'));
    this.norm = options.norm ?? null;
  }

  forward(tgt: Tensor, memory: Tensor, options: DecoderCallOptions = {}): Tensor {
    checkOptions(typeNameOf(this), options, DECODER_CALL_OPTIONS);
    let x = tgt;
    for (const layer of this.layers) x = layer(x, memory, options);
    return this.norm === null ? x : this.norm(x);
  }
}
