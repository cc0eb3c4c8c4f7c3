/** @file How a transform differentiates: inputs that the function cannot tell from its arguments, and gradients that end where the caller's graph does. */
import { grad } from '../autograd/backward.js';
import { enableGrad, gradState } from '../autograd/mode.js';
import type { GradNode } from '../autograd/node.js';
import { zerosLike } from '../ops/creation.js';
import { isFloat } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { leavesOf, mapTree, type Tree } from './tree.js';

/** The arguments as part of a tape of their own; those that are in a graph already stay in it, so that transforms nest. */
export function recorded(tree: Tree): Tree {
  return mapTree(tree, (x) => {
    if (!isFloat(x.dtype)) return x;
    return x.requiresGrad ? x.view(x.shape) : x.detach().requiresGrad_();
  });
}

/** Does what was computed from `inputs` depend on anything else that wants gradients: arguments of an outer transform, parameters? */
function reachesOut(outputs: readonly Tensor[], inputs: readonly Tensor[]): boolean {
  const own = new Set<GradNode>(inputs.filter((x) => x.requiresGrad && x.isLeaf).map((x) => x.accumulator()));
  const seen = new Set<GradNode>();
  const todo: GradNode[] = outputs.flatMap((y) => (y.requiresGrad ? [y.gradFn ?? y.accumulator()] : []));
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.leaf !== null && !own.has(node)) return true;
    for (const edge of node.edges) if (edge !== null) todo.push(edge);
  }
  return false;
}

/** One run of a function, ready to be differentiated. */
export class Tape {
  readonly output: Tree;
  readonly outputs: readonly Tensor[];
  /** The results of derivatives belong to a graph of the caller's. */
  readonly nested: boolean;

  constructor(
    run: () => Tree,
    readonly inputs: readonly Tensor[],
    outputsOf: (output: Tree) => Tree,
  ) {
    const outside = gradState.enabled;
    this.output = enableGrad(run);
    this.outputs = leavesOf(outputsOf(this.output));
    this.nested = outside && reachesOut(this.outputs, inputs);
  }

  /** The inputs' gradients from those of the outputs; zeros where there are none. `graph`: they will be differentiated. */
  pull(cotangents: readonly (Tensor | null)[], graph = false): Tensor[] {
    return pullBack(this.outputs, this.inputs, cotangents, graph || this.nested);
  }

  /** What the caller gets: cut off from the tape, unless it belongs to a graph of the caller's. */
  result(tree: Tree = this.output): Tree {
    return this.nested ? tree : mapTree(tree, (y) => (y.requiresGrad ? y.detach() : y));
  }
}

/** Σ cotangent · ∂output/∂input for each input. */
export function pullBack(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  cotangents: readonly (Tensor | null)[],
  createGraph: boolean,
): Tensor[] {
  const live = inputs.filter((x) => x.requiresGrad);
  const roots = outputs.flatMap((y, i) => (y.requiresGrad && cotangents[i] !== null ? [i] : []));
  const found =
    live.length === 0 || roots.length === 0
      ? live.map(() => null)
      : enableGrad(() =>
          grad(
            roots.map((i) => outputs[i]!),
            live,
            { gradOutputs: roots.map((i) => cotangents[i]!), createGraph, retainGraph: true, allowUnused: true },
          ),
        );
  let at = 0;
  return inputs.map((x) => (x.requiresGrad ? found[at++] : null) ?? zerosLike(x));
}
