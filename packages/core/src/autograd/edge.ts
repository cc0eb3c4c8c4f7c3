/** @file Where a tensor stands in the graph. */
import type { Tensor } from '../tensor/tensor.js';
import type { GradNode } from './node.js';

/** The node that receives the gradient of `t`: of the op that made it, or of the leaf itself; null when it wants none. */
export function edgeOf(t: Tensor): GradNode | null {
  if (!t.requiresGrad) return null;
  const fn = t.gradFn;
  return fn ?? t.accumulator();
}
