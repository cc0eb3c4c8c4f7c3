/** @file History for an op with several differentiable outputs: a node for each, which hand their gradients to one that they share. */
import type { Tensor } from '../tensor/tensor.js';
import { edgeOf } from './edge.js';
import { GradNode } from './node.js';

/** The gradients of an op's inputs from those of its outputs; null for an output that nothing came for. */
export type OutputsRule = (grads: readonly (Tensor | null)[], node: GradNode) => readonly (Tensor | null)[];

/**
 * Gives each of `outputs` (null: one that is not differentiable) a history; `rule` is asked once, when all their gradients have come in.
 * Answers the shared node, for what the rule needs saved.
 */
export function attachAll(
  outputs: readonly (Tensor | null)[],
  name: string,
  inputs: readonly (Tensor | null)[],
  rule: OutputsRule,
): GradNode {
  const main = new GradNode(
    name,
    (_grad, node) => rule(node.takeSlots(), node),
    inputs.map((t) => (t === null ? null : edgeOf(t))),
  );
  main.slots = outputs.map(() => null);
  outputs.forEach((out, i) => {
    if (out === null) return;
    const node = new GradNode(name, (grad) => [grad], [main]);
    node.slot = i;
    out.setGradFn(node);
  });
  return main;
}
