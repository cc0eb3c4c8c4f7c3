/** @file Losses between probabilities, or scores, and targets of 0 and 1. */
import type { Tensor } from '@tessera/core';
import { binaryCrossEntropy, binaryCrossEntropyWithLogits, multilabelSoftMarginLoss, softMarginLoss } from '../functional/index.js';
import { Loss, type LossOptions, WeightedLoss, type WeightedLossOptions } from './loss-base.js';
import { checkOptions, type OptionNames } from '@tessera/core';

const WEIGHTED_LOSS_OPTIONS: OptionNames<WeightedLossOptions> = { weight: true, reduction: true };
const BCE_WITH_LOGITS_LOSS_OPTIONS: OptionNames<BCEWithLogitsLossOptions> = { posWeight: true, weight: true, reduction: true };
const LOSS_OPTIONS: OptionNames<LossOptions> = { reduction: true };

/** −(y log x + (1 − y) log(1 − x)) for probabilities x, the logarithms not below −100. PyTorch: nn.BCELoss. */
export class BCELoss extends WeightedLoss {
  static override readonly typeName = 'BCELoss';

  constructor(options: WeightedLossOptions = {}) {
    checkOptions('BCELoss', options, WEIGHTED_LOSS_OPTIONS);
    super(options);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { weight, reduction } = this;
    return binaryCrossEntropy(input, target, { weight, reduction });
  }
}

export interface BCEWithLogitsLossOptions extends WeightedLossOptions {
  /** Factor of the positive targets, by class. */
  readonly posWeight?: Tensor | null;
}

/** The same for scores, whose sigmoid it takes itself, accurately. PyTorch: nn.BCEWithLogitsLoss. */
export class BCEWithLogitsLoss extends WeightedLoss {
  static override readonly typeName = 'BCEWithLogitsLoss';
  pos_weight: Tensor | null = null;

  constructor(options: BCEWithLogitsLossOptions = {}) {
    checkOptions('BCEWithLogitsLoss', options, BCE_WITH_LOGITS_LOSS_OPTIONS);
    super(options);
    this.registerBuffer('pos_weight', options.posWeight ?? null);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { weight, reduction, pos_weight: posWeight } = this;
    return binaryCrossEntropyWithLogits(input, target, { weight, reduction, posWeight });
  }
}

/** log(1 + e^(−yx)) for targets of −1 and 1. PyTorch: nn.SoftMarginLoss. */
export class SoftMarginLoss extends Loss {
  static override readonly typeName = 'SoftMarginLoss';

  constructor(options: LossOptions = {}) {
    checkOptions('SoftMarginLoss', options, LOSS_OPTIONS);
    super(options);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return softMarginLoss(input, target, { reduction: this.reduction });
  }
}

/** Binary cross entropy of scores (N, C), the mean over classes. PyTorch: nn.MultiLabelSoftMarginLoss. */
export class MultiLabelSoftMarginLoss extends WeightedLoss {
  static override readonly typeName = 'MultiLabelSoftMarginLoss';

  constructor(options: WeightedLossOptions = {}) {
    checkOptions('MultiLabelSoftMarginLoss', options, WEIGHTED_LOSS_OPTIONS);
    super(options);
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { weight, reduction } = this;
    return multilabelSoftMarginLoss(input, target, { weight, reduction });
  }
}
