/** @file Layers that change the shape only. */
import { Module, type Tensor, type OptionNames, refuseMore } from '@tessera/core';
import { withFirst } from '../options.js';
import { pySize } from '../repr.js';

const FLATTEN_OPTIONS: OptionNames<FlattenOptions> = { startDim: true, endDim: true };

export interface FlattenOptions {
  /** Default 1, which keeps the batch. */
  readonly startDim?: number;
  /** Default −1. */
  readonly endDim?: number;
}

/** Joins the dims from startDim to endDim into one. PyTorch: nn.Flatten. @example new nn.Flatten()(randn(32, 1, 5, 5)).shape // [32, 25] */
export class Flatten extends Module {
  static override readonly typeName = 'Flatten';
  readonly startDim: number;
  readonly endDim: number;

  constructor(startDim?: number | FlattenOptions, endDim?: number) {
    super();
    const given = withFirst<FlattenOptions>(
      'Flatten',
      FLATTEN_OPTIONS,
      startDim,
      'startDim',
      endDim === undefined ? undefined : { endDim },
    );
    this.startDim = given.startDim ?? 1;
    this.endDim = given.endDim ?? -1;
  }

  forward(input: Tensor): Tensor {
    return input.flatten(this.startDim, this.endDim);
  }

  override extraRepr(): string {
    return `start_dim=${this.startDim}, end_dim=${this.endDim}`;
  }
}

/** Splits a dim into several; one size may be −1. PyTorch: nn.Unflatten. @example new nn.Unflatten(1, [2, 5, 5])(randn(2, 50)).shape // [2, 2, 5, 5] */
export class Unflatten extends Module {
  static override readonly typeName = 'Unflatten';

  constructor(
    readonly dim: number,
    readonly unflattenedSize: readonly number[],
  ) {
    super();
    if (arguments.length > 2) refuseMore('Unflatten', arguments[2]);
  }

  forward(input: Tensor): Tensor {
    return input.unflatten(this.dim, this.unflattenedSize);
  }

  override extraRepr(): string {
    return `dim=${this.dim}, unflattened_size=${pySize(this.unflattenedSize)}`;
  }
}
