/** @file The partial inverse of max pooling. */
import { Module, type SpatialSize, type Tensor, type OptionNames } from '@tessera/core';
import { maxUnpool1d, maxUnpool2d, maxUnpool3d } from '../functional/index.js';
import { withFirst } from '../options.js';
import { pySize } from '../repr.js';

const MAX_UNPOOL_OPTIONS: OptionNames<MaxUnpoolOptions> = { stride: true, padding: true };

export interface MaxUnpoolOptions {
  /** Default: the kernel's size. */
  readonly stride?: SpatialSize | null;
  /** What the pooling had. Default 0. */
  readonly padding?: SpatialSize;
}

const listed = (value: SpatialSize, rank: number): readonly number[] =>
  typeof value === 'number' ? new Array<number>(rank).fill(value) : value;

abstract class MaxUnpool extends Module {
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];

  constructor(rank: number, kernelSize: SpatialSize, stride: SpatialSize | MaxUnpoolOptions | null | undefined) {
    super();
    const given = withFirst<MaxUnpoolOptions>(new.target.typeName, MAX_UNPOOL_OPTIONS, stride, 'stride');
    this.kernelSize = listed(kernelSize, rank);
    this.stride = listed(given.stride ?? kernelSize, rank);
    this.padding = listed(given.padding ?? 0, rank);
  }

  protected run(unpool: typeof maxUnpool2d, input: Tensor, indices: Tensor, outputSize: readonly number[] | null | undefined): Tensor {
    const { kernelSize, stride, padding } = this;
    return unpool(input, indices, kernelSize, { stride, padding, outputSize: outputSize ?? null });
  }

  override extraRepr(): string {
    return `kernel_size=${pySize(this.kernelSize)}, stride=${pySize(this.stride)}, padding=${pySize(this.padding)}`;
  }
}

/** Puts the maxima of {@link MaxPool1d} back where its indices say, zeros elsewhere. PyTorch: nn.MaxUnpool1d. */
export class MaxUnpool1d extends MaxUnpool {
  static override readonly typeName = 'MaxUnpool1d';

  constructor(kernelSize: SpatialSize, stride?: SpatialSize | MaxUnpoolOptions | null) {
    super(1, kernelSize, stride);
  }

  forward(input: Tensor, indices: Tensor, outputSize?: readonly number[] | null): Tensor {
    return this.run(maxUnpool1d, input, indices, outputSize);
  }
}

/** As {@link MaxUnpool1d}, over (N, C, H, W) or (C, H, W). PyTorch: nn.MaxUnpool2d. */
export class MaxUnpool2d extends MaxUnpool {
  static override readonly typeName = 'MaxUnpool2d';

  constructor(kernelSize: SpatialSize, stride?: SpatialSize | MaxUnpoolOptions | null) {
    super(2, kernelSize, stride);
  }

  forward(input: Tensor, indices: Tensor, outputSize?: readonly number[] | null): Tensor {
    return this.run(maxUnpool2d, input, indices, outputSize);
  }
}

/** As {@link MaxUnpool1d}, over (N, C, D, H, W) or (C, D, H, W). PyTorch: nn.MaxUnpool3d. */
export class MaxUnpool3d extends MaxUnpool {
  static override readonly typeName = 'MaxUnpool3d';

  constructor(kernelSize: SpatialSize, stride?: SpatialSize | MaxUnpoolOptions | null) {
    super(3, kernelSize, stride);
  }

  forward(input: Tensor, indices: Tensor, outputSize?: readonly number[] | null): Tensor {
    return this.run(maxUnpool3d, input, indices, outputSize);
  }
}
