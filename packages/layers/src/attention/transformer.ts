/** @file The whole transformer: encoder and decoder. */
import { checkOptions, type OptionNames, full, Module, ShapeError, type Tensor } from '@tessera/core';
import { xavierUniform_ } from '../init/scaled.js';
import { factory, type FactoryOptions } from '../options.js';
import { TransformerDecoder, TransformerDecoderLayer } from './transformer-decoder.js';
import { TransformerEncoder, TransformerEncoderLayer } from './transformer-encoder.js';
import { LayerParts, TRANSFORMER_LAYER_OPTIONS, type TransformerLayerOptions } from './transformer-layer.js';

const TRANSFORMER_CALL_OPTIONS: OptionNames<TransformerCallOptions> = {
  srcMask: true,
  tgtMask: true,
  memoryMask: true,
  srcKeyPaddingMask: true,
  tgtKeyPaddingMask: true,
  memoryKeyPaddingMask: true,
  srcIsCausal: true,
  tgtIsCausal: true,
  memoryIsCausal: true,
};
const TRANSFORMER_OPTIONS: OptionNames<TransformerOptions> = {
  dModel: true,
  nhead: true,
  numEncoderLayers: true,
  numDecoderLayers: true,
  customEncoder: true,
  customDecoder: true,
  ...TRANSFORMER_LAYER_OPTIONS,
};

type Coder = Module & { forward(...args: never[]): Tensor };

export interface TransformerOptions extends TransformerLayerOptions {
  /** Features of inputs and outputs. Default 512. */
  readonly dModel?: number;
  /** Default 8. */
  readonly nhead?: number;
  /** Default 6. */
  readonly numEncoderLayers?: number;
  /** Default 6. */
  readonly numDecoderLayers?: number;
  /** In place of the encoder: called with (src, { mask, srcKeyPaddingMask, isCausal }). */
  readonly customEncoder?: Coder | null;
  /** In place of the decoder: called with (tgt, memory, options). */
  readonly customDecoder?: Coder | null;
}

export interface TransformerCallOptions {
  /** (S, S): where a position of the source must not look. */
  readonly srcMask?: Tensor | null;
  /** (T, T): where a position of the target must not look; see {@link Transformer.generateSquareSubsequentMask}. */
  readonly tgtMask?: Tensor | null;
  /** (T, S): where a position of the target must not look in the source. */
  readonly memoryMask?: Tensor | null;
  /** (N, S): padding. */
  readonly srcKeyPaddingMask?: Tensor | null;
  /** (N, T): padding. */
  readonly tgtKeyPaddingMask?: Tensor | null;
  /** (N, S): padding. */
  readonly memoryKeyPaddingMask?: Tensor | null;
  /** Hints that the masks are causal ones. Default false. */
  readonly srcIsCausal?: boolean;
  readonly tgtIsCausal?: boolean;
  readonly memoryIsCausal?: boolean;
}

/**
 * An encoder and a decoder that attends to it (Vaswani et al., 2017). Source (S, N, dModel), target and output (T, N, dModel), with N first
 * under `batchFirst`, or without N. PyTorch: nn.Transformer.
 * @throws ShapeError `ERR_TRANSFORMER_SHAPE` when called.
 * @example new nn.Transformer({ nhead: 16, numEncoderLayers: 12 })(randn(10, 32, 512), randn(20, 32, 512)).shape // [20, 32, 512]
 */
export class Transformer extends Module {
  static override readonly typeName = 'Transformer';
  encoder: Coder;
  decoder: Coder;
  readonly dModel: number;
  readonly nhead: number;
  readonly batchFirst: boolean;

  constructor(options: TransformerOptions = {}) {
    checkOptions('Transformer', options, TRANSFORMER_OPTIONS);
    super();
    const { dModel = 512, nhead = 8, numEncoderLayers = 6, numDecoderLayers = 6, customEncoder, customDecoder, ...ofLayers } = options;
    this.dModel = dModel;
    this.nhead = nhead;
    this.batchFirst = options.batchFirst ?? false;
    const parts = new LayerParts(dModel, ofLayers);
    this.encoder =
      customEncoder ??
      stack(
        new TransformerEncoderLayer(dModel, nhead, ofLayers),
        (l) => new TransformerEncoder(l, numEncoderLayers, { norm: parts.norm() }),
      );
    this.decoder =
      customDecoder ??
      stack(
        new TransformerDecoderLayer(dModel, nhead, ofLayers),
        (l) => new TransformerDecoder(l, numDecoderLayers, { norm: parts.norm() }),
      );
    this.resetParameters();
  }

  /** Xavier's uniform weights everywhere. PyTorch: _reset_parameters. */
  resetParameters(): void {
    for (const p of this.parameters()) if (p.ndim > 1) xavierUniform_(p);
  }

  /** (size, size): 0 where a position may look, −∞ after it. PyTorch: generate_square_subsequent_mask. */
  static generateSquareSubsequentMask(size: number, options: FactoryOptions = {}): Tensor {
    return full([size, size], -Infinity, { dtype: 'float32', ...factory(options) }).triu(1);
  }

  forward(src: Tensor, tgt: Tensor, options: TransformerCallOptions = {}): Tensor {
    checkOptions('Transformer', options, TRANSFORMER_CALL_OPTIONS);
    const fail = (why: string): never => {
      throw new ShapeError('ERR_TRANSFORMER_SHAPE', `Transformer: ${why}`, { op: 'Transformer', shapes: [src.shape, tgt.shape] });
    };
    const batchDim = this.batchFirst ? 0 : 1;
    if (src.ndim === 3 && src.shape[batchDim] !== tgt.shape[batchDim]) fail('the batch number of src and tgt must be equal');
    if (src.shape.at(-1) !== this.dModel || tgt.shape.at(-1) !== this.dModel)
      fail('the feature number of src and tgt must be equal to d_model');
    const { srcMask = null, srcKeyPaddingMask = null, srcIsCausal = false, ...rest } = options;
    const call = (module: Coder, ...args: readonly unknown[]): Tensor =>
      (module as unknown as (...a: readonly unknown[]) => Tensor)(...args);
    const memory = call(this.encoder, src, { mask: srcMask, srcKeyPaddingMask, isCausal: srcIsCausal });
    return call(this.decoder, tgt, memory, rest);
  }
}

/** A stack of copies; the layer that they were copied from is of no further use. */
function stack<L extends Module, C extends Coder>(layer: L, make: (layer: L) => C): C {
  const coder = make(layer);
  for (const p of layer.parameters()) p.dispose();
  return coder;
}
