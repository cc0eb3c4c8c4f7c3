/** @file Transposed convolutions over 1, 2 and 3 spatial dims. */
import {
  checkOptions,
  type OptionNames,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  ShapeError,
  type SpatialSize,
  type Tensor,
  typeNameOf,
  ValueError,
} from '@tessera/core';
import { ConvBase, type ConvBaseOptions } from './conv-base.js';

/** @internal */
export const CONV_TRANSPOSE_OPTIONS: OptionNames<ConvTransposeOptions> = {
  stride: true,
  padding: true,
  outputPadding: true,
  dilation: true,
  groups: true,
  bias: true,
  paddingMode: true,
  device: true,
  dtype: true,
};

export interface ConvTransposeOptions extends ConvBaseOptions {
  /** `dilation · (kernel − 1) − padding` zeros are put around the input. Default 0. */
  readonly padding?: SpatialSize;
  /** Added to one side of the output. Default 0. */
  readonly outputPadding?: SpatialSize;
}

type ConvTransposeFunction = typeof convTranspose2d;

abstract class ConvTranspose extends ConvBase {
  constructor(rank: number, inChannels: number, outChannels: number, kernelSize: SpatialSize, options: ConvTransposeOptions) {
    super(rank, inChannels, outChannels, kernelSize, options, true);
    if (this.paddingMode !== 'zeros')
      throw new ValueError('ERR_LAYER_OPTION', `Only "zeros" padding mode is supported for ${typeNameOf(this)}`);
  }

  protected run(conv: ConvTransposeFunction, input: Tensor, outputSize: readonly number[] | undefined): Tensor {
    const { weight, bias, stride, dilation, groups } = this;
    const padding = this.padding as readonly number[];
    const outputPadding = outputSize === undefined ? this.outputPadding : this.#paddingFor(input, outputSize, padding);
    return conv(input, weight, bias, { stride, padding, outputPadding, dilation, groups });
  }

  /** The output padding that gives the wanted sizes. @throws ShapeError `ERR_OUTPUT_SIZE` when no padding does. */
  #paddingFor(input: Tensor, outputSize: readonly number[], padding: readonly number[]): number[] {
    const spatial = input.ndim - this.rank;
    const wanted = outputSize.length === this.rank + spatial ? outputSize.slice(spatial) : outputSize;
    if (wanted.length !== this.rank) {
      throw new ShapeError(
        'ERR_OUTPUT_SIZE',
        `${typeNameOf(this)}: for ${input.ndim}D input, output_size must have ${this.rank} or ${input.ndim} elements (got ${outputSize.length})`,
        { shapes: [input.shape, outputSize] },
      );
    }
    const least = wanted.map(
      (_, d) => (input.shape[spatial + d] - 1) * this.stride[d] - 2 * padding[d] + this.dilation[d] * (this.kernelSize[d] - 1) + 1,
    );
    const most = least.map((size, d) => size + this.stride[d] - 1);
    if (wanted.some((size, d) => size < least[d] || size > most[d])) {
      throw new ShapeError(
        'ERR_OUTPUT_SIZE',
        `requested an output size of [${wanted.join(', ')}], but valid sizes range from [${least.join(', ')}] to [${most.join(', ')}] (for an input of [${input.shape.slice(2).join(', ')}])`,
        { shapes: [input.shape, wanted] },
      );
    }
    return wanted.map((size, d) => size - least[d]);
  }
}

/**
 * The gradient of {@link Conv1d} by its input, as a layer: (N, inChannels, L) or (inChannels, L) gives a length of
 * (L − 1)·stride − 2·padding + dilation·(kernel − 1) + outputPadding + 1. `weight` is (inChannels, outChannels / groups, kernel).
 * `forward` takes the wanted sizes too, where several are possible. PyTorch: nn.ConvTranspose1d.
 */
export class ConvTranspose1d extends ConvTranspose {
  static override readonly typeName: string = 'ConvTranspose1d';

  constructor(inChannels: number, outChannels: number, kernelSize: SpatialSize, options: ConvTransposeOptions = {}) {
    checkOptions('ConvTranspose1d', options, CONV_TRANSPOSE_OPTIONS);
    super(1, inChannels, outChannels, kernelSize, options);
  }

  forward(input: Tensor, outputSize?: readonly number[]): Tensor {
    return this.run(convTranspose1d, input, outputSize);
  }
}

/** As {@link ConvTranspose1d} over (N, inChannels, H, W) or (inChannels, H, W). PyTorch: nn.ConvTranspose2d. */
export class ConvTranspose2d extends ConvTranspose {
  static override readonly typeName: string = 'ConvTranspose2d';

  constructor(inChannels: number, outChannels: number, kernelSize: SpatialSize, options: ConvTransposeOptions = {}) {
    checkOptions('ConvTranspose2d', options, CONV_TRANSPOSE_OPTIONS);
    super(2, inChannels, outChannels, kernelSize, options);
  }

  forward(input: Tensor, outputSize?: readonly number[]): Tensor {
    return this.run(convTranspose2d, input, outputSize);
  }
}

/** As {@link ConvTranspose1d} over (N, inChannels, D, H, W) or (inChannels, D, H, W). PyTorch: nn.ConvTranspose3d. */
export class ConvTranspose3d extends ConvTranspose {
  static override readonly typeName: string = 'ConvTranspose3d';

  constructor(inChannels: number, outChannels: number, kernelSize: SpatialSize, options: ConvTransposeOptions = {}) {
    checkOptions('ConvTranspose3d', options, CONV_TRANSPOSE_OPTIONS);
    super(3, inChannels, outChannels, kernelSize, options);
  }

  forward(input: Tensor, outputSize?: readonly number[]): Tensor {
    return this.run(convTranspose3d, input, outputSize);
  }
}
