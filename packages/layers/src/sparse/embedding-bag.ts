/** @file Sums, means or maxima of embeddings, without the embeddings between. */
import type { Tensor } from '@tessera/core';
import { embeddingBag } from '../functional/index.js';
import { checkTable, EMBEDDING_OPTIONS, EmbeddingBase, type EmbeddingOptions, type PretrainedOptions } from './embedding.js';
import { checkOptions, type OptionNames } from '@tessera/core';

const EMBEDDING_BAG_OPTIONS: OptionNames<EmbeddingBagOptions & { readonly weight?: Tensor; readonly learnt?: boolean }> = {
  mode: true,
  includeLastOffset: true,
  ...EMBEDDING_OPTIONS,
};

export interface EmbeddingBagOptions extends EmbeddingOptions {
  /** How the vectors of a bag become one. Default 'mean'. */
  readonly mode?: 'sum' | 'mean' | 'max';
  /** The last offset is the end of the input rather than the start of a bag. Default false. */
  readonly includeLastOffset?: boolean;
}

/**
 * One vector for each bag of indices. Input (B, N): B bags; or (N), with `offsets` (B) saying where each bag begins. Output (B, embeddingDim).
 * PyTorch: nn.EmbeddingBag.
 */
export class EmbeddingBag extends EmbeddingBase {
  static override readonly typeName = 'EmbeddingBag';
  readonly mode: 'sum' | 'mean' | 'max';
  readonly includeLastOffset: boolean;

  constructor(
    numEmbeddings: number,
    embeddingDim: number,
    options: EmbeddingBagOptions & { readonly weight?: Tensor; readonly learnt?: boolean } = {},
  ) {
    checkOptions('EmbeddingBag', options, EMBEDDING_BAG_OPTIONS);
    super(numEmbeddings, embeddingDim, options, options.weight ?? null, options.learnt ?? true);
    this.mode = options.mode ?? 'mean';
    this.includeLastOffset = options.includeLastOffset ?? false;
  }

  /** A layer on a given table. PyTorch: EmbeddingBag.from_pretrained. @throws ShapeError `ERR_EMBEDDING`. */
  static fromPretrained(table: Tensor, options: PretrainedOptions & EmbeddingBagOptions = {}): EmbeddingBag {
    checkTable(table);
    const { freeze = true, ...rest } = options;
    return new EmbeddingBag(table.shape[0], table.shape[1], { ...rest, weight: table, learnt: !freeze });
  }

  forward(input: Tensor, offsets?: Tensor | null, perSampleWeights?: Tensor | null): Tensor {
    const { maxNorm, normType, scaleGradByFreq, mode, includeLastOffset, paddingIdx } = this;
    return embeddingBag(input, this.weight, offsets, {
      maxNorm,
      normType,
      scaleGradByFreq,
      mode,
      perSampleWeights: perSampleWeights ?? null,
      includeLastOffset,
      paddingIdx,
    });
  }

  override extraRepr(): string {
    return `${this.reprOfTable()}, mode='${this.mode}'${this.paddingIdx === null ? '' : `, padding_idx=${this.paddingIdx}`}`;
  }
}
