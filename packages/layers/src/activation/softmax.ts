/** @file Softmax along a dim, its logarithm, and its mirror image. */
import { logSoftmax, Module, ShapeError, softmax, type Tensor, type OptionNames } from '@tessera/core';
import { withFirst } from '../options.js';
import { pySize } from '../repr.js';

const DIM_OPTIONS: OptionNames<DimOptions> = { dim: true };

export interface DimOptions {
  /** The dim along which the result sums to 1. Without one it is dim 0 for 0, 1 and 3 dims, else dim 1, as in old PyTorch. */
  readonly dim?: number | null;
}

/** What the softmax layers share. */
abstract class AlongDim extends Module {
  readonly dim: number | null;

  constructor(dim?: number | null | DimOptions) {
    super();
    this.dim = withFirst<DimOptions>(new.target.typeName, DIM_OPTIONS, dim, 'dim').dim ?? null;
  }

  protected dimFor(input: Tensor): number {
    return this.dim ?? (input.ndim === 0 || input.ndim === 1 || input.ndim === 3 ? 0 : 1);
  }

  override extraRepr(): string {
    return `dim=${pySize(this.dim)}`;
  }
}

/** e^x_i / Σ_j e^x_j along a dim. PyTorch: nn.Softmax. @example new nn.Softmax(1)(randn(2, 3)) */
export class Softmax extends AlongDim {
  static override readonly typeName = 'Softmax';

  forward(input: Tensor): Tensor {
    return softmax(input, this.dimFor(input));
  }
}

/** The logarithm of {@link Softmax}. PyTorch: nn.LogSoftmax. */
export class LogSoftmax extends AlongDim {
  static override readonly typeName = 'LogSoftmax';

  forward(input: Tensor): Tensor {
    return logSoftmax(input, this.dimFor(input));
  }
}

/** {@link Softmax} of −x. PyTorch: nn.Softmin. */
export class Softmin extends AlongDim {
  static override readonly typeName = 'Softmin';

  forward(input: Tensor): Tensor {
    return softmax(input.neg(), this.dimFor(input));
  }
}

/** {@link Softmax} over the channels of (N, C, H, W) or (C, H, W). PyTorch: nn.Softmax2d. @throws ShapeError `ERR_RANK`. */
export class Softmax2d extends Module {
  static override readonly typeName = 'Softmax2d';

  forward(input: Tensor): Tensor {
    if (input.ndim !== 3 && input.ndim !== 4) {
      throw new ShapeError('ERR_RANK', `Softmax2d: expected input to be 3D or 4D, got ${input.ndim}D instead`, {
        op: 'Softmax2d',
        shapes: [input.shape],
      });
    }
    return softmax(input, -3);
  }
}
