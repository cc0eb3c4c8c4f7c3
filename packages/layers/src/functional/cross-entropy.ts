/** @file Cross entropy of logits with classes, given by index or by probability. */
import {
  checkOptions,
  type OptionNames,
  crossEntropyOfClasses,
  isFloat,
  logSoftmax,
  nllLoss,
  sameShape,
  ShapeError,
  type Tensor,
  ValueError,
  asFloat32,
  autocasting,
  isTensor,
  kindOf,
} from '@tessera/core';
import { type LossOptions, reduced } from './reduction.js';

const CROSS_ENTROPY_OPTIONS: OptionNames<CrossEntropyOptions> = { weight: true, ignoreIndex: true, labelSmoothing: true, reduction: true };

export interface CrossEntropyOptions extends LossOptions {
  /** A factor for each class (C). */
  readonly weight?: Tensor | null;
  /** Class indices with this value do not count. Default −100. */
  readonly ignoreIndex?: number;
  /** What part of the target goes to all classes alike, between 0 and 1. Default 0. */
  readonly labelSmoothing?: number;
}

/**
 * −log softmax(input)[target]: input (C), (N, C) or (N, C, d1, …) holds logits; the target has class indices (an integer dtype), of the
 * same shape without C, or probabilities (a float dtype), of the same shape. PyTorch: F.cross_entropy.
 *
 * @throws ShapeError `ERR_TARGET_SHAPE`, `ERR_WEIGHT_SHAPE`; ValueError `ERR_LABEL_SMOOTHING`; IndexError `ERR_INDEX_RANGE` for a class that is none.
 * @example crossEntropy(model(images), labels)
 */
export function crossEntropy(input: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  checkOptions('crossEntropy', options, CROSS_ENTROPY_OPTIONS);
  if (autocasting.on) return asFloat32(crossEntropy, input, target, options);
  for (const [name, given] of [
    ['input', input],
    ['target', target],
  ] as const)
    if (!isTensor(given))
      throw new ValueError('ERR_ARGUMENT', `crossEntropy: argument '${name}' must be Tensor, not ${kindOf(given)}`, { op: 'crossEntropy' });
  const { labelSmoothing = 0, weight, ignoreIndex, reduction } = options;
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ValueError('ERR_LABEL_SMOOTHING', `crossEntropy: label_smoothing must be between 0.0 and 1.0. Got: ${labelSmoothing}`, {
      op: 'crossEntropy',
    });
  }
  if (input.ndim === 0)
    throw new ShapeError('ERR_TARGET_SHAPE', 'crossEntropy: input must have at least one dim, that of the classes', {
      op: 'crossEntropy',
      shapes: [input.shape],
    });
  const dim = input.ndim === 1 ? 0 : 1;
  if (labelSmoothing === 0 && !isFloat(target.dtype)) return crossEntropyOfClasses(input, target, { weight, ignoreIndex, reduction });
  const logP = logSoftmax(input, dim);
  if (isFloat(target.dtype)) return withProbabilities(input, logP, target, dim, options);
  return smoothed(logP, target, dim, options);
}

function withProbabilities(input: Tensor, logP: Tensor, target: Tensor, dim: number, options: CrossEntropyOptions): Tensor {
  const op = 'crossEntropy';
  if (!sameShape(input.shape, target.shape)) {
    throw new ShapeError(
      'ERR_TARGET_SHAPE',
      `${op}: Expected floating point type for target with class probabilities to have the input's shape [${input.shape.join(', ')}], but got [${target.shape.join(', ')}]; class indices need an integer dtype, target.to('int32')`,
      {
        op,
        shapes: [input.shape, target.shape],
        dtypes: [target.dtype],
      },
    );
  }
  if (options.ignoreIndex !== undefined && options.ignoreIndex >= 0)
    throw new ValueError('ERR_IGNORE_INDEX', `${op}: ignore_index is not supported for floating point target`, { op });
  const classes = input.shape[dim]!;
  const { labelSmoothing = 0, weight = null } = options;
  const goal = labelSmoothing > 0 ? target.mul(1 - labelSmoothing).add(labelSmoothing / classes) : target;
  const product = logP.mul(goal);
  const each = (weight === null ? product : product.mul(perClass(weight, input, dim))).sum(dim).neg();
  if ((options.reduction ?? 'mean') !== 'mean') return reduced(each, options.reduction, op);
  return each.sum().div(input.numel() / classes);
}

/** A weight (C) as it broadcasts against the logits. @throws ShapeError `ERR_WEIGHT_SHAPE` */
function perClass(weight: Tensor, input: Tensor, dim: number): Tensor {
  if (weight.ndim !== 1 || weight.shape[0] !== input.shape[dim]) {
    throw new ShapeError(
      'ERR_WEIGHT_SHAPE',
      `crossEntropy: weight tensor should be defined either for all ${input.shape[dim]} classes or no classes but got weight tensor of shape: [${weight.shape.join(', ')}]`,
      { op: 'crossEntropy', shapes: [input.shape, weight.shape] },
    );
  }
  return weight.reshape([...weight.shape, ...input.shape.slice(dim + 1).map(() => 1)]);
}

function smoothed(logP: Tensor, target: Tensor, dim: number, options: CrossEntropyOptions): Tensor {
  const { labelSmoothing = 0, weight = null, ignoreIndex = -100, reduction = 'mean' } = options;
  const classes = logP.shape[dim]!;
  const ignored = target.eq(ignoreIndex);
  const nll = nllLoss(logP, target, { weight, ignoreIndex, reduction });
  const spread = (weight === null ? logP : logP.mul(perClass(weight, logP, dim))).sum(dim).neg().maskedFill(ignored, 0);
  let part: Tensor;
  if (reduction === 'mean') {
    const total =
      weight === null
        ? ignored.logicalNot().sum()
        : weight.indexSelect(0, target.maskedFill(ignored, 0).flatten()).maskedFill(ignored.flatten(), 0).sum();
    part = spread.sum().div(total);
  } else part = reduced(spread, reduction, 'crossEntropy');
  return nll.mul(1 - labelSmoothing).add(part.mul(labelSmoothing / classes));
}
