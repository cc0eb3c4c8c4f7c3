/** @file Pooling to given sizes, whatever the input's are. */
import {
  checkOptions,
  type OptionNames,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  type AdaptiveMaxPoolOptions,
  type AdaptiveSize,
  Module,
  type Tensor,
  refuseMore,
  typeNameOf,
} from '@tessera/core';
import { pySize } from '../repr.js';

const ADAPTIVE_MAX_POOL_OPTIONS: OptionNames<AdaptiveMaxPoolOptions> = { returnIndices: true };

abstract class AdaptivePool extends Module {
  /** @param outputSize A size for all spatial dims, or one for each; null keeps that of the input. */
  constructor(readonly outputSize: AdaptiveSize) {
    super();
    if (arguments.length > 1) refuseMore(typeNameOf(this), arguments[1]);
  }

  override extraRepr(): string {
    return `output_size=${pySize(this.outputSize)}`;
  }
}

/** Means over (N, C, L) or (C, L), so that L becomes `outputSize`. PyTorch: nn.AdaptiveAvgPool1d. */
export class AdaptiveAvgPool1d extends AdaptivePool {
  static override readonly typeName = 'AdaptiveAvgPool1d';

  forward(input: Tensor): Tensor {
    return adaptiveAvgPool1d(input, this.outputSize);
  }
}

/** As {@link AdaptiveAvgPool1d}, over (N, C, H, W) or (C, H, W). PyTorch: nn.AdaptiveAvgPool2d. @example new nn.AdaptiveAvgPool2d([5, null]) */
export class AdaptiveAvgPool2d extends AdaptivePool {
  static override readonly typeName = 'AdaptiveAvgPool2d';

  forward(input: Tensor): Tensor {
    return adaptiveAvgPool2d(input, this.outputSize);
  }
}

/** As {@link AdaptiveAvgPool1d}, over (N, C, D, H, W) or (C, D, H, W). PyTorch: nn.AdaptiveAvgPool3d. */
export class AdaptiveAvgPool3d extends AdaptivePool {
  static override readonly typeName = 'AdaptiveAvgPool3d';

  forward(input: Tensor): Tensor {
    return adaptiveAvgPool3d(input, this.outputSize);
  }
}

type MaxFunction = (input: Tensor, outputSize: AdaptiveSize, options: AdaptiveMaxPoolOptions) => Tensor | [Tensor, Tensor];

abstract class AdaptiveMaxPool extends AdaptivePool {
  readonly returnIndices: boolean;

  constructor(outputSize: AdaptiveSize, options: AdaptiveMaxPoolOptions = {}) {
    checkOptions(new.target.typeName, options, ADAPTIVE_MAX_POOL_OPTIONS);
    super(outputSize);
    this.returnIndices = options.returnIndices ?? false;
  }

  /** Declared as a tensor, since that is what nearly all want; with `returnIndices` it is `[output, indices]`. */
  protected run(pool: MaxFunction, input: Tensor): Tensor {
    return pool(input, this.outputSize, { returnIndices: this.returnIndices }) as Tensor;
  }
}

/** Maxima over (N, C, L) or (C, L), so that L becomes `outputSize`. With `returnIndices` a call gives `[output, indices]`. PyTorch: nn.AdaptiveMaxPool1d. */
export class AdaptiveMaxPool1d extends AdaptiveMaxPool {
  static override readonly typeName = 'AdaptiveMaxPool1d';

  forward(input: Tensor): Tensor {
    return this.run(adaptiveMaxPool1d, input);
  }
}

/** As {@link AdaptiveMaxPool1d}, over (N, C, H, W) or (C, H, W). PyTorch: nn.AdaptiveMaxPool2d. */
export class AdaptiveMaxPool2d extends AdaptiveMaxPool {
  static override readonly typeName = 'AdaptiveMaxPool2d';

  forward(input: Tensor): Tensor {
    return this.run(adaptiveMaxPool2d, input);
  }
}

/** As {@link AdaptiveMaxPool1d}, over (N, C, D, H, W) or (C, D, H, W). PyTorch: nn.AdaptiveMaxPool3d. */
export class AdaptiveMaxPool3d extends AdaptiveMaxPool {
  static override readonly typeName = 'AdaptiveMaxPool3d';

  forward(input: Tensor): Tensor {
    return this.run(adaptiveMaxPool3d, input);
  }
}
