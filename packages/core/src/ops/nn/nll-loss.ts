/** @file The negative log likelihood of classes given by index. Its gradient is a pointwise mask: no scatter, and nothing is launched until it is used. */
import { asFloat32 } from '../../amp/policy.js';
import { autocasting } from '../../amp/state.js';
import { DTypeError, ShapeError } from '../../errors.js';
import { DTYPE_INFO } from '../../tensor/dtype.js';
import { sameShape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { indexValue } from '../../tensor/value.js';
import { cast } from '../cast.js';
import { launchGather } from '../gather.js';
import { OPS } from '../registry.js';
import { attach, recording, wrap } from '../result.js';
import { reshape, unsqueeze } from '../view.js';
import { listed } from './geometry.js';
import { checkOptions, type OptionNames } from '../../options.js';

const NLL_LOSS_OPTIONS: OptionNames<NllLossOptions> = { weight: true, ignoreIndex: true, reduction: true };

/** How a loss sums up its elements: not at all, to their mean, to their sum. */
export type Reduction = 'none' | 'mean' | 'sum';

export interface NllLossOptions {
  /** A factor for each class (C). */
  readonly weight?: Tensor | null;
  /** Targets with this value count neither in the loss nor in the mean. Default −100. */
  readonly ignoreIndex?: number;
  /** Default 'mean': divided by the sum of the targets' weights. */
  readonly reduction?: Reduction;
}

function check(op: string, input: Tensor, target: Tensor, weight: Tensor | null): void {
  const details = { op, shapes: [input.shape, target.shape], dtypes: [input.dtype, target.dtype] };
  if (DTYPE_INFO[target.dtype].category !== 'integer')
    throw new DTypeError(
      'ERR_TARGET_DTYPE',
      `${op}: expected target of an integer dtype (class indices), but got ${target.dtype}`,
      details,
    );
  const wanted = [input.shape[0]!, ...input.shape.slice(2)];
  if (input.shape[0] !== target.shape[0]) {
    throw new ShapeError(
      'ERR_TARGET_SHAPE',
      `${op}: Expected input batch_size (${input.shape[0]}) to match target batch_size (${target.shape[0]}).`,
      details,
    );
  }
  if (!sameShape(wanted, target.shape))
    throw new ShapeError(
      'ERR_TARGET_SHAPE',
      `${op}: Expected target size ${listed(wanted)}, got ${listed(target.shape)}${sameShape(target.shape, input.shape) ? ': an integer target holds the number of a class; one-hot rows are probabilities, target.float()' : ''}`,
      details,
    );
  if (weight !== null && (weight.ndim !== 1 || weight.shape[0] !== input.shape[1])) {
    throw new ShapeError(
      'ERR_WEIGHT_SHAPE',
      `${op}: weight tensor should be defined either for all ${input.shape[1]} classes or no classes but got weight tensor of shape: ${listed(weight.shape)}`,
      { op, shapes: [input.shape, weight.shape] },
    );
  }
}

OPS.set('nllLoss', { name: 'nllLoss', inputs: 2, differentiable: true });
/**
 * −weight[target] · input[n, target]: input (N, C) or (N, C, d1, …) or (C) holds log probabilities, target (N), (N, d1, …) or () class indices.
 * Gradients flow to the input only. PyTorch: F.nll_loss.
 *
 * @throws ShapeError `ERR_TARGET_SHAPE`, `ERR_WEIGHT_SHAPE`; DTypeError `ERR_TARGET_DTYPE`; IndexError `ERR_INDEX_RANGE` for a class that is none.
 * @example nllLoss(logits.logSoftmax(1), tensor([1, 0], { dtype: 'int32' }))
 */
export function nllLoss(input: Tensor, target: Tensor, options: NllLossOptions = {}): Tensor {
  checkOptions('nllLoss', options, NLL_LOSS_OPTIONS);
  if (autocasting.on) return asFloat32(nllLoss, input, target, options);
  const op = 'nllLoss';
  const reduction = options.reduction ?? 'mean';
  const weight = options.weight ?? null;
  if (input.ndim === 0)
    throw new ShapeError('ERR_TARGET_SHAPE', `${op}: input tensor should be 1D or 2D, but is 0D`, { op, shapes: [input.shape] });
  if (input.ndim === 1) {
    if (target.ndim > 1 || target.numel() !== 1)
      throw new ShapeError(
        'ERR_TARGET_SHAPE',
        `${op}: for a 1D input, 0D or 1D target of one element expected, but got ${listed(target.shape)}`,
        { op, shapes: [input.shape, target.shape] },
      );
    const out = nllLoss(unsqueeze(input, 0), reshape(target, [1]), options);
    return reduction === 'none' && target.ndim === 0 ? reshape(out, []) : out;
  }
  check(op, input, target, weight);
  const ignored = options.ignoreIndex ?? -100;
  const classes = cast(target.detach(), 'int32');
  const kept = classes.ne(ignored);
  // Ignored places look up class 0, and what they find is left out.
  const safe = classes.maskedFill(kept.logicalNot(), 0).realize();
  const column = unsqueeze(safe, 1);
  const picked = launchGather(input.detach(), 1, column);
  const found = reshape(picked, safe.shape);
  const factor = weight === null ? null : reshape(launchGather(weight.detach(), 0, reshape(safe, [safe.numel()])), safe.shape);
  const each = (factor === null ? found : found.mul(factor)).neg().maskedFill(kept.logicalNot(), 0);
  const total =
    reduction === 'mean'
      ? factor === null
        ? kept.sum(null, { dtype: input.dtype })
        : factor.maskedFill(kept.logicalNot(), 0).sum()
      : null;
  const out = reduction === 'none' ? each : total === null ? each.sum() : each.sum().div(total);
  if (recording(input)) {
    const { shape, dtype } = input;
    const node = attach(out, 'NllLossBackward0', [input], (grad, n) => {
      const at = unsqueeze(n.saved(0), 1);
      const count = reduction === 'mean' ? n.saved(1) : null;
      const w = factor === null ? null : n.saved(reduction === 'mean' ? 2 : 1);
      let g = (count === null ? grad : grad.div(count)).neg();
      if (reduction === 'none') g = unsqueeze(g, 1);
      if (w !== null) g = g.mul(unsqueeze(w, 1));
      const hot = wrap(indexValue(shape, 1, n.saved(0).device)).eq(at);
      return [cast(g.where(hot.logicalAnd(at.ne(ignored)), 0), dtype)];
    });
    node.save(classes, ...(total === null ? [] : [total]), ...(factor === null ? [] : [factor]));
  }
  return out;
}
