/** @file Where gradients end: in leaves, and in tensors that keep theirs. */
import { ShapeError } from '../errors.js';
import { keep } from '../memory/scope.js';
import { sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { addGradients, addInPlace, ownCopy } from './engine-ops.js';
import type { GradNode } from './node.js';
import { afterRule, beforeRule } from './node-hooks.js';
import { asUser, type Temporaries } from './temporaries.js';

/** As in PyTorch: the first gradient is taken over, later ones are added to it in place, or, with `createGraph`, to a new one. */
export function accumulate(leaf: Tensor, grad: Tensor, createGraph: boolean): void {
  if (!sameShape(leaf.shape, grad.shape)) {
    throw new ShapeError(
      'ERR_GRAD_SHAPE',
      `a gradient of shape [${grad.shape.join(', ')}] came for a tensor of shape [${leaf.shape.join(', ')}]`,
      { shapes: [leaf.shape, grad.shape] },
    );
  }
  const previous = leaf.ownGrad;
  if (previous === null) {
    if (createGraph) leaf.grad = grad;
    else leaf.takeGrad(ownCopy(grad));
  } else if (createGraph || previous.requiresGrad) leaf.grad = addGradients(previous, grad);
  else addInPlace(previous, grad);
  // A product of gradients that waits for what comes after it would keep them until the pass ends; nothing comes after it.
  if (leaf.device.kernels.matmulPointwise !== undefined) leaf.ownGrad!.realize();
  keep(leaf.ownGrad!);
  asUser(() => leaf.afterAccumulate());
}

/** The gradient of a tensor that is no leaf but keeps it. */
export function retain(t: Tensor, grad: Tensor, createGraph: boolean): void {
  const own = createGraph ? grad : ownCopy(grad);
  t.grad = keep(t.grad === null ? own : addGradients(t.grad, own));
}

/** Accumulates a leaf's gradient with the hooks of its node around it. Answers what it accumulated. */
export function aroundLeaf(node: GradNode, grad: Tensor, createGraph: boolean, temporaries: Temporaries | null): Tensor {
  temporaries?.escape(grad);
  const [given] = beforeRule(node, [grad]);
  const last = given ?? grad;
  accumulate(node.leaf!, last, createGraph);
  afterRule(node, [], [last]);
  return last;
}
