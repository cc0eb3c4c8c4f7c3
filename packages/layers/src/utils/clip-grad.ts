/** @file Gradients kept small. Nothing is read back from the device, unless errors are wanted. */
import { checkOptions, type OptionNames, isTensor, noGrad, stack, type Tensor, tensor, ValueError, isModule, kindOf } from '@tessera/core';

const CLIP_NORM_OPTIONS: OptionNames<ClipNormOptions> = { normType: true, errorIfNonfinite: true };

/** Parameters, as `module.parameters()` gives them, or one. */
export type Parameters = Tensor | Iterable<Tensor>;

export interface ClipNormOptions {
  /** The norm's exponent; Infinity takes the largest. Default 2. */
  readonly normType?: number;
  /** Reads the norm, and throws where it is no finite number. Default false. */
  readonly errorIfNonfinite?: boolean;
}

const listOf = (given: Parameters): Tensor[] => (isTensor(given) ? [given] : [...given]);
const gradsOf = (parameters: Parameters): Tensor[] => listOf(parameters).flatMap((p) => (p.ownGrad === null ? [] : [p.ownGrad]));

/**
 * The norm of all tensors as if they were one. PyTorch: nn.utils.get_total_norm.
 * @throws ValueError `ERR_NONFINITE_NORM` where that is asked for.
 */
export function getTotalNorm(tensors: Parameters, options: ClipNormOptions = {}): Tensor {
  const { normType = 2, errorIfNonfinite = false } = checkOptions('getTotalNorm', options, CLIP_NORM_OPTIONS);
  const list = listOf(tensors);
  const [first] = list;
  if (first === undefined) return tensor(0);
  const total = noGrad(() => {
    const norms = list.map((t) => t.detach().norm(normType).to({ device: first.device, dtype: first.dtype }));
    return norms.length === 1 ? norms[0]! : stack(norms).norm(normType);
  });
  if (errorIfNonfinite && !Number.isFinite(total.item())) {
    throw new ValueError(
      'ERR_NONFINITE_NORM',
      `The total norm of order ${normType} for gradients from parameters is non-finite, so it cannot be clipped. To disable this error and scale the gradients by the non-finite norm anyway, leave errorIfNonfinite out`,
      { op: 'clipGradNorm_' },
    );
  }
  return total;
}

/** Scales the gradients so that a given norm of them becomes `maxNorm`, where it is larger. PyTorch: nn.utils.clip_grads_with_norm_. */
export function clipGradsWithNorm_(parameters: Parameters, maxNorm: number, totalNorm: Tensor): void {
  const grads = gradsOf(parameters);
  if (grads.length === 0) return;
  noGrad(() => {
    // Multiplying by 1 spares asking whether it is too large, for which it would have to be read.
    const factor = totalNorm.add(1e-6).reciprocal().mul(maxNorm).clampMax(1);
    for (const grad of grads) grad.mul_(factor.to({ device: grad.device, dtype: grad.dtype }));
  });
}

/**
 * Scales the gradients in place so that the norm of all together is at most `maxNorm`; answers the norm that they had, a tensor without dims.
 * PyTorch: nn.utils.clip_grad_norm_.
 * @throws ValueError `ERR_NONFINITE_NORM` where that is asked for.
 * @example
 * loss.backward();
 * nn.utils.clipGradNorm_(model.parameters(), 1);
 * optimizer.step();
 */
export function clipGradNorm_(parameters: Parameters, maxNorm: number, options: ClipNormOptions = {}): Tensor {
  checkOptions('clipGradNorm_', options, CLIP_NORM_OPTIONS);
  if (isModule(parameters))
    throw new ValueError('ERR_CLIP', 'clipGradNorm_ takes parameters, and this is a module: give it model.parameters()');
  if (typeof maxNorm !== 'number') throw new ValueError('ERR_CLIP', `clipGradNorm_: maxNorm must be a number, not ${kindOf(maxNorm)}`);
  const list = listOf(parameters);
  const total = getTotalNorm(gradsOf(list), options);
  clipGradsWithNorm_(list, maxNorm, total);
  return total;
}

/** Clamps each element of the gradients to ±`clipValue`, in place. PyTorch: nn.utils.clip_grad_value_. */
export function clipGradValue_(parameters: Parameters, clipValue: number): void {
  noGrad(() => {
    for (const grad of gradsOf(parameters)) grad.clamp_(-clipValue, clipValue);
  });
}
