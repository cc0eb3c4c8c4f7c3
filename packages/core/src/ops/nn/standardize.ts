/** @file x̂ = (x − mean) / √(var + ε) over some dims: what batch, layer, group and instance norm share, with one backward rule. */
import { gradState } from '../../autograd/mode.js';
import type { Tensor } from '../../tensor/tensor.js';
import { add, mul, sub } from '../arithmetic.js';
import { mean as meanOf } from '../reduce.js';
import { OPS } from '../registry.js';
import { attach, recording } from '../result.js';
import { rsqrt } from '../unary-math.js';

/** x̂, and the statistics that it was made with, dims kept (null where x is not centred). No history on the statistics. */
export interface Standardized {
  readonly out: Tensor;
  readonly mean: Tensor | null;
  /** The biased variance; without centring, the mean square. */
  readonly variance: Tensor;
}

OPS.set('standardize', { name: 'standardize', inputs: 1, differentiable: true });
/**
 * Standardizes `x` over `dims`; without `centred` it is only divided by the root of its mean square. The variance is that of the differences
 * from the mean, so large means cost no accuracy.
 */
export function standardize(x: Tensor, dims: readonly number[], eps: number, centred: boolean): Standardized {
  const plain = x.detach();
  const mean = centred ? meanOf(plain, dims, { keepdim: true }).realize() : null;
  const difference = mean === null ? plain : sub(plain, mean);
  const variance = meanOf(mul(difference, difference), dims, { keepdim: true }).realize();
  const scale = inverseRoot(variance, eps).realize();
  const out = mul(difference, scale);
  if (recording(x)) {
    attach(out, 'StandardizeBackward0', [x], (grad, node) => {
      const normal = node.saved(1);
      const r = gradState.enabled ? differentiableScale(node.saved(0), dims, eps, centred) : node.saved(2);
      return [standardizeGradient(grad, normal, r, dims, centred)];
    }).save(x, out, scale);
  }
  return { out, mean, variance };
}

const inverseRoot = (variance: Tensor, eps: number): Tensor => rsqrt(add(variance, eps));

/**
 * The gradient of x from that of x̂ (`normal`), which was made with the factor `scale`. x̂ is not affected by a shift of x (where it is centred)
 * nor, but for ε, by its scale: both parts are taken out of the gradient.
 */
export function standardizeGradient(grad: Tensor, normal: Tensor, scale: Tensor, dims: readonly number[], centred: boolean): Tensor {
  const inner = grad.sub(normal.mul(grad.mul(normal).mean(dims, { keepdim: true })));
  return (centred ? inner.sub(grad.mean(dims, { keepdim: true })) : inner).mul(scale);
}

/** The factor 1 / √(var + ε) with its history, for second derivatives. */
export function differentiableScale(x: Tensor, dims: readonly number[], eps: number, centred: boolean): Tensor {
  const difference = centred ? x.sub(x.mean(dims, { keepdim: true })) : x;
  return inverseRoot(difference.square().mean(dims, { keepdim: true }), eps);
}
