/** @file Norms of each sample over its last dims, or over groups of its channels. */
import {
  checkOptions,
  type OptionNames,
  groupNorm,
  layerNorm,
  Module,
  ones,
  Parameter,
  rmsNorm,
  type Tensor,
  ValueError,
  zeros,
  typeNameOf,
} from '@tessera/core';
import { factory, type FactoryOptions, requireSize } from '../options.js';
import { pyBool, pyFloat, pySize } from '../repr.js';

const GROUP_NORM_OPTIONS: OptionNames<GroupNormOptions> = { eps: true, affine: true, device: true, dtype: true };
const LAYER_NORM_OPTIONS: OptionNames<LayerNormOptions> = { eps: true, elementwiseAffine: true, bias: true, device: true, dtype: true };
const RMSNORM_OPTIONS: OptionNames<RMSNormOptions> = { eps: true, elementwiseAffine: true, device: true, dtype: true };

function listed(owner: string, shape: number | readonly number[]): readonly number[] {
  requireSize(owner, 'normalizedShape', shape);
  return typeof shape === 'number' ? [shape] : [...shape];
}

export interface LayerNormOptions extends FactoryOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Learns a factor, and an offset, for each element of the normalised dims. Default true. */
  readonly elementwiseAffine?: boolean;
  /** Whether there is an offset. Default true. */
  readonly bias?: boolean;
}

/**
 * (x − E[x]) / √(Var[x] + ε) · weight + bias over the last dims, whose sizes are `normalizedShape` (Ba et al., 2016). PyTorch: nn.LayerNorm.
 * @example new nn.LayerNorm(512); new nn.LayerNorm([5, 10, 10])
 */
export class LayerNorm extends Module {
  static override readonly typeName = 'LayerNorm';
  readonly normalizedShape: readonly number[];
  readonly eps: number;
  readonly elementwiseAffine: boolean;
  weight: Parameter | null;
  bias: Parameter | null;

  constructor(normalizedShape: number | readonly number[], options: LayerNormOptions = {}) {
    checkOptions('LayerNorm', options, LAYER_NORM_OPTIONS);
    super();
    this.normalizedShape = listed(typeNameOf(this), normalizedShape);
    this.eps = options.eps ?? 1e-5;
    this.elementwiseAffine = options.elementwiseAffine ?? true;
    const made = factory(options);
    this.weight = this.elementwiseAffine ? new Parameter(ones(this.normalizedShape, made)) : null;
    this.bias = this.elementwiseAffine && options.bias !== false ? new Parameter(zeros(this.normalizedShape, made)) : null;
  }

  forward(input: Tensor): Tensor {
    return layerNorm(input, this.normalizedShape, this.weight, this.bias, { eps: this.eps });
  }

  override extraRepr(): string {
    return `${pySize(this.normalizedShape)}, eps=${pyFloat(this.eps)}, elementwise_affine=${pyBool(this.elementwiseAffine)}`;
  }
}

export interface RMSNormOptions extends FactoryOptions {
  /** Added to the mean square. Default null: the distance from 1 to the next number of the dtype. */
  readonly eps?: number | null;
  /** Learns a factor for each element of the normalised dims. Default true. */
  readonly elementwiseAffine?: boolean;
}

/** x / √(E[x²] + ε) · weight over the last dims, whose sizes are `normalizedShape` (Zhang and Sennrich, 2019). PyTorch: nn.RMSNorm. */
export class RMSNorm extends Module {
  static override readonly typeName = 'RMSNorm';
  readonly normalizedShape: readonly number[];
  readonly eps: number | null;
  readonly elementwiseAffine: boolean;
  weight: Parameter | null;

  constructor(normalizedShape: number | readonly number[], options: RMSNormOptions = {}) {
    checkOptions('RMSNorm', options, RMSNORM_OPTIONS);
    super();
    this.normalizedShape = listed(typeNameOf(this), normalizedShape);
    this.eps = options.eps ?? null;
    this.elementwiseAffine = options.elementwiseAffine ?? true;
    this.weight = this.elementwiseAffine ? new Parameter(ones(this.normalizedShape, factory(options))) : null;
  }

  forward(input: Tensor): Tensor {
    return rmsNorm(input, this.normalizedShape, this.weight, { eps: this.eps });
  }

  override extraRepr(): string {
    return `${pySize(this.normalizedShape)}, eps=${this.eps === null ? 'None' : pyFloat(this.eps)}, elementwise_affine=${pyBool(this.elementwiseAffine)}`;
  }
}

export interface GroupNormOptions extends FactoryOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Learns a factor and an offset for each channel. Default true. */
  readonly affine?: boolean;
}

/**
 * Normalises each group of channels of each sample of (N, C, …) (Wu and He, 2018). PyTorch: nn.GroupNorm.
 * @throws ValueError `ERR_LAYER_OPTION` where the groups do not divide the channels.
 */
export class GroupNorm extends Module {
  static override readonly typeName = 'GroupNorm';
  readonly eps: number;
  readonly affine: boolean;
  weight: Parameter | null;
  bias: Parameter | null;

  constructor(
    readonly numGroups: number,
    readonly numChannels: number,
    options: GroupNormOptions = {},
  ) {
    checkOptions('GroupNorm', options, GROUP_NORM_OPTIONS);
    super();
    if (numChannels % numGroups !== 0) throw new ValueError('ERR_LAYER_OPTION', 'GroupNorm: num_channels must be divisible by num_groups');
    this.eps = options.eps ?? 1e-5;
    this.affine = options.affine ?? true;
    const made = factory(options);
    this.weight = this.affine ? new Parameter(ones([numChannels], made)) : null;
    this.bias = this.affine ? new Parameter(zeros([numChannels], made)) : null;
  }

  forward(input: Tensor): Tensor {
    return groupNorm(input, this.numGroups, this.weight, this.bias, { eps: this.eps });
  }

  override extraRepr(): string {
    return `${this.numGroups}, ${this.numChannels}, eps=${pyFloat(this.eps)}, affine=${pyBool(this.affine)}`;
  }
}
