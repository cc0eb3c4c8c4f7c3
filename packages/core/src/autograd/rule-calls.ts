/** @file Calling a node's rule: with its hooks around it, as the pass's or as a user's, and what is said where it fails. */
import { AutogradError, isTesseraError, ShapeError } from '../errors.js';
import { observed, observing } from '../inspect/observing.js';
import { sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { onesLike } from './engine-ops.js';
import { anomaly } from './mode.js';
import type { GradNode } from './node.js';
import { afterRule, beforeRule } from './node-hooks.js';
import { asUser, type Temporaries } from './temporaries.js';

/** Calls a rule. */
export function callRule(node: GradNode, grad: Tensor): readonly (Tensor | null)[] {
  node.checkAlive();
  try {
    const observer = observing.current;
    const grads = observer === null ? node.rule(grad, node) : observed(observer, 'node', node.name, node, () => node.rule(grad, node));
    if (anomaly.on && anomaly.checkNan) refuseNan(node, grads);
    return grads;
  } catch (error) {
    if (node.trace !== null && isTesseraError(error))
      error.note(`in the backward of ${node.name}, whose forward was called at:\n${node.trace}`);
    throw error;
  }
}

/** @throws AutogradError `ERR_ANOMALY`. Devices that cannot be read at once are not checked. */
function refuseNan(node: GradNode, grads: readonly (Tensor | null)[]): void {
  grads.forEach((g, i) => {
    if (g === null || g.device.backend.readSync === undefined) return;
    if (
      g
        .detach()
        .data()
        .some((x) => x !== x)
    )
      throw new AutogradError('ERR_ANOMALY', `Function '${node.name}' returned nan values in its ${i}th output.`, {
        op: node.name,
        shapes: [g.shape],
      });
  });
}

/** The gradient after the hooks on it. @throws ShapeError `ERR_HOOK_SHAPE` */
export function runHooks(node: GradNode, grad: Tensor): Tensor {
  // A copy: hooks may remove themselves, or add others for the next time.
  for (const hook of node.hooks!.slice()) {
    const result = asUser(() => hook(grad));
    if (result !== null && result !== undefined) {
      if (!sameShape(result.shape, grad.shape)) {
        throw new ShapeError(
          'ERR_HOOK_SHAPE',
          `a gradient hook of ${node.name} returned a tensor of shape [${result.shape.join(', ')}] for a gradient of shape [${grad.shape.join(', ')}]`,
        );
      }
      grad = result;
    }
  }
  return grad;
}

/** Calls a rule; what it makes is the pass's, unless the rule is a user's. */
export function callOwned(node: GradNode, grad: Tensor, temporaries: Temporaries): readonly (Tensor | null)[] {
  if (node.foreign) {
    temporaries.escape(grad);
    if (node.slots !== null) for (const g of node.slots) if (g !== null) temporaries.escape(g);
    return asUser(() => callRule(node, grad));
  }
  temporaries.enter();
  try {
    return callRule(node, grad);
  } finally {
    temporaries.leave();
  }
}

/** Calls a rule with the node's hooks around it; what they see is theirs. */
export function callHooked(node: GradNode, grad: Tensor, temporaries: Temporaries | null): readonly (Tensor | null)[] {
  const outputs = node.slots === null ? [grad] : [...node.slots];
  if (temporaries !== null) for (const g of outputs) if (g !== null) temporaries.escape(g);
  const given = beforeRule(node, outputs);
  if (node.slots !== null) node.slots = [...given];
  const first = node.slots === null ? (given[0] ?? onesLike(grad, 0)) : grad;
  const results = temporaries === null ? callRule(node, first) : callOwned(node, first, temporaries);
  if (temporaries !== null) for (const g of results) if (g !== null) temporaries.escape(g);
  return afterRule(node, results, given);
}
