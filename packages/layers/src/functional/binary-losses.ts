/** @file Losses of yes-or-no answers: binary cross entropy of probabilities and of logits, and their kin for several labels. */
import {
  checkOptions,
  type OptionNames,
  binaryCrossEntropyLogitTerms,
  binaryCrossEntropyTerms,
  sameShape,
  ShapeError,
  softplus,
  type Tensor,
  ValueError,
  asFloat32,
  autocasting,
} from '@tessera/core';
import { type LossOptions, reduced } from './reduction.js';

const BINARY_CROSS_ENTROPY_OPTIONS: OptionNames<BinaryCrossEntropyOptions> = { weight: true, reduction: true };
const BINARY_CROSS_ENTROPY_WITH_LOGITS_OPTIONS: OptionNames<BinaryCrossEntropyWithLogitsOptions> = {
  posWeight: true,
  weight: true,
  reduction: true,
};
const LOSS_OPTIONS: OptionNames<LossOptions> = { reduction: true };

export interface BinaryCrossEntropyOptions extends LossOptions {
  /** A factor for each element; broadcasts. */
  readonly weight?: Tensor | null;
}
export interface BinaryCrossEntropyWithLogitsOptions extends BinaryCrossEntropyOptions {
  /** A factor for the positive part of each class; broadcasts. */
  readonly posWeight?: Tensor | null;
}

const scaled = (each: Tensor, weight: Tensor | null | undefined): Tensor =>
  weight === null || weight === undefined ? each : each.mul(weight);

/**
 * −(t log x + (1 − t) log(1 − x)) for probabilities x. Input and target have one shape. Probabilities outside [0, 1] are refused where the
 * device can be read synchronously. PyTorch: F.binary_cross_entropy.
 *
 * @throws ShapeError `ERR_TARGET_SHAPE`; ValueError `ERR_PROBABILITY`.
 */
export function binaryCrossEntropy(input: Tensor, target: Tensor, options: BinaryCrossEntropyOptions = {}): Tensor {
  checkOptions('binaryCrossEntropy', options, BINARY_CROSS_ENTROPY_OPTIONS);
  if (autocasting.on) return asFloat32(binaryCrossEntropy, input, target, options);
  const op = 'binaryCrossEntropy';
  if (!sameShape(input.shape, target.shape)) {
    throw new ShapeError(
      'ERR_TARGET_SHAPE',
      `${op}: Using a target size ([${target.shape.join(', ')}]) that is different to the input size ([${input.shape.join(', ')}]) is deprecated. Please ensure they have the same size.`,
      { op, shapes: [input.shape, target.shape] },
    );
  }
  if (input.device.syncRead && input.numel() > 0) {
    const [low, high] = input.detach().aminmax();
    if (low.item() < 0 || high.item() > 1)
      throw new ValueError('ERR_PROBABILITY', `${op}: all elements of input should be between 0 and 1`, { op, shapes: [input.shape] });
  }
  return reduced(scaled(binaryCrossEntropyTerms(input, target), options.weight), options.reduction, op);
}

/** {@link binaryCrossEntropy} of σ(x), for logits x, without the loss of accuracy. PyTorch: F.binary_cross_entropy_with_logits. */
export function binaryCrossEntropyWithLogits(input: Tensor, target: Tensor, options: BinaryCrossEntropyWithLogitsOptions = {}): Tensor {
  checkOptions('binaryCrossEntropyWithLogits', options, BINARY_CROSS_ENTROPY_WITH_LOGITS_OPTIONS);
  if (autocasting.on) return asFloat32(binaryCrossEntropyWithLogits, input, target, options);
  const op = 'binaryCrossEntropyWithLogits';
  if (!sameShape(input.shape, target.shape)) {
    throw new ShapeError(
      'ERR_TARGET_SHAPE',
      `${op}: Target size ([${target.shape.join(', ')}]) must be the same as input size ([${input.shape.join(', ')}])`,
      { op, shapes: [input.shape, target.shape] },
    );
  }
  const { posWeight = null } = options;
  let each: Tensor;
  if (posWeight === null) each = binaryCrossEntropyLogitTerms(input, target);
  else {
    // (1 − t)·x + (1 + (w − 1)·t) · log(1 + e^(−x)), the latter being the loss of a sure yes.
    const sure = binaryCrossEntropyLogitTerms(input, target.detach().mul(0).add(1));
    each = target.neg().add(1).mul(input).add(posWeight.sub(1).mul(target).add(1).mul(sure));
  }
  return reduced(scaled(each, options.weight), options.reduction, op);
}

/** The mean over classes of {@link binaryCrossEntropyWithLogits}, for input and target (N, C). PyTorch: F.multilabel_soft_margin_loss. */
export function multilabelSoftMarginLoss(input: Tensor, target: Tensor, options: BinaryCrossEntropyOptions = {}): Tensor {
  checkOptions('multilabelSoftMarginLoss', options, BINARY_CROSS_ENTROPY_OPTIONS);
  if (autocasting.on) return asFloat32(multilabelSoftMarginLoss, input, target, options);
  const { weight = null, reduction } = options;
  return reduced(scaled(binaryCrossEntropyLogitTerms(input, target), weight).mean(-1), reduction, 'multilabelSoftMarginLoss');
}

/** log(1 + e^(−t·x)) for t of 1 and −1. PyTorch: F.soft_margin_loss. */
export function softMarginLoss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  checkOptions('softMarginLoss', options, LOSS_OPTIONS);
  if (autocasting.on) return asFloat32(softMarginLoss, input, target, options);
  if (!sameShape(input.shape, target.shape)) {
    throw new ShapeError(
      'ERR_TARGET_SHAPE',
      `softMarginLoss: input and target must have the same shape, but are [${input.shape.join(', ')}] and [${target.shape.join(', ')}]`,
      { op: 'softMarginLoss', shapes: [input.shape, target.shape] },
    );
  }
  return reduced(softplus(input.mul(target).neg()), options.reduction, 'softMarginLoss');
}
