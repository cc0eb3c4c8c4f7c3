/** @file The layer that does nothing. */
import { Module, type Tensor } from '@tessera/core';

/** Gives back its input: a placeholder. Arguments to the constructor are allowed and ignored. PyTorch: nn.Identity. */
export class Identity extends Module {
  static override readonly typeName = 'Identity';

  constructor(..._ignored: readonly unknown[]) {
    super();
  }

  forward(input: Tensor): Tensor {
    return input;
  }
}
