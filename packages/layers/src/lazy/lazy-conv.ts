/** @file Convolutions that learn their input's channels from the first one. */
import { checkOptions, type SpatialSize, type Tensor, UninitializedParameter, ValueError } from '@tessera/core';
import type { ConvBase } from '../convolution/conv-base.js';
import { Conv1d, Conv2d, Conv3d, CONV_OPTIONS, type ConvOptions } from '../convolution/conv.js';
import {
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  CONV_TRANSPOSE_OPTIONS,
  type ConvTransposeOptions,
} from '../convolution/conv-transpose.js';
import { factory, type FactoryOptions } from '../options.js';
import { becomePlain, channelsOf, hasUninitializedParams, materialize } from './lazy.js';

/** What the plain class is built with before anything is known: one group, since nothing else divides nothing. */
const unknown = <O extends ConvOptions>(options: O): O => ({ ...options, bias: false, groups: 1 });

/** Puts parameters without a shape into a layer that was built for no channels. */
function begin(
  layer: ConvBase,
  outChannels: number,
  options: FactoryOptions & { readonly bias?: boolean; readonly groups?: number },
): void {
  const made = factory(options);
  const { groups = 1 } = options;
  if (outChannels % groups !== 0) throw new ValueError('ERR_LAYER_OPTION', 'out_channels must be divisible by groups');
  layer.weight = new UninitializedParameter(made);
  if (options.bias !== false) layer.bias = new UninitializedParameter(made);
  Object.assign(layer, { outChannels, groups });
}

/** Sizes its parameters for an input, or by those that were loaded; it is one of the plain class then. */
function settle(layer: ConvBase, input: Tensor, rank: number, transposed: boolean, plain: { readonly prototype: object }): void {
  const { outChannels, groups, kernelSize } = layer;
  const fresh = hasUninitializedParams(layer);
  const inChannels = fresh ? channelsOf(layer, input, rank) : transposed ? layer.weight.shape[0]! : layer.weight.shape[1]! * groups;
  if (inChannels % groups !== 0)
    throw new ValueError('ERR_LAYER_OPTION', 'in_channels must be divisible by groups', { shapes: [input.shape] });
  Object.assign(layer, { inChannels });
  materialize(layer.weight, [...(transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups]), ...kernelSize]);
  materialize(layer.bias, [outChannels]);
  becomePlain(layer, plain);
  if (fresh) layer.resetParameters();
}

/** A {@link Conv1d} whose `inChannels` are those of its first input; see LazyLinear. PyTorch: nn.LazyConv1d. */
export class LazyConv1d extends Conv1d {
  static override readonly typeName: string = 'LazyConv1d';

  constructor(outChannels: number, kernelSize: SpatialSize, options: ConvOptions = {}) {
    checkOptions('LazyConv1d', options, CONV_OPTIONS);
    super(0, 0, kernelSize, unknown(options));
    begin(this, outChannels, options);
  }

  override forward(input: Tensor): Tensor {
    settle(this, input, 1, false, Conv1d);
    return this.forward(input);
  }
}

/** A {@link Conv2d} whose `inChannels` are those of its first input; see LazyLinear. PyTorch: nn.LazyConv2d. */
export class LazyConv2d extends Conv2d {
  static override readonly typeName: string = 'LazyConv2d';

  constructor(outChannels: number, kernelSize: SpatialSize, options: ConvOptions = {}) {
    checkOptions('LazyConv2d', options, CONV_OPTIONS);
    super(0, 0, kernelSize, unknown(options));
    begin(this, outChannels, options);
  }

  override forward(input: Tensor): Tensor {
    settle(this, input, 2, false, Conv2d);
    return this.forward(input);
  }
}

/** A {@link Conv3d} whose `inChannels` are those of its first input; see LazyLinear. PyTorch: nn.LazyConv3d. */
export class LazyConv3d extends Conv3d {
  static override readonly typeName: string = 'LazyConv3d';

  constructor(outChannels: number, kernelSize: SpatialSize, options: ConvOptions = {}) {
    checkOptions('LazyConv3d', options, CONV_OPTIONS);
    super(0, 0, kernelSize, unknown(options));
    begin(this, outChannels, options);
  }

  override forward(input: Tensor): Tensor {
    settle(this, input, 3, false, Conv3d);
    return this.forward(input);
  }
}

/** A {@link ConvTranspose1d} whose `inChannels` are those of its first input; see LazyLinear. PyTorch: nn.LazyConvTranspose1d. */
export class LazyConvTranspose1d extends ConvTranspose1d {
  static override readonly typeName: string = 'LazyConvTranspose1d';

  constructor(outChannels: number, kernelSize: SpatialSize, options: ConvTransposeOptions = {}) {
    checkOptions('LazyConvTranspose1d', options, CONV_TRANSPOSE_OPTIONS);
    super(0, 0, kernelSize, unknown(options));
    begin(this, outChannels, options);
  }

  override forward(input: Tensor, outputSize?: readonly number[]): Tensor {
    settle(this, input, 1, true, ConvTranspose1d);
    return this.forward(input, outputSize);
  }
}

/** A {@link ConvTranspose2d} whose `inChannels` are those of its first input; see LazyLinear. PyTorch: nn.LazyConvTranspose2d. */
export class LazyConvTranspose2d extends ConvTranspose2d {
  static override readonly typeName: string = 'LazyConvTranspose2d';

  constructor(outChannels: number, kernelSize: SpatialSize, options: ConvTransposeOptions = {}) {
    checkOptions('LazyConvTranspose2d', options, CONV_TRANSPOSE_OPTIONS);
    super(0, 0, kernelSize, unknown(options));
    begin(this, outChannels, options);
  }

  override forward(input: Tensor, outputSize?: readonly number[]): Tensor {
    settle(this, input, 2, true, ConvTranspose2d);
    return this.forward(input, outputSize);
  }
}

/** A {@link ConvTranspose3d} whose `inChannels` are those of its first input; see LazyLinear. PyTorch: nn.LazyConvTranspose3d. */
export class LazyConvTranspose3d extends ConvTranspose3d {
  static override readonly typeName: string = 'LazyConvTranspose3d';

  constructor(outChannels: number, kernelSize: SpatialSize, options: ConvTransposeOptions = {}) {
    checkOptions('LazyConvTranspose3d', options, CONV_TRANSPOSE_OPTIONS);
    super(0, 0, kernelSize, unknown(options));
    begin(this, outChannels, options);
  }

  override forward(input: Tensor, outputSize?: readonly number[]): Tensor {
    settle(this, input, 3, true, ConvTranspose3d);
    return this.forward(input, outputSize);
  }
}
