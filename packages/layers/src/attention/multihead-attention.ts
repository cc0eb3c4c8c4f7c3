/** @file Multi-head attention. */
import {
  checkOptions,
  type OptionNames,
  empty,
  type Generator,
  isTensor,
  kindOf,
  Module,
  Parameter,
  type Tensor,
  ValueError,
} from '@tessera/core';
import { multiHeadAttentionForward } from '../functional/index.js';
import { constant_ } from '../init/fill.js';
import { xavierNormal_, xavierUniform_ } from '../init/scaled.js';
import { Linear } from '../linear/linear.js';
import { factory, type FactoryOptions } from '../options.js';

const ATTENTION_CALL_OPTIONS: OptionNames<AttentionCallOptions> = {
  keyPaddingMask: true,
  needWeights: true,
  attnMask: true,
  averageAttnWeights: true,
  isCausal: true,
};
const MULTIHEAD_ATTENTION_OPTIONS: OptionNames<MultiheadAttentionOptions> = {
  dropout: true,
  bias: true,
  addBiasKv: true,
  addZeroAttn: true,
  kdim: true,
  vdim: true,
  batchFirst: true,
  rng: true,
  generator: true,
  device: true,
  dtype: true,
};

export interface MultiheadAttentionOptions extends FactoryOptions {
  /** Dropout of the attention weights while training. Default 0. */
  readonly dropout?: number;
  /** Biases of the projections. Default true. */
  readonly bias?: boolean;
  /** A learnt key and value at the end of each sequence. Default false. */
  readonly addBiasKv?: boolean;
  /** A key and a value of zeros at the end of each sequence. Default false. */
  readonly addZeroAttn?: boolean;
  /** The keys' features. Default: embedDim. */
  readonly kdim?: number | null;
  /** The values' features. Default: embedDim. */
  readonly vdim?: number | null;
  /** Inputs and outputs are (N, L, E) rather than (L, N, E). Default false. */
  readonly batchFirst?: boolean;
  /** Where the noise of the dropout comes from; see {@link Dropout}. */
  readonly rng?: 'philox' | 'torch';
  readonly generator?: Generator;
}

export interface AttentionCallOptions {
  /** (N, S): true, or −∞, where a key is padding. */
  readonly keyPaddingMask?: Tensor | null;
  /** Also give the weights; without them the fused attention runs. Default true. */
  readonly needWeights?: boolean;
  /** (L, S) or (N · heads, L, S): true where a query must not look, or floats that are added to the scores. */
  readonly attnMask?: Tensor | null;
  /** The mean of the weights over heads. Default true. */
  readonly averageAttnWeights?: boolean;
  /** A hint that `attnMask` is the causal one. Default false. */
  readonly isCausal?: boolean;
}

/** Linear, under the name that PyTorch prints. */
class NonDynamicallyQuantizableLinear extends Linear {
  static override readonly typeName = 'NonDynamicallyQuantizableLinear';
}

/**
 * concat(head₁, …, head_h)·Wᵒ with head_i = attention(Q·W_iq, K·W_ik, V·W_iv) (Vaswani et al., 2017). Query (L, N, embedDim), key (S, N, kdim),
 * value (S, N, vdim), with N first under `batchFirst`, or without N. Gives `[output, weights]`; weights are (N, L, S), or null without `needWeights`.
 * State: `in_proj_weight` (or `q_proj_weight`, `k_proj_weight`, `v_proj_weight`), `in_proj_bias`, `bias_k`, `bias_v`, `out_proj.weight`, `out_proj.bias`.
 * PyTorch: nn.MultiheadAttention.
 *
 * @throws ValueError `ERR_LAYER_OPTION` where the heads do not divide embedDim.
 * @example const [y] = new nn.MultiheadAttention(64, 8, { batchFirst: true })(x, x, x, { needWeights: false });
 */
export class MultiheadAttention extends Module {
  static override readonly typeName = 'MultiheadAttention';
  readonly kdim: number;
  readonly vdim: number;
  readonly dropout: number;
  readonly batchFirst: boolean;
  readonly headDim: number;
  readonly addZeroAttn: boolean;
  rng: 'philox' | 'torch';
  in_proj_weight: Parameter | null = null;
  q_proj_weight: Parameter | null = null;
  k_proj_weight: Parameter | null = null;
  v_proj_weight: Parameter | null = null;
  in_proj_bias: Parameter | null = null;
  out_proj: Linear;
  bias_k: Parameter | null = null;
  bias_v: Parameter | null = null;
  readonly #generator: Generator | undefined;

  constructor(
    readonly embedDim: number,
    readonly numHeads: number,
    options: MultiheadAttentionOptions = {},
  ) {
    checkOptions('MultiheadAttention', options, MULTIHEAD_ATTENTION_OPTIONS);
    super();
    const fail = (why: string): never => {
      throw new ValueError('ERR_LAYER_OPTION', `MultiheadAttention: ${why}`);
    };
    if (!(embedDim > 0) || !(numHeads > 0))
      fail(`embed_dim and num_heads must be greater than 0, got embed_dim=${embedDim} and num_heads=${numHeads} instead`);
    if (embedDim % numHeads !== 0) fail('embed_dim must be divisible by num_heads');
    const { bias = true } = options;
    this.kdim = options.kdim ?? embedDim;
    this.vdim = options.vdim ?? embedDim;
    this.dropout = options.dropout ?? 0;
    this.batchFirst = options.batchFirst ?? false;
    this.headDim = embedDim / numHeads;
    this.addZeroAttn = options.addZeroAttn ?? false;
    this.rng = options.rng ?? 'philox';
    this.#generator = options.generator;
    const made = factory(options);
    const parameter = (...shape: number[]): Parameter => new Parameter(empty(shape, made));
    if (this.kdim === embedDim && this.vdim === embedDim) this.in_proj_weight = parameter(3 * embedDim, embedDim);
    else {
      this.q_proj_weight = parameter(embedDim, embedDim);
      this.k_proj_weight = parameter(embedDim, this.kdim);
      this.v_proj_weight = parameter(embedDim, this.vdim);
    }
    if (bias) this.in_proj_bias = parameter(3 * embedDim);
    this.out_proj = new NonDynamicallyQuantizableLinear(embedDim, embedDim, { bias, ...made });
    if (options.addBiasKv === true) {
      this.bias_k = parameter(1, 1, embedDim);
      this.bias_v = parameter(1, 1, embedDim);
    }
    this.resetParameters();
  }

  /** PyTorch: _reset_parameters. */
  resetParameters(): void {
    for (const weight of [this.in_proj_weight, this.q_proj_weight, this.k_proj_weight, this.v_proj_weight])
      if (weight !== null) xavierUniform_(weight);
    if (this.in_proj_bias !== null) constant_(this.in_proj_bias, 0);
    if (this.in_proj_bias !== null && this.out_proj.bias !== null) constant_(this.out_proj.bias, 0);
    for (const bias of [this.bias_k, this.bias_v]) if (bias !== null) xavierNormal_(bias);
  }

  forward(query: Tensor, key: Tensor, value: Tensor, options: AttentionCallOptions = {}): [output: Tensor, weights: Tensor | null] {
    checkOptions('MultiheadAttention', options, ATTENTION_CALL_OPTIONS);
    for (const x of [query, key, value])
      if (!isTensor(x))
        throw new ValueError('ERR_ARGUMENT', `MultiheadAttention takes three Tensors, attention(query, key, value), not ${kindOf(x)}`);
    const turned = this.batchFirst && query.ndim === 3;
    const turn = (x: Tensor): Tensor => (turned && x.ndim === 3 ? x.transpose(0, 1) : x);
    // One tensor stays one tensor: its projections are then one product.
    const q = turn(query);
    const k = key === query ? q : turn(key);
    const v = value === key ? k : turn(value);
    const { embedDim, numHeads, in_proj_weight, in_proj_bias, bias_k, bias_v, addZeroAttn, dropout, out_proj, training, rng } = this;
    const generator = this.#generator;
    const [output, weights] = multiHeadAttentionForward(
      q,
      k,
      v,
      embedDim,
      numHeads,
      in_proj_weight,
      in_proj_bias,
      bias_k,
      bias_v,
      addZeroAttn,
      dropout,
      out_proj.weight,
      out_proj.bias,
      {
        ...options,
        training,
        useSeparateProjWeight: in_proj_weight === null,
        qProjWeight: this.q_proj_weight,
        kProjWeight: this.k_proj_weight,
        vProjWeight: this.v_proj_weight,
        rng,
        ...(generator === undefined ? {} : { generator }),
      },
    );
    return [turned ? output.transpose(0, 1) : output, weights];
  }
}
