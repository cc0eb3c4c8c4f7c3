/** @file Cross entropy of logits with classes given by index: one kernel where the backend has it, else logSoftmax and nllLoss. */
import type { Rule } from '../../autograd/node.js';
import { DTYPE_INFO, isFloat } from '../../tensor/dtype.js';
import { numelOf, sameShape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { indexValue } from '../../tensor/value.js';
import { cast } from '../cast.js';
import { OPS } from '../registry.js';
import { attach, declined, emptyValue, launched, recording, viewOf, viewOfValue, wrap } from '../result.js';
import { permute, reshape, unsqueeze } from '../view.js';
import { nllLoss, type NllLossOptions } from './nll-loss.js';
import { logSoftmax, softmax } from './softmax.js';
import { checkOptions, type OptionNames } from '../../options.js';

const NLL_LOSS_OPTIONS: OptionNames<NllLossOptions> = { weight: true, ignoreIndex: true, reduction: true };

OPS.set('crossEntropyOfClasses', { name: 'crossEntropyOfClasses', inputs: 2, differentiable: true });
/**
 * −log softmax(logits)[target], for logits (C), (N, C) or (N, C, d1, …) and class indices of the same shape without C: what F.crossEntropy
 * is for such targets without label smoothing. Gradients flow to the logits only.
 *
 * @throws as {@link nllLoss}
 * @example crossEntropyOfClasses(logits, tensor([1, 0], { dtype: 'int32' }))
 */
export function crossEntropyOfClasses(logits: Tensor, target: Tensor, options: NllLossOptions = {}): Tensor {
  checkOptions('crossEntropyOfClasses', options, NLL_LOSS_OPTIONS);
  const { ignoreIndex = -100, reduction = 'mean', weight = null } = options;
  if (weight === null) {
    const losses = lossesByKernel(logits, target, ignoreIndex);
    if (losses !== null) {
      if (reduction === 'none') return losses;
      const total = losses.sum();
      return reduction === 'sum' ? total : total.div(target.ne(ignoreIndex).sum(null, { dtype: losses.dtype }));
    }
  }
  return nllLoss(logSoftmax(logits, logits.ndim === 1 ? 0 : 1), target, options);
}

/** The losses in the target's shape; null where there is no kernel, or the arguments are not (or not without a copy) rows of logits. */
function lossesByKernel(logits: Tensor, target: Tensor, ignoreIndex: number): Tensor | null {
  const { shape, ndim, device } = logits;
  if (device.kernels.crossEntropy === undefined || !isFloat(logits.dtype) || logits.numel() === 0 || target.device !== device) return null;
  if (DTYPE_INFO[target.dtype].category !== 'integer' || ndim < 2 || !Number.isInteger(ignoreIndex)) return null;
  if (!sameShape(target.shape, [shape[0]!, ...shape.slice(2)])) return null;
  const classes = shape[1]!;
  const last = ndim === 2 ? logits : permute(logits, [0, ...shape.slice(2).map((_, i) => i + 2), 1]);
  if (ndim > 2 && !last.isContiguous()) return null;
  const rows = numelOf(target.shape);
  const wide = cast(reshape(last, [rows, classes]), DTYPE_INFO[logits.dtype].compute);
  const losses = rowLosses(wide, cast(reshape(target.detach(), [rows]), 'int32'), ignoreIndex);
  return losses === null ? null : cast(ndim === 2 ? losses : reshape(losses, target.shape), logits.dtype);
}

/** logits (N, C), int32 targets (N) → losses (N). */
function rowLosses(logits: Tensor, targets: Tensor, ignoreIndex: number): Tensor | null {
  const { device, dtype } = logits;
  const rows = [logits.shape[0]!];
  const losses = emptyValue(device, dtype, rows);
  const logsumexp = emptyValue(device, dtype, rows);
  const done = device.kernels.crossEntropy!(
    viewOf(logits.detach()),
    viewOf(targets),
    viewOfValue(losses),
    viewOfValue(logsumexp),
    ignoreIndex,
  );
  if (!done) return declined(losses, logsumexp);
  launched(device, 'crossEntropy', logits.shape);
  const out = wrap(losses);
  if (recording(logits)) {
    const node = attach(out, 'CrossEntropyBackward0', [logits], gradient);
    node.context = ignoreIndex;
    node.save(logits, targets, wrap(logsumexp));
  }
  return out;
}

/** g · (softmax(x) − [class is the target]), and 0 for ignored targets. */
const gradient: Rule = (grad, node) => {
  const ignoreIndex = node.context as number;
  const logits = node.saved(0);
  const targets = node.saved(1);
  const { device, dtype, shape } = logits;
  if (device.kernels.crossEntropyGrad !== undefined && !recording(grad, logits)) {
    const out = emptyValue(device, dtype, shape);
    if (
      device.kernels.crossEntropyGrad(viewOf(grad), viewOf(logits), viewOf(targets), viewOf(node.saved(2)), viewOfValue(out), ignoreIndex)
    ) {
      launched(device, 'crossEntropyGrad', shape);
      return [wrap(out)];
    }
    declined(out);
  }
  const at = unsqueeze(targets, 1);
  const hot = wrap(indexValue(shape, 1, device)).eq(at);
  const g = unsqueeze(grad, 1).maskedFill(at.eq(ignoreIndex), 0);
  return [softmax(logits, 1).sub(cast(hot, dtype)).mul(g)];
};
