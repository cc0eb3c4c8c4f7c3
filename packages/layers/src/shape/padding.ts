/** @file Layers that put something around their input: (N, C, …) or (C, …) with 1 to 3 spatial dims. */
import { Module, type Tensor, refuseMore, typeNameOf } from '@tessera/core';
import { pad, type PadMode } from '../functional/index.js';
import { pyFloat, pySize } from '../repr.js';

/** One width for all sides, or two a dim, from the last dim on: [left, right, top, bottom, front, back]. */
export type Padding = number | readonly number[];

abstract class Pad extends Module {
  readonly padding: readonly number[];

  constructor(
    rank: number,
    padding: Padding,
    private readonly mode: PadMode,
  ) {
    super();
    if (typeof padding !== 'number' && !Array.isArray(padding)) refuseMore(typeNameOf(this), padding);
    this.padding = typeof padding === 'number' ? new Array<number>(2 * rank).fill(padding) : padding;
  }

  forward(input: Tensor): Tensor {
    return pad(input, this.padding, { mode: this.mode });
  }

  override extraRepr(): string {
    return pySize(this.padding);
  }
}

abstract class ConstantPad extends Pad {
  constructor(
    rank: number,
    padding: Padding,
    readonly value: number,
  ) {
    super(rank, padding, 'constant');
  }

  override forward(input: Tensor): Tensor {
    return pad(input, this.padding, { value: this.value });
  }

  override extraRepr(): string {
    return `padding=${pySize(this.padding)}, value=${Number.isInteger(this.value) ? String(this.value) : pyFloat(this.value)}`;
  }
}

/** A constant around (N, C, L) or (C, L). PyTorch: nn.ConstantPad1d. @example new nn.ConstantPad1d([3, 1], 3.5) */
export class ConstantPad1d extends ConstantPad {
  static override readonly typeName = 'ConstantPad1d';
  constructor(padding: Padding, value: number) {
    super(1, padding, value);
    if (arguments.length > 2) refuseMore(typeNameOf(this), arguments[2]);
  }
}
/** A constant around (N, C, H, W) or (C, H, W). PyTorch: nn.ConstantPad2d. */
export class ConstantPad2d extends ConstantPad {
  static override readonly typeName = 'ConstantPad2d';
  constructor(padding: Padding, value: number) {
    super(2, padding, value);
    if (arguments.length > 2) refuseMore(typeNameOf(this), arguments[2]);
  }
}
/** A constant around (N, C, D, H, W) or (C, D, H, W). PyTorch: nn.ConstantPad3d. */
export class ConstantPad3d extends ConstantPad {
  static override readonly typeName = 'ConstantPad3d';
  constructor(padding: Padding, value: number) {
    super(3, padding, value);
    if (arguments.length > 2) refuseMore(typeNameOf(this), arguments[2]);
  }
}

/** Zeros around (N, C, L) or (C, L). PyTorch: nn.ZeroPad1d. */
export class ZeroPad1d extends Pad {
  static override readonly typeName = 'ZeroPad1d';
  constructor(padding: Padding) {
    super(1, padding, 'constant');
    if (arguments.length > 1) refuseMore(typeNameOf(this), arguments[1]);
  }
}
/** Zeros around (N, C, H, W) or (C, H, W). PyTorch: nn.ZeroPad2d. */
export class ZeroPad2d extends Pad {
  static override readonly typeName = 'ZeroPad2d';
  constructor(padding: Padding) {
    super(2, padding, 'constant');
    if (arguments.length > 1) refuseMore(typeNameOf(this), arguments[1]);
  }
}
/** Zeros around (N, C, D, H, W) or (C, D, H, W). PyTorch: nn.ZeroPad3d. */
export class ZeroPad3d extends Pad {
  static override readonly typeName = 'ZeroPad3d';
  constructor(padding: Padding) {
    super(3, padding, 'constant');
    if (arguments.length > 1) refuseMore(typeNameOf(this), arguments[1]);
  }
}

/** The input mirrored at its edges, which are not repeated. PyTorch: nn.ReflectionPad1d. */
export class ReflectionPad1d extends Pad {
  static override readonly typeName = 'ReflectionPad1d';
  constructor(padding: Padding) {
    super(1, padding, 'reflect');
    if (arguments.length > 1) refuseMore(typeNameOf(this), arguments[1]);
  }
}
/** PyTorch: nn.ReflectionPad2d. */
export class ReflectionPad2d extends Pad {
  static override readonly typeName = 'ReflectionPad2d';
  constructor(padding: Padding) {
    super(2, padding, 'reflect');
    if (arguments.length > 1) refuseMore(typeNameOf(this), arguments[1]);
  }
}
/** PyTorch: nn.ReflectionPad3d. */
export class ReflectionPad3d extends Pad {
  static override readonly typeName = 'ReflectionPad3d';
  constructor(padding: Padding) {
    super(3, padding, 'reflect');
    if (arguments.length > 1) refuseMore(typeNameOf(this), arguments[1]);
  }
}

/** The input's edges repeated. PyTorch: nn.ReplicationPad1d. */
export class ReplicationPad1d extends Pad {
  static override readonly typeName = 'ReplicationPad1d';
  constructor(padding: Padding) {
    super(1, padding, 'replicate');
    if (arguments.length > 1) refuseMore(typeNameOf(this), arguments[1]);
  }
}
/** PyTorch: nn.ReplicationPad2d. */
export class ReplicationPad2d extends Pad {
  static override readonly typeName = 'ReplicationPad2d';
  constructor(padding: Padding) {
    super(2, padding, 'replicate');
    if (arguments.length > 1) refuseMore(typeNameOf(this), arguments[1]);
  }
}
/** PyTorch: nn.ReplicationPad3d. */
export class ReplicationPad3d extends Pad {
  static override readonly typeName = 'ReplicationPad3d';
  constructor(padding: Padding) {
    super(3, padding, 'replicate');
    if (arguments.length > 1) refuseMore(typeNameOf(this), arguments[1]);
  }
}

/** The input from its other end again. PyTorch: nn.CircularPad1d. */
export class CircularPad1d extends Pad {
  static override readonly typeName = 'CircularPad1d';
  constructor(padding: Padding) {
    super(1, padding, 'circular');
    if (arguments.length > 1) refuseMore(typeNameOf(this), arguments[1]);
  }
}
/** PyTorch: nn.CircularPad2d. */
export class CircularPad2d extends Pad {
  static override readonly typeName = 'CircularPad2d';
  constructor(padding: Padding) {
    super(2, padding, 'circular');
    if (arguments.length > 1) refuseMore(typeNameOf(this), arguments[1]);
  }
}
/** PyTorch: nn.CircularPad3d. */
export class CircularPad3d extends Pad {
  static override readonly typeName = 'CircularPad3d';
  constructor(padding: Padding) {
    super(3, padding, 'circular');
    if (arguments.length > 1) refuseMore(typeNameOf(this), arguments[1]);
  }
}
