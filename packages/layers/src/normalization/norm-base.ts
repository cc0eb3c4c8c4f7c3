/** @file Affine parameters and running statistics, as batch and instance norm have them. PyTorch: nn.modules.batchnorm._NormBase. */
import { Buffer, type Loading, Module, ones, type OptionNames, Parameter, type Tensor, zeros, typeNameOf } from '@tessera/core';
import { constant_, ones_, zeros_ } from '../init/fill.js';
import { factory, type FactoryOptions, requireCount } from '../options.js';
import { pyBool, pyFloat } from '../repr.js';

export interface NormOptions extends FactoryOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** What part of the running statistics is replaced at a step; null takes the mean over all steps. Default 0.1. */
  readonly momentum?: number | null;
  /** Learns a factor and an offset for each channel. */
  readonly affine?: boolean;
  /** Keeps running statistics for inference; without them, those of the batch serve there too. */
  readonly trackRunningStats?: boolean;
}

/** @internal */
export const NORM_OPTIONS: OptionNames<NormOptions> = {
  eps: true,
  momentum: true,
  affine: true,
  trackRunningStats: true,
  device: true,
  dtype: true,
};

/**
 * The base of the norms with running statistics. Names of the fields are those of PyTorch's state_dict; `runningMean`, `runningVar` and
 * `numBatchesTracked` are the same under our names.
 */
export abstract class NormBase extends Module {
  static override readonly stateVersion = 2;
  readonly eps: number;
  momentum: number | null;
  readonly affine: boolean;
  readonly trackRunningStats: boolean;
  weight: Parameter | null;
  bias: Parameter | null;
  running_mean: Tensor | null;
  running_var: Tensor | null;
  /** int32 here, int64 in PyTorch. */
  num_batches_tracked: Tensor | null;

  constructor(
    readonly numFeatures: number,
    options: NormOptions,
    byDefault: { readonly affine: boolean; readonly trackRunningStats: boolean },
  ) {
    super();
    requireCount(typeNameOf(this), 'numFeatures', numFeatures);
    this.eps = options.eps ?? 1e-5;
    this.momentum = options.momentum === undefined ? 0.1 : options.momentum;
    this.affine = options.affine ?? byDefault.affine;
    this.trackRunningStats = options.trackRunningStats ?? byDefault.trackRunningStats;
    const made = factory(options);
    this.weight = this.affine ? new Parameter(ones([numFeatures], made)) : null;
    this.bias = this.affine ? new Parameter(zeros([numFeatures], made)) : null;
    this.running_mean = this.trackRunningStats ? new Buffer(zeros([numFeatures], made)) : null;
    this.running_var = this.trackRunningStats ? new Buffer(ones([numFeatures], made)) : null;
    this.num_batches_tracked = this.trackRunningStats ? new Buffer(zeros([], { ...made, dtype: 'int32' })) : null;
  }

  get runningMean(): Tensor | null {
    return this.running_mean;
  }

  get runningVar(): Tensor | null {
    return this.running_var;
  }

  get numBatchesTracked(): Tensor | null {
    return this.num_batches_tracked;
  }

  /** PyTorch: reset_running_stats. */
  resetRunningStats(): void {
    if (this.running_mean !== null) zeros_(this.running_mean);
    if (this.running_var !== null) constant_(this.running_var, 1);
    if (this.num_batches_tracked !== null) zeros_(this.num_batches_tracked);
  }

  /** PyTorch: reset_parameters. */
  resetParameters(): void {
    this.resetRunningStats();
    if (this.weight !== null) ones_(this.weight);
    if (this.bias !== null) zeros_(this.bias);
  }

  /** State that was saved before PyTorch 0.4.1 counts no batches. */
  override loadFromStateDict(loading: Loading, prefix: string): void {
    const version = loading.versions.get(prefix.slice(0, -1)) ?? 0;
    const key = `${prefix}num_batches_tracked`;
    if (version < 2 && this.num_batches_tracked !== null && !loading.entries.has(key)) loading.entries.set(key, this.num_batches_tracked);
    super.loadFromStateDict(loading, prefix);
  }

  override extraRepr(): string {
    const momentum = this.momentum === null ? 'None' : pyFloat(this.momentum);
    return `${this.numFeatures}, eps=${pyFloat(this.eps)}, momentum=${momentum}, affine=${pyBool(this.affine)}, track_running_stats=${pyBool(this.trackRunningStats)}`;
  }
}
