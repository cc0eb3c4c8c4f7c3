/** @file Batch and instance norms that learn their input's channels from the first one. */
import { checkOptions, Buffer, type Tensor, UninitializedBuffer, UninitializedParameter, zeros } from '@tessera/core';
import { BatchNorm1d, BatchNorm2d, BatchNorm3d } from '../normalization/batch-norm.js';
import { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d } from '../normalization/instance-norm.js';
import { NORM_OPTIONS, type NormBase, type NormOptions } from '../normalization/norm-base.js';
import { factory } from '../options.js';
import { becomePlain, channelsOf, hasUninitializedParams, materialize } from './lazy.js';

/** What the plain class is built with before anything is known. */
const unknown = (options: NormOptions): NormOptions => ({ ...options, affine: false, trackRunningStats: false });

/** Puts parameters and statistics without a shape into a layer that was built for no channels. */
function begin(layer: NormBase, options: NormOptions, byDefault: boolean): void {
  const { affine = byDefault, trackRunningStats = byDefault } = options;
  const made = factory(options);
  Object.assign(layer, { affine, trackRunningStats });
  if (affine) {
    layer.weight = new UninitializedParameter(made);
    layer.bias = new UninitializedParameter(made);
  }
  if (trackRunningStats) {
    layer.running_mean = new UninitializedBuffer(made);
    layer.running_var = new UninitializedBuffer(made);
    layer.num_batches_tracked = new Buffer(zeros([], { ...made, dtype: 'int32' }));
  }
}

/** Sizes what it holds for an input, or by what was loaded; it is one of the plain class then. */
function settle(layer: NormBase, input: Tensor, channels: (input: Tensor) => number, plain: { readonly prototype: object }): void {
  const fresh = hasUninitializedParams(layer);
  const known = layer.weight ?? layer.running_mean;
  const numFeatures = fresh || known === null ? channels(input) : known.shape[0];
  Object.assign(layer, { numFeatures });
  for (const tensor of [layer.weight, layer.bias, layer.running_mean, layer.running_var]) materialize(tensor, [numFeatures!]);
  if (fresh) layer.resetParameters();
  becomePlain(layer, plain);
}

/** A {@link BatchNorm1d} whose `numFeatures` are those of its first input; see LazyLinear. PyTorch: nn.LazyBatchNorm1d. */
export class LazyBatchNorm1d extends BatchNorm1d {
  static override readonly typeName: string = 'LazyBatchNorm1d';

  constructor(options: NormOptions = {}) {
    checkOptions('LazyBatchNorm1d', options, NORM_OPTIONS);
    super(0, unknown(options));
    begin(this, options, true);
  }

  override forward(input: Tensor): Tensor {
    settle(this, input, (x) => x.shape[1] ?? 0, BatchNorm1d);
    return this.forward(input);
  }
}

/** A {@link BatchNorm2d} whose `numFeatures` are those of its first input; see LazyLinear. PyTorch: nn.LazyBatchNorm2d. */
export class LazyBatchNorm2d extends BatchNorm2d {
  static override readonly typeName: string = 'LazyBatchNorm2d';

  constructor(options: NormOptions = {}) {
    checkOptions('LazyBatchNorm2d', options, NORM_OPTIONS);
    super(0, unknown(options));
    begin(this, options, true);
  }

  override forward(input: Tensor): Tensor {
    settle(this, input, (x) => x.shape[1] ?? 0, BatchNorm2d);
    return this.forward(input);
  }
}

/** A {@link BatchNorm3d} whose `numFeatures` are those of its first input; see LazyLinear. PyTorch: nn.LazyBatchNorm3d. */
export class LazyBatchNorm3d extends BatchNorm3d {
  static override readonly typeName: string = 'LazyBatchNorm3d';

  constructor(options: NormOptions = {}) {
    checkOptions('LazyBatchNorm3d', options, NORM_OPTIONS);
    super(0, unknown(options));
    begin(this, options, true);
  }

  override forward(input: Tensor): Tensor {
    settle(this, input, (x) => x.shape[1] ?? 0, BatchNorm3d);
    return this.forward(input);
  }
}

/** An {@link InstanceNorm1d} whose `numFeatures` are those of its first input; see LazyLinear. PyTorch: nn.LazyInstanceNorm1d. */
export class LazyInstanceNorm1d extends InstanceNorm1d {
  static override readonly typeName: string = 'LazyInstanceNorm1d';

  constructor(options: NormOptions = {}) {
    checkOptions('LazyInstanceNorm1d', options, NORM_OPTIONS);
    super(0, unknown(options));
    begin(this, options, false);
  }

  override forward(input: Tensor): Tensor {
    settle(this, input, (x) => channelsOf(this, x, 1), InstanceNorm1d);
    return this.forward(input);
  }
}

/** An {@link InstanceNorm2d} whose `numFeatures` are those of its first input; see LazyLinear. PyTorch: nn.LazyInstanceNorm2d. */
export class LazyInstanceNorm2d extends InstanceNorm2d {
  static override readonly typeName: string = 'LazyInstanceNorm2d';

  constructor(options: NormOptions = {}) {
    checkOptions('LazyInstanceNorm2d', options, NORM_OPTIONS);
    super(0, unknown(options));
    begin(this, options, false);
  }

  override forward(input: Tensor): Tensor {
    settle(this, input, (x) => channelsOf(this, x, 2), InstanceNorm2d);
    return this.forward(input);
  }
}

/** An {@link InstanceNorm3d} whose `numFeatures` are those of its first input; see LazyLinear. PyTorch: nn.LazyInstanceNorm3d. */
export class LazyInstanceNorm3d extends InstanceNorm3d {
  static override readonly typeName: string = 'LazyInstanceNorm3d';

  constructor(options: NormOptions = {}) {
    checkOptions('LazyInstanceNorm3d', options, NORM_OPTIONS);
    super(0, unknown(options));
    begin(this, options, false);
  }

  override forward(input: Tensor): Tensor {
    settle(this, input, (x) => channelsOf(this, x, 3), InstanceNorm3d);
    return this.forward(input);
  }
}
