/** @file What losses share: how their elements are summed up, and weights, which are part of their state. */
import { Module, type Tensor } from '@tessera/core';
import type { Reduction } from '../functional/index.js';

export interface LossOptions {
  /** 'none': a loss for each element; 'mean' (the default); 'sum'. */
  readonly reduction?: Reduction;
}

/** PyTorch: nn.modules.loss._Loss. */
export abstract class Loss<R extends string = Reduction> extends Module {
  readonly reduction: R;

  constructor(options: { readonly reduction?: R }) {
    super();
    this.reduction = options.reduction ?? ('mean' as R);
  }
}

export interface WeightedLossOptions extends LossOptions {
  /** Factors; see each loss. */
  readonly weight?: Tensor | null;
}

/** PyTorch: nn.modules.loss._WeightedLoss. The weight is a buffer: it moves with the module and is saved. */
export abstract class WeightedLoss extends Loss {
  weight: Tensor | null = null;

  constructor(options: WeightedLossOptions) {
    super(options);
    this.registerBuffer('weight', options.weight ?? null);
  }
}
