/** @file Losses between scores and classes. */
import { checkOptions, type OptionNames, nllLoss, type Tensor } from '@tessera/core';
import { crossEntropy } from '../functional/index.js';
import { WeightedLoss, type WeightedLossOptions } from './loss-base.js';

const CROSS_ENTROPY_LOSS_OPTIONS: OptionNames<CrossEntropyLossOptions> = {
  labelSmoothing: true,
  ignoreIndex: true,
  weight: true,
  reduction: true,
};
const NLL_LOSS_OPTIONS: OptionNames<NLLLossOptions> = { ignoreIndex: true, weight: true, reduction: true };

export interface NLLLossOptions extends WeightedLossOptions {
  /** Targets of this class do not count. Default −100. */
  readonly ignoreIndex?: number;
}

/** −log p of the target's class, for log-probabilities (N, C, …) and classes (N, …). `weight` (C) has a factor for each class. PyTorch: nn.NLLLoss. */
export class NLLLoss extends WeightedLoss {
  static override readonly typeName = 'NLLLoss';
  readonly ignoreIndex: number;

  constructor(options: NLLLossOptions = {}) {
    checkOptions('NLLLoss', options, NLL_LOSS_OPTIONS);
    super(options);
    this.ignoreIndex = options.ignoreIndex ?? -100;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { weight, ignoreIndex, reduction } = this;
    return nllLoss(input, target, { weight, ignoreIndex, reduction });
  }
}

export interface CrossEntropyLossOptions extends NLLLossOptions {
  /** What part of the target goes to all classes alike, from 0 to 1. Default 0. */
  readonly labelSmoothing?: number;
}

/**
 * The cross entropy of scores (N, C, …) with classes (N, …) by index, or with probabilities (N, C, …). Takes the softmax itself: give it raw
 * scores. `weight` (C) has a factor for each class. PyTorch: nn.CrossEntropyLoss.
 * @example new nn.CrossEntropyLoss()(model(images), labels)
 */
export class CrossEntropyLoss extends WeightedLoss {
  static override readonly typeName = 'CrossEntropyLoss';
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;

  constructor(options: CrossEntropyLossOptions = {}) {
    checkOptions('CrossEntropyLoss', options, CROSS_ENTROPY_LOSS_OPTIONS);
    super(options);
    this.ignoreIndex = options.ignoreIndex ?? -100;
    this.labelSmoothing = options.labelSmoothing ?? 0;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { weight, ignoreIndex, reduction, labelSmoothing } = this;
    // PyTorch's default for it is refused beside probabilities only when it was set.
    return crossEntropy(input, target, { weight, reduction, labelSmoothing, ...(ignoreIndex === -100 ? {} : { ignoreIndex }) });
  }
}
