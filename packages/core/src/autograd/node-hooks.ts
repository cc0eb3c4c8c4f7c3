/** @file Hooks on nodes of the graph: before and after a backward rule. PyTorch: torch.autograd.graph.Node. */
import { AutogradError, ShapeError } from '../errors.js';
import { sameShape } from '../tensor/shape.js';
import type { RemovableHandle, Tensor } from '../tensor/tensor.js';
import type { GradNode } from './node.js';
import { asUser } from './temporaries.js';

/** One gradient for each output (or input) of an op; null where none came, or none is wanted. */
export type NodeGradients = readonly (Tensor | null)[];
/** Sees the gradients of an op's outputs; an array that it returns takes their place. */
export type NodePrehook = (gradOutputs: NodeGradients) => NodeGradients | null | undefined | void;
/** Sees the gradients of an op's inputs and outputs; an array that it returns takes the place of the inputs'. */
export type NodeHook = (gradInputs: NodeGradients, gradOutputs: NodeGradients) => NodeGradients | null | undefined | void;

/** The hooks of one node. */
export class NodeHooks {
  readonly before: NodePrehook[] = [];
  readonly after: NodeHook[] = [];
}

export function addHook<H>(hooks: H[], hook: H): RemovableHandle {
  hooks.push(hook);
  return {
    remove: () => {
      const at = hooks.indexOf(hook);
      if (at >= 0) hooks.splice(at, 1);
    },
  };
}

/** What hooks returned, checked against what it replaces. */
function replaced(node: GradNode, what: string, given: NodeGradients, answer: NodeGradients | null | undefined | void): NodeGradients {
  if (answer === null || answer === undefined) return given;
  if (!Array.isArray(answer) || answer.length !== given.length)
    throw new AutogradError('ERR_HOOK_RESULT', `a ${what} of ${node.name} must return an array of ${given.length} gradients, or nothing`, {
      op: node.name,
    });
  answer.forEach((g: Tensor | null, i) => {
    const was = given[i];
    if (g && was && !sameShape(g.shape, was.shape))
      throw new ShapeError(
        'ERR_HOOK_SHAPE',
        `a ${what} of ${node.name} returned a tensor of shape [${g.shape.join(', ')}] for a gradient of shape [${was.shape.join(', ')}]`,
        { op: node.name, shapes: [g.shape, was.shape] },
      );
  });
  return answer as NodeGradients;
}

/** The gradients of a node's outputs, after its prehooks. */
export function beforeRule(node: GradNode, gradOutputs: NodeGradients): NodeGradients {
  // Copies: hooks may remove themselves, or add others for the next time.
  for (const hook of node.around!.before.slice())
    gradOutputs = replaced(
      node,
      'prehook',
      gradOutputs,
      asUser(() => hook(gradOutputs)),
    );
  return gradOutputs;
}

/** The gradients of a node's inputs, after its hooks. */
export function afterRule(node: GradNode, gradInputs: NodeGradients, gradOutputs: NodeGradients): NodeGradients {
  for (const hook of node.around!.after.slice())
    gradInputs = replaced(
      node,
      'hook',
      gradInputs,
      asUser(() => hook(gradInputs, gradOutputs)),
    );
  return gradInputs;
}
