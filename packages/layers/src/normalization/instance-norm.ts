/** @file Instance normalisation. */
import { checkOptions, instanceNorm, ShapeError, type Tensor, typeNameOf } from '@tessera/core';
import { NORM_OPTIONS, NormBase, type NormOptions } from './norm-base.js';

/** What the three share. PyTorch: nn.modules.instancenorm._InstanceNorm. */
abstract class InstanceNorm extends NormBase {
  constructor(
    numFeatures: number,
    options: NormOptions,
    /** How many dims an input without a batch has. */
    private readonly unbatchedRank: number,
  ) {
    super(numFeatures, options, { affine: false, trackRunningStats: false });
  }

  forward(input: Tensor): Tensor {
    const { unbatchedRank: rank, numFeatures, affine } = this;
    const name = typeNameOf(this);
    if (input.ndim !== rank && input.ndim !== rank + 1) {
      throw new ShapeError('ERR_RANK', `${name}: expected ${rank}D or ${rank + 1}D input (got ${input.ndim}D input)`, {
        op: name,
        shapes: [input.shape],
      });
    }
    const dim = input.ndim - rank;
    if (affine && input.shape[dim] !== numFeatures) {
      throw new ShapeError(
        'ERR_NORM_SHAPE',
        `${name}: expected input's size at dim=${dim} to match num_features (${numFeatures}), but got: ${input.shape[dim]}.`,
        { op: name, shapes: [input.shape] },
      );
    }
    return input.ndim === rank ? this.#run(input.unsqueeze(0)).squeeze(0) : this.#run(input);
  }

  #run(input: Tensor): Tensor {
    const { running_mean: mean, running_var: variance, weight, bias, training, trackRunningStats, momentum, eps } = this;
    return instanceNorm(input, mean, variance, weight, bias, {
      useInputStats: training || !trackRunningStats,
      momentum: momentum ?? 0,
      eps,
    });
  }
}

/** Normalises each channel of each sample of (N, C, L) or (C, L) (Ulyanov et al., 2016). No parameters by default. PyTorch: nn.InstanceNorm1d. */
export class InstanceNorm1d extends InstanceNorm {
  static override readonly typeName: string = 'InstanceNorm1d';

  constructor(numFeatures: number, options: NormOptions = {}) {
    checkOptions('InstanceNorm1d', options, NORM_OPTIONS);
    super(numFeatures, options, 2);
  }
}

/** As {@link InstanceNorm1d}, over (N, C, H, W) or (C, H, W). PyTorch: nn.InstanceNorm2d. */
export class InstanceNorm2d extends InstanceNorm {
  static override readonly typeName: string = 'InstanceNorm2d';

  constructor(numFeatures: number, options: NormOptions = {}) {
    checkOptions('InstanceNorm2d', options, NORM_OPTIONS);
    super(numFeatures, options, 3);
  }
}

/** As {@link InstanceNorm1d}, over (N, C, D, H, W) or (C, D, H, W). PyTorch: nn.InstanceNorm3d. */
export class InstanceNorm3d extends InstanceNorm {
  static override readonly typeName: string = 'InstanceNorm3d';

  constructor(numFeatures: number, options: NormOptions = {}) {
    checkOptions('InstanceNorm3d', options, NORM_OPTIONS);
    super(numFeatures, options, 4);
  }
}
