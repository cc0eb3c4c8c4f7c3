/** @file Average pooling over 1, 2 and 3 spatial dims. */
import { checkOptions, type OptionNames, avgPool1d, avgPool2d, avgPool3d, Module, type SpatialSize, type Tensor } from '@tessera/core';
import { withFirst, requireSize } from '../options.js';
import { pySize } from '../repr.js';

const AVG_POOL_OPTIONS: OptionNames<AvgPoolOptions> = { stride: true, padding: true, ceilMode: true, countIncludePad: true };
const AVG_POOL_ND_OPTIONS: OptionNames<AvgPoolNdOptions> = {
  divisorOverride: true,
  stride: true,
  padding: true,
  ceilMode: true,
  countIncludePad: true,
};

export interface AvgPoolOptions {
  /** Default: the kernel's size. */
  readonly stride?: SpatialSize | null;
  /** Zeros on both sides. Default 0. */
  readonly padding?: SpatialSize;
  /** Windows that reach beyond the input on the right count too. Default false. */
  readonly ceilMode?: boolean;
  /** Do the padding's zeros count in the mean? Default true. */
  readonly countIncludePad?: boolean;
}
export interface AvgPoolNdOptions extends AvgPoolOptions {
  /** Divides by this in place of the window's size. */
  readonly divisorOverride?: number | null;
}

abstract class AvgPool extends Module {
  readonly stride: SpatialSize;
  readonly padding: SpatialSize;
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;
  readonly divisorOverride: number | null;

  constructor(
    readonly kernelSize: SpatialSize,
    stride?: SpatialSize | AvgPoolNdOptions | null,
    options?: AvgPoolNdOptions,
  ) {
    super();
    const given = withFirst<AvgPoolNdOptions>(new.target.typeName, AVG_POOL_ND_OPTIONS, stride, 'stride', options);
    requireSize(new.target.typeName, 'kernelSize', kernelSize);
    this.stride = given.stride ?? kernelSize;
    this.padding = given.padding ?? 0;
    this.ceilMode = given.ceilMode ?? false;
    this.countIncludePad = given.countIncludePad ?? true;
    this.divisorOverride = given.divisorOverride ?? null;
  }

  protected run(pool: typeof avgPool2d, input: Tensor): Tensor {
    const { stride, padding, ceilMode, countIncludePad, divisorOverride } = this;
    return pool(input, this.kernelSize, { stride, padding, ceilMode, countIncludePad, divisorOverride });
  }

  override extraRepr(): string {
    return `kernel_size=${pySize(this.kernelSize)}, stride=${pySize(this.stride)}, padding=${pySize(this.padding)}`;
  }
}

/** The mean of each window of (N, C, L) or (C, L). PyTorch: nn.AvgPool1d. */
export class AvgPool1d extends AvgPool {
  static override readonly typeName = 'AvgPool1d';

  constructor(kernelSize: SpatialSize, stride?: SpatialSize | AvgPoolOptions | null, options?: AvgPoolOptions) {
    checkOptions('AvgPool1d', options, AVG_POOL_OPTIONS);
    if (typeof stride === 'object' && !Array.isArray(stride) && stride !== null)
      checkOptions('AvgPool1d', stride as AvgPoolOptions, AVG_POOL_OPTIONS);
    super(kernelSize, stride, options);
  }

  forward(input: Tensor): Tensor {
    const { kernelSize, stride, padding, ceilMode, countIncludePad } = this;
    return avgPool1d(input, kernelSize, { stride, padding, ceilMode, countIncludePad });
  }

  override extraRepr(): string {
    const tuple = (x: SpatialSize): string => pySize(typeof x === 'number' ? [x] : x);
    return `kernel_size=${tuple(this.kernelSize)}, stride=${tuple(this.stride)}, padding=${tuple(this.padding)}`;
  }
}

/** The mean of each window of (N, C, H, W) or (C, H, W). PyTorch: nn.AvgPool2d. @example new nn.AvgPool2d(2) */
export class AvgPool2d extends AvgPool {
  static override readonly typeName = 'AvgPool2d';

  forward(input: Tensor): Tensor {
    return this.run(avgPool2d, input);
  }
}

/** The mean of each window of (N, C, D, H, W) or (C, D, H, W). PyTorch: nn.AvgPool3d. */
export class AvgPool3d extends AvgPool {
  static override readonly typeName = 'AvgPool3d';

  forward(input: Tensor): Tensor {
    return this.run(avgPool3d, input);
  }
}
