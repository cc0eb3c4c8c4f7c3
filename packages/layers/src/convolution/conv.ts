/** @file Convolutions over 1, 2 and 3 spatial dims. */
import { checkOptions, type OptionNames, conv1d, conv2d, conv3d, type SpatialSize, type Tensor } from '@tessera/core';
import { ConvBase, type ConvBaseOptions } from './conv-base.js';

/** @internal */
export const CONV_OPTIONS: OptionNames<ConvOptions> = {
  stride: true,
  padding: true,
  dilation: true,
  groups: true,
  bias: true,
  paddingMode: true,
  device: true,
  dtype: true,
};

export interface ConvOptions extends ConvBaseOptions {
  /** On both sides of each dim; 'valid' is none, 'same' keeps the sizes (stride 1 only). Default 0. */
  readonly padding?: SpatialSize | 'same' | 'valid';
}

type ConvFunction = typeof conv2d;

abstract class Conv extends ConvBase {
  constructor(rank: number, inChannels: number, outChannels: number, kernelSize: SpatialSize, options: ConvOptions) {
    super(rank, inChannels, outChannels, kernelSize, options, false);
  }

  protected run(conv: ConvFunction, input: Tensor): Tensor {
    const { weight, bias, stride, padding, dilation, groups } = this;
    if (this.paddingMode === 'zeros') return conv(input, weight, bias, { stride, padding, dilation, groups });
    return conv(this.padded(input), weight, bias, { stride, dilation, groups });
  }
}

/**
 * Convolves (N, inChannels, L) or (inChannels, L) with outChannels kernels, in PyTorch's sense: a cross-correlation. `weight` is
 * (outChannels, inChannels / groups, kernel). The length becomes ⌊(L + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1. PyTorch: nn.Conv1d.
 * @throws ValueError `ERR_LAYER_OPTION`.
 */
export class Conv1d extends Conv {
  static override readonly typeName: string = 'Conv1d';

  constructor(inChannels: number, outChannels: number, kernelSize: SpatialSize, options: ConvOptions = {}) {
    checkOptions('Conv1d', options, CONV_OPTIONS);
    super(1, inChannels, outChannels, kernelSize, options);
  }

  forward(input: Tensor): Tensor {
    return this.run(conv1d, input);
  }
}

/**
 * As {@link Conv1d} over (N, inChannels, H, W) or (inChannels, H, W). PyTorch: nn.Conv2d.
 * @example new nn.Conv2d(1, 16, 3, { padding: 1 })(randn(8, 1, 28, 28)).shape // [8, 16, 28, 28]
 * @example new nn.Conv2d(16, 33, [3, 5], { stride: [2, 1], padding: [4, 2], dilation: [3, 1] })
 */
export class Conv2d extends Conv {
  static override readonly typeName: string = 'Conv2d';

  constructor(inChannels: number, outChannels: number, kernelSize: SpatialSize, options: ConvOptions = {}) {
    checkOptions('Conv2d', options, CONV_OPTIONS);
    super(2, inChannels, outChannels, kernelSize, options);
  }

  forward(input: Tensor): Tensor {
    return this.run(conv2d, input);
  }
}

/** As {@link Conv1d} over (N, inChannels, D, H, W) or (inChannels, D, H, W). PyTorch: nn.Conv3d. */
export class Conv3d extends Conv {
  static override readonly typeName: string = 'Conv3d';

  constructor(inChannels: number, outChannels: number, kernelSize: SpatialSize, options: ConvOptions = {}) {
    checkOptions('Conv3d', options, CONV_OPTIONS);
    super(3, inChannels, outChannels, kernelSize, options);
  }

  forward(input: Tensor): Tensor {
    return this.run(conv3d, input);
  }
}
