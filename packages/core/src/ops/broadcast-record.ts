/** @file Recording pointwise ops of several tensors: each gradient is summed back to the shape of its input and converted to its dtype. */
import type { GradNode } from '../autograd/node.js';
import type { Tensor } from '../tensor/tensor.js';
import { attach, recording } from './result.js';
import { reduceGradient } from './sum-to.js';

/**
 * Gives `out` its history where one of `inputs` is recorded. `rules[i]` gives the gradient of input i before the sum; `save` names what they
 * read, by place in `inputs` (the output is at `inputs.length`), and the rules get it in that order.
 */
export function recordBroadcast(
  name: string,
  out: Tensor,
  inputs: readonly (Tensor | null)[],
  save: readonly number[],
  rules: readonly (((grad: Tensor, saved: readonly Tensor[]) => Tensor) | null)[],
): Tensor {
  if (!recording(...inputs)) return out;
  const shapes = inputs.map((t) => t?.shape);
  const dtypes = inputs.map((t) => t?.dtype);
  const node: GradNode = attach(
    out,
    name,
    inputs.map((t, i) => (rules[i] === null ? null : t)),
    (grad, n) => {
      const saved = save.map((_, i) => n.saved(i));
      return inputs.map((_, i) => (n.needs(i) ? reduceGradient(rules[i]!(grad, saved), shapes[i]!, dtypes[i]!) : null));
    },
  );
  return (node.save(...save.map((i) => (i === inputs.length ? out : inputs[i]!))), out);
}
