/** @file Max pooling over 1, 2 and 3 spatial dims. */
import { type OptionNames, maxPool1d, maxPool2d, maxPool3d, Module, type SpatialSize, type Tensor } from '@tessera/core';
import { withFirst, requireSize } from '../options.js';
import { pyBool, pySize } from '../repr.js';

const MAX_POOL_OPTIONS: OptionNames<MaxPoolOptions> = { stride: true, padding: true, dilation: true, returnIndices: true, ceilMode: true };

export interface MaxPoolOptions {
  /** Default: the kernel's size. */
  readonly stride?: SpatialSize | null;
  /** −∞ on both sides. Default 0. */
  readonly padding?: SpatialSize;
  /** Default 1. */
  readonly dilation?: SpatialSize;
  /** The call also gives the places of the maxima, for MaxUnpool: `[output, indices]`. Default false. */
  readonly returnIndices?: boolean;
  /** Windows that reach beyond the input on the right count too. Default false. */
  readonly ceilMode?: boolean;
}

/** The result of a call: a tensor, or with `returnIndices` also the indices. Declared as a tensor, since that is what nearly all want. */
type MaxPoolFunction = (input: Tensor, kernelSize: SpatialSize, options: MaxPoolOptions) => Tensor | [Tensor, Tensor];

abstract class MaxPool extends Module {
  readonly stride: SpatialSize;
  readonly padding: SpatialSize;
  readonly dilation: SpatialSize;
  readonly returnIndices: boolean;
  readonly ceilMode: boolean;

  constructor(
    readonly kernelSize: SpatialSize,
    stride?: SpatialSize | MaxPoolOptions | null,
    options?: MaxPoolOptions,
  ) {
    super();
    const given = withFirst<MaxPoolOptions>(new.target.typeName, MAX_POOL_OPTIONS, stride, 'stride', options);
    requireSize(new.target.typeName, 'kernelSize', kernelSize);
    this.stride = given.stride ?? kernelSize;
    this.padding = given.padding ?? 0;
    this.dilation = given.dilation ?? 1;
    this.returnIndices = given.returnIndices ?? false;
    this.ceilMode = given.ceilMode ?? false;
  }

  protected run(pool: MaxPoolFunction, input: Tensor): Tensor {
    const { stride, padding, dilation, returnIndices, ceilMode } = this;
    return pool(input, this.kernelSize, { stride, padding, dilation, returnIndices, ceilMode }) as Tensor;
  }

  override extraRepr(): string {
    return `kernel_size=${pySize(this.kernelSize)}, stride=${pySize(this.stride)}, padding=${pySize(this.padding)}, dilation=${pySize(this.dilation)}, ceil_mode=${pyBool(this.ceilMode)}`;
  }
}

/**
 * The largest of each window of (N, C, L) or (C, L). With `returnIndices` a call gives `[output, indices]`. PyTorch: nn.MaxPool1d.
 */
export class MaxPool1d extends MaxPool {
  static override readonly typeName = 'MaxPool1d';

  forward(input: Tensor): Tensor {
    return this.run(maxPool1d, input);
  }
}

/**
 * As {@link MaxPool1d} over (N, C, H, W) or (C, H, W). PyTorch: nn.MaxPool2d.
 * @example new nn.MaxPool2d(2)(randn(1, 3, 8, 8)).shape // [1, 3, 4, 4]
 * @example new nn.MaxPool2d(3, { stride: 2, padding: 1 })
 */
export class MaxPool2d extends MaxPool {
  static override readonly typeName = 'MaxPool2d';

  forward(input: Tensor): Tensor {
    return this.run(maxPool2d, input);
  }
}

/** As {@link MaxPool1d} over (N, C, D, H, W) or (C, D, H, W). PyTorch: nn.MaxPool3d. */
export class MaxPool3d extends MaxPool {
  static override readonly typeName = 'MaxPool3d';

  forward(input: Tensor): Tensor {
    return this.run(maxPool3d, input);
  }
}
