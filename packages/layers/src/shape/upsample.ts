/** @file Resizing by interpolation. */
import { checkOptions, type OptionNames, Module, type Tensor } from '@tessera/core';
import { interpolate, type InterpolateMode } from '../functional/index.js';
import { pyFloat, pySize } from '../repr.js';

const UPSAMPLE_OPTIONS: OptionNames<UpsampleOptions> = {
  size: true,
  scaleFactor: true,
  mode: true,
  alignCorners: true,
  recomputeScaleFactor: true,
};
const UPSAMPLING_BILINEAR2D_OPTIONS: OptionNames<Pick<UpsampleOptions, 'size' | 'scaleFactor'>> = { size: true, scaleFactor: true };

type Sizes = number | readonly number[] | null;

export interface UpsampleOptions {
  /** The spatial sizes that come out. */
  readonly size?: Sizes;
  /** Or the factor by which they grow. */
  readonly scaleFactor?: Sizes;
  /** Default 'nearest'. */
  readonly mode?: InterpolateMode;
  /** The corners of input and output fall together. */
  readonly alignCorners?: boolean | null;
  /** The factor is worked out again from the sizes. */
  readonly recomputeScaleFactor?: boolean | null;
}

/** Resizes (N, C, …) with 1 to 3 spatial dims. PyTorch: nn.Upsample. @example new nn.Upsample({ scaleFactor: 2, mode: 'bilinear' }) */
export class Upsample extends Module {
  static override readonly typeName: string = 'Upsample';
  readonly size: Sizes;
  readonly scaleFactor: Sizes;
  readonly mode: InterpolateMode;
  readonly alignCorners: boolean | null;
  readonly recomputeScaleFactor: boolean | null;

  constructor(options: UpsampleOptions = {}) {
    checkOptions('Upsample', options, UPSAMPLE_OPTIONS);
    super();
    this.size = options.size ?? null;
    this.scaleFactor = options.scaleFactor ?? null;
    this.mode = options.mode ?? 'nearest';
    this.alignCorners = options.alignCorners ?? null;
    this.recomputeScaleFactor = options.recomputeScaleFactor ?? null;
  }

  forward(input: Tensor): Tensor {
    const { size, scaleFactor, mode, alignCorners, recomputeScaleFactor } = this;
    return interpolate(input, { size, scaleFactor, mode, alignCorners, recomputeScaleFactor });
  }

  override extraRepr(): string {
    const { scaleFactor, size, mode } = this;
    if (scaleFactor === null) return `size=${pySize(size)}, mode='${mode}'`;
    const factor =
      typeof scaleFactor === 'number'
        ? pyFloat(scaleFactor)
        : `(${scaleFactor.map(pyFloat).join(', ')}${scaleFactor.length === 1 ? ',' : ''})`;
    return `scale_factor=${factor}, mode='${mode}'`;
  }
}

/** {@link Upsample} of (N, C, H, W) by repeating. PyTorch: nn.UpsamplingNearest2d. */
export class UpsamplingNearest2d extends Upsample {
  static override readonly typeName = 'UpsamplingNearest2d';

  constructor(options: Pick<UpsampleOptions, 'size' | 'scaleFactor'> = {}) {
    checkOptions('UpsamplingNearest2d', options, UPSAMPLING_BILINEAR2D_OPTIONS);
    super({ ...options, mode: 'nearest' });
  }
}

/** {@link Upsample} of (N, C, H, W) by bilinear interpolation with aligned corners. PyTorch: nn.UpsamplingBilinear2d. */
export class UpsamplingBilinear2d extends Upsample {
  static override readonly typeName = 'UpsamplingBilinear2d';

  constructor(options: Pick<UpsampleOptions, 'size' | 'scaleFactor'> = {}) {
    checkOptions('UpsamplingBilinear2d', options, UPSAMPLING_BILINEAR2D_OPTIONS);
    super({ ...options, mode: 'bilinear', alignCorners: true });
  }
}
