/** @file Tables of vectors, looked up by index. */
import {
  checkOptions,
  type OptionNames,
  embedding,
  empty,
  Module,
  noGrad,
  NotSupportedError,
  Parameter,
  ShapeError,
  type Tensor,
  ValueError,
} from '@tessera/core';
import { normal_ } from '../init/fill.js';
import { factory, type FactoryOptions } from '../options.js';
import { pyFloat } from '../repr.js';

/** @internal */
export const EMBEDDING_OPTIONS: OptionNames<EmbeddingOptions & { readonly weight?: Tensor; readonly learnt?: boolean }> = {
  paddingIdx: true,
  maxNorm: true,
  normType: true,
  scaleGradByFreq: true,
  sparse: true,
  device: true,
  dtype: true,
  weight: true,
  learnt: true,
};

export interface EmbeddingOptions extends FactoryOptions {
  /** The row of this index begins as zeros and is not learnt; from the end when negative. Default null. */
  readonly paddingIdx?: number | null;
  /** Rows that are looked up and longer than this are shortened to it, in place. Default null. */
  readonly maxNorm?: number | null;
  /** The exponent of that norm. Default 2. */
  readonly normType?: number;
  /** Divides a row's gradient by how often it was looked up. Default false. */
  readonly scaleGradByFreq?: boolean;
  /** PyTorch's sparse gradients do not exist here. Default false. */
  readonly sparse?: boolean;
}

/** What Embedding and EmbeddingBag share: the table. */
export abstract class EmbeddingBase extends Module {
  readonly paddingIdx: number | null;
  readonly maxNorm: number | null;
  readonly normType: number;
  readonly scaleGradByFreq: boolean;
  weight: Parameter;

  constructor(
    readonly numEmbeddings: number,
    readonly embeddingDim: number,
    options: EmbeddingOptions,
    given: Tensor | null,
    learnt: boolean,
  ) {
    super();
    if (options.sparse === true)
      throw new NotSupportedError('ERR_SPARSE', 'Embedding: sparse gradients are not supported; leave `sparse` out');
    let paddingIdx = options.paddingIdx ?? null;
    if (paddingIdx !== null) {
      if (!(paddingIdx >= -numEmbeddings && paddingIdx < numEmbeddings))
        throw new ValueError('ERR_LAYER_OPTION', 'Embedding: Padding_idx must be within num_embeddings');
      if (paddingIdx < 0) paddingIdx += numEmbeddings;
    }
    this.paddingIdx = paddingIdx;
    this.maxNorm = options.maxNorm ?? null;
    this.normType = options.normType ?? 2;
    this.scaleGradByFreq = options.scaleGradByFreq ?? false;
    if (given !== null && (given.shape[0] !== numEmbeddings || given.shape[1] !== embeddingDim)) {
      throw new ShapeError('ERR_EMBEDDING', 'Shape of weight does not match num_embeddings and embedding_dim', {
        shapes: [given.shape, [numEmbeddings, embeddingDim]],
      });
    }
    this.weight = new Parameter(given ?? empty([numEmbeddings, embeddingDim], factory(options)), learnt);
    if (given === null) this.resetParameters();
  }

  /** Normal numbers, zeros for padding. PyTorch: reset_parameters. */
  resetParameters(): void {
    normal_(this.weight);
    const { paddingIdx } = this;
    if (paddingIdx !== null) noGrad(() => this.weight.select(0, paddingIdx).zero_());
  }

  protected reprOfTable(): string {
    let text = `${this.numEmbeddings}, ${this.embeddingDim}`;
    if (this.maxNorm !== null) text += `, max_norm=${pyFloat(this.maxNorm)}`;
    if (this.normType !== 2) text += `, norm_type=${pyFloat(this.normType)}`;
    if (this.scaleGradByFreq) text += ', scale_grad_by_freq=True';
    return text;
  }
}

/** A table that must have two dims. */
export function checkTable(table: Tensor): void {
  if (table.ndim !== 2)
    throw new ShapeError('ERR_EMBEDDING', 'Embeddings parameter is expected to be 2-dimensional', { shapes: [table.shape] });
}

export interface PretrainedOptions extends EmbeddingOptions {
  /** The table is not learnt. Default true. */
  readonly freeze?: boolean;
}

/**
 * A vector of `embeddingDim` numbers for each of `numEmbeddings` indices. Input: integers of any shape (*); output (*, embeddingDim).
 * `weight` is (numEmbeddings, embeddingDim) and begins with normal numbers. PyTorch: nn.Embedding.
 * @throws ValueError `ERR_LAYER_OPTION`; when called, IndexError `ERR_INDEX_RANGE` for an index that is no row.
 * @example new nn.Embedding(10, 3, { paddingIdx: 0 })(tensor([[1, 2], [4, 0]], { dtype: 'int32' })).shape // [2, 2, 3]
 */
export class Embedding extends EmbeddingBase {
  static override readonly typeName = 'Embedding';

  constructor(
    numEmbeddings: number,
    embeddingDim: number,
    options: EmbeddingOptions & { readonly weight?: Tensor; readonly learnt?: boolean } = {},
  ) {
    checkOptions('Embedding', options, EMBEDDING_OPTIONS);
    super(numEmbeddings, embeddingDim, options, options.weight ?? null, options.learnt ?? true);
  }

  /** A layer on a given table (numEmbeddings, embeddingDim). PyTorch: Embedding.from_pretrained. @throws ShapeError `ERR_EMBEDDING`. */
  static fromPretrained(table: Tensor, options: PretrainedOptions = {}): Embedding {
    checkTable(table);
    const { freeze = true, ...rest } = options;
    return new Embedding(table.shape[0], table.shape[1], { ...rest, weight: table, learnt: !freeze });
  }

  forward(input: Tensor): Tensor {
    const { paddingIdx, maxNorm, normType, scaleGradByFreq } = this;
    return embedding(input, this.weight, { paddingIdx, maxNorm, normType, scaleGradByFreq });
  }

  override extraRepr(): string {
    const table = this.reprOfTable();
    if (this.paddingIdx === null) return table;
    const sizes = `${this.numEmbeddings}, ${this.embeddingDim}`;
    return `${sizes}, padding_idx=${this.paddingIdx}${table.slice(sizes.length)}`;
  }
}
