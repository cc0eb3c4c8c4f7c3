/** @file Fractional max pooling over 2 and 3 spatial dims. */
import { checkOptions, type OptionNames, Module, type SpatialSize, type Tensor, typeNameOf, ValueError } from '@tessera/core';
import { fractionalMaxPool2d, fractionalMaxPool3d, type FractionalMaxPoolOptions } from '../functional/index.js';

const FRACTIONAL_MAX_POOL_OPTIONS: OptionNames<FractionalMaxPoolOptions> = {
  outputSize: true,
  outputRatio: true,
  returnIndices: true,
  _randomSamples: true,
  generator: true,
};

export type { FractionalMaxPoolOptions };

abstract class FractionalMaxPool extends Module {
  readonly options: FractionalMaxPoolOptions;

  constructor(
    readonly kernelSize: SpatialSize,
    options: FractionalMaxPoolOptions,
  ) {
    super();
    this.options = options;
    const fail = (why: string): never => {
      throw new ValueError('ERR_LAYER_OPTION', `${typeNameOf(this)}: ${why}`);
    };
    const { outputSize = null, outputRatio = null } = options;
    if (outputSize === null && outputRatio === null) fail('expects specifying either an output size, or a pooling ratio');
    if (outputSize !== null && outputRatio !== null) fail('only one of output_size and output_ratio may be specified');
    const ratios = outputRatio === null ? [] : typeof outputRatio === 'number' ? [outputRatio] : outputRatio;
    if (!ratios.every((ratio) => ratio > 0 && ratio < 1)) fail(`output_ratio must be between 0 and 1 (got ${ratios.join(', ')})`);
  }

  /** Declared as a tensor, since that is what nearly all want; with `returnIndices` it is `[output, indices]`. */
  protected run(pool: typeof fractionalMaxPool2d, input: Tensor): Tensor {
    return pool(input, this.kernelSize, this.options) as Tensor;
  }
}

/**
 * Maxima of windows at random steps over (N, C, H, W) or (C, H, W) (Graham, 2014): `outputSize` says how many, or `outputRatio` what part of
 * the input's size. The steps are drawn at each call, while inferring too. PyTorch: nn.FractionalMaxPool2d.
 * @throws ValueError `ERR_LAYER_OPTION`.
 * @example new nn.FractionalMaxPool2d(3, { outputRatio: 0.5 })
 */
export class FractionalMaxPool2d extends FractionalMaxPool {
  static override readonly typeName = 'FractionalMaxPool2d';

  constructor(kernelSize: SpatialSize, options: FractionalMaxPoolOptions = {}) {
    checkOptions('FractionalMaxPool2d', options, FRACTIONAL_MAX_POOL_OPTIONS);
    super(kernelSize, options);
  }

  forward(input: Tensor): Tensor {
    return this.run(fractionalMaxPool2d, input);
  }
}

/** As {@link FractionalMaxPool2d}, over (N, C, T, H, W) or (C, T, H, W). PyTorch: nn.FractionalMaxPool3d. */
export class FractionalMaxPool3d extends FractionalMaxPool {
  static override readonly typeName = 'FractionalMaxPool3d';

  constructor(kernelSize: SpatialSize, options: FractionalMaxPoolOptions = {}) {
    checkOptions('FractionalMaxPool3d', options, FRACTIONAL_MAX_POOL_OPTIONS);
    super(kernelSize, options);
  }

  forward(input: Tensor): Tensor {
    return this.run(fractionalMaxPool3d, input);
  }
}
