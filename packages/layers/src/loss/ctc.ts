/** @file The loss of sequences whose alignment with their labels is not known. */
import type { Tensor } from '@tessera/core';
import { ctcLoss, ctcLossAsync, type Lengths } from '../functional/index.js';
import { Loss, type LossOptions } from './loss-base.js';
import { checkOptions, type OptionNames } from '@tessera/core';

const CTC_LOSS_OPTIONS: OptionNames<CTCLossOptions> = { blank: true, zeroInfinity: true, reduction: true };

export interface CTCLossOptions extends LossOptions {
  /** The class that stands for no label. Default 0. */
  readonly blank?: number;
  /** Labellings that are too long for their sequence count 0 in place of ∞. Default false. */
  readonly zeroInfinity?: boolean;
}

/**
 * Connectionist temporal classification (Graves et al., 2006) of log-probabilities (T, N, C) with targets (N, S), or with all labels one after the
 * other; see F.ctcLoss. PyTorch: nn.CTCLoss.
 * @example new nn.CTCLoss()(logits.logSoftmax(2), targets, [50, 50], [30, 25])
 */
export class CTCLoss extends Loss {
  static override readonly typeName = 'CTCLoss';
  readonly blank: number;
  readonly zeroInfinity: boolean;

  constructor(options: CTCLossOptions = {}) {
    checkOptions('CTCLoss', options, CTC_LOSS_OPTIONS);
    super(options);
    this.blank = options.blank ?? 0;
    this.zeroInfinity = options.zeroInfinity ?? false;
  }

  forward(logProbs: Tensor, targets: Tensor, inputLengths: Lengths, targetLengths: Lengths): Tensor {
    const { blank, zeroInfinity, reduction } = this;
    return ctcLoss(logProbs, targets, inputLengths, targetLengths, { blank, zeroInfinity, reduction });
  }

  /** As a call of the layer, where the lengths are tensors of a device that cannot be read at once. Runs no hooks. */
  forwardAsync(logProbs: Tensor, targets: Tensor, inputLengths: Lengths, targetLengths: Lengths): Promise<Tensor> {
    const { blank, zeroInfinity, reduction } = this;
    return ctcLossAsync(logProbs, targets, inputLengths, targetLengths, { blank, zeroInfinity, reduction });
  }
}
