/** @file Running sums of weighted exponentials, taken through logarithms: what the gradient of logcumsumexp is made of. */
import type { Tensor } from '../tensor/tensor.js';
import { launchScan } from './scan.js';
import { attach, recording } from './result.js';

/** Σ g_k e^(a_i + b_k) for g ≥ 0, whatever the sizes of a and b. */
function positivePart(g: Tensor, a: Tensor, b: Tensor, dim: number, reverse: boolean): Tensor {
  const none = g.le(0);
  const logs = g.maskedFill(none, 1).log().maskedFill(none, -Infinity);
  return launchScan('logsumexp', reverse, logs.add(b), dim, g.dtype).add(a).exp();
}

/**
 * y_i = Σ_{k ≤ i} g_k e^(a_i + b_k) along a dim; `reverse`: over k ≥ i. All of one shape. Differentiable as often as one likes: its gradients
 * are sums of the same form, with a and b in each other's place and the other direction.
 */
export function exponentialSums(g: Tensor, a: Tensor, b: Tensor, dim: number, reverse: boolean): Tensor {
  const [weights, to, from] = [g.detach(), a.detach(), b.detach()];
  const out = positivePart(weights, to, from, dim, reverse).sub(positivePart(weights.neg(), to, from, dim, reverse));
  if (recording(g, a, b)) {
    attach(out, 'ExponentialSumsBackward', [g, a, b], (grad, node) => {
      const [weight, row, column, result] = [node.saved(0), node.saved(1), node.saved(2), node.saved(3)];
      const back = node.needs(0) || node.needs(2) ? exponentialSums(grad, column, row, dim, !reverse) : null;
      return [back, node.needs(1) ? grad.mul(result) : null, node.needs(2) ? weight.mul(back!) : null];
    }).save(g, a, b, out);
  }
  return out;
}
