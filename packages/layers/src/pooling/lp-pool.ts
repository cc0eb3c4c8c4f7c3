/** @file Power-mean pooling. */
import { checkOptions, type OptionNames, Module, type SpatialSize, type Tensor } from '@tessera/core';
import { lpPool1d, lpPool2d, lpPool3d, type LpPoolOptions } from '../functional/index.js';
import { pyBool, pyFloat, pySize } from '../repr.js';

const LP_POOL_OPTIONS: OptionNames<LpPoolOptions> = { stride: true, ceilMode: true };

abstract class LPPool extends Module {
  readonly stride: SpatialSize | null;
  readonly ceilMode: boolean;

  constructor(
    /** The exponent p. */
    readonly normType: number,
    readonly kernelSize: SpatialSize,
    options: LpPoolOptions = {},
  ) {
    checkOptions(new.target.typeName, options, LP_POOL_OPTIONS);
    super();
    this.stride = options.stride ?? null;
    this.ceilMode = options.ceilMode ?? false;
  }

  protected run(pool: typeof lpPool2d, input: Tensor): Tensor {
    return pool(input, this.normType, this.kernelSize, { stride: this.stride, ceilMode: this.ceilMode });
  }

  override extraRepr(): string {
    // PyTorch shows the exponent as it was given; whole ones are nearly always.
    const norm = Number.isInteger(this.normType) ? String(this.normType) : pyFloat(this.normType);
    return `norm_type=${norm}, kernel_size=${pySize(this.kernelSize)}, stride=${pySize(this.stride)}, ceil_mode=${pyBool(this.ceilMode)}`;
  }
}

/** (Σ x^p)^(1/p) over each window of (N, C, L) or (C, L). PyTorch: nn.LPPool1d. */
export class LPPool1d extends LPPool {
  static override readonly typeName = 'LPPool1d';

  forward(input: Tensor): Tensor {
    return this.run(lpPool1d, input);
  }
}

/** As {@link LPPool1d}, over (N, C, H, W) or (C, H, W). PyTorch: nn.LPPool2d. */
export class LPPool2d extends LPPool {
  static override readonly typeName = 'LPPool2d';

  forward(input: Tensor): Tensor {
    return this.run(lpPool2d, input);
  }
}

/** As {@link LPPool1d}, over (N, C, D, H, W) or (C, D, H, W). PyTorch: nn.LPPool3d. */
export class LPPool3d extends LPPool {
  static override readonly typeName = 'LPPool3d';

  forward(input: Tensor): Tensor {
    return this.run(lpPool3d, input);
  }
}
