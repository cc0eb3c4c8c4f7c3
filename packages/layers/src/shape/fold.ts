/** @file Sliding patches as columns, and back. */
import { checkOptions, type OptionNames, Module, type Tensor } from '@tessera/core';
import { fold, unfold, type UnfoldOptions } from '../functional/index.js';
import { pySize } from '../repr.js';

const UNFOLD_OPTIONS: OptionNames<UnfoldOptions> = { dilation: true, padding: true, stride: true };

type Size = number | readonly number[];

abstract class Patches extends Module {
  readonly dilation: Size;
  readonly padding: Size;
  readonly stride: Size;

  constructor(
    readonly kernelSize: Size,
    options: UnfoldOptions,
  ) {
    super();
    this.dilation = options.dilation ?? 1;
    this.padding = options.padding ?? 0;
    this.stride = options.stride ?? 1;
  }

  override extraRepr(): string {
    return `kernel_size=${pySize(this.kernelSize)}, dilation=${pySize(this.dilation)}, padding=${pySize(this.padding)}, stride=${pySize(this.stride)}`;
  }
}

/** The patches of (N, C, H, W), each as a column: (N, C·kh·kw, L). PyTorch: nn.Unfold. */
export class Unfold extends Patches {
  static override readonly typeName = 'Unfold';

  constructor(kernelSize: Size, options: UnfoldOptions = {}) {
    checkOptions('Unfold', options, UNFOLD_OPTIONS);
    super(kernelSize, options);
  }

  forward(input: Tensor): Tensor {
    const { dilation, padding, stride } = this;
    return unfold(input, this.kernelSize, { dilation, padding, stride });
  }
}

/** The columns (N, C·kh·kw, L) summed where their patches overlap: (N, C, …outputSize). PyTorch: nn.Fold. */
export class Fold extends Patches {
  static override readonly typeName = 'Fold';

  constructor(
    readonly outputSize: Size,
    kernelSize: Size,
    options: UnfoldOptions = {},
  ) {
    checkOptions('Fold', options, UNFOLD_OPTIONS);
    super(kernelSize, options);
  }

  forward(input: Tensor): Tensor {
    const { dilation, padding, stride } = this;
    return fold(input, this.outputSize, this.kernelSize, { dilation, padding, stride });
  }

  override extraRepr(): string {
    return `output_size=${pySize(this.outputSize)}, ${super.extraRepr()}`;
  }
}
