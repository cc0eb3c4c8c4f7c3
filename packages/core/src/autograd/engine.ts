/**
 * @file The backward pass: nodes in the reverse order of their making, each when all gradients of its output have come in.
 * PyTorch: torch/csrc/autograd/engine.cpp.
 */
import { autocasting } from '../amp/state.js';
import { observed, observing } from '../inspect/observing.js';
import type { Tensor } from '../tensor/tensor.js';
import { accumulate, aroundLeaf, retain } from './accumulate.js';
import { addGradients } from './engine-ops.js';
import { gradState } from './mode.js';
import type { GradNode } from './node.js';
import { ReadyNodes } from './ready-nodes.js';
import { callHooked, callOwned, callRule, runHooks } from './rule-calls.js';
import { Temporaries } from './temporaries.js';

let marks = 0;

/** A backward pass in progress; a rule may start another one within it (checkpoints, `grad` in a custom function). */
interface Pass {
  readonly mark: number;
  readonly outer: Pass | null;
  /** Null: all nodes that it reaches are. */
  readonly wanted: ReadonlySet<GradNode> | null;
  readonly captured: ReadonlyMap<GradNode, unknown>;
}
let current: Pass | null = null;

/** The backward pass that runs, as a key; null outside of any. @internal */
export const currentPass = (): object | null => current;

/** Will the pass that runs have a gradient at `node`, or had it one? @internal */
export const willReach = (node: GradNode): boolean =>
  current !== null && node.mark === current.mark && (current.wanted === null || current.wanted.has(node) || current.captured.has(node));

/** What an outer pass knew of a node that an inner one walks too: given back when that ends. */
interface Scratch {
  readonly node: GradNode;
  readonly mark: number;
  readonly dependencies: number;
  readonly grad: Tensor | null;
  readonly slots: readonly (Tensor | null)[] | null;
}

function belongsTo(pass: Pass | null, mark: number): boolean {
  for (let p = pass; p !== null; p = p.outer) if (p.mark === mark) return true;
  return false;
}

/** Of what `run` is to give back, and whether it leaves the graph usable. */
interface BackwardOptions {
  /** Nodes whose gradients are wanted; null accumulates into all leaves. */
  readonly targets: readonly GradNode[] | null;
  readonly retainGraph: boolean;
  readonly createGraph: boolean;
  /** Which of the roots' gradients were made for this pass, and are seen by nobody else. */
  readonly made: readonly boolean[];
}

/**
 * Sends gradients from `roots` down the graph.
 * @returns with `targets`, the gradient of each (null where none came).
 */
export function runBackward(roots: readonly GradNode[], grads: readonly Tensor[], options: BackwardOptions): (Tensor | null)[] {
  const observer = observing.current;
  if (observer === null) return walk(roots, grads, options);
  return observed(observer, 'backward', 'backward', null, () => walk(roots, grads, options));
}

function walk(roots: readonly GradNode[], grads: readonly Tensor[], options: BackwardOptions): (Tensor | null)[] {
  const { targets, retainGraph, createGraph } = options;
  const mark = ++marks;
  const nodes: GradNode[] = [];
  const shared: Scratch[] = [];
  const enter = (node: GradNode): void => {
    if (node.mark === mark) return;
    if (current !== null && belongsTo(current, node.mark))
      shared.push({ node, mark: node.mark, dependencies: node.dependencies, grad: node.grad, slots: node.slots });
    node.mark = mark;
    node.dependencies = 0;
    node.grad = null;
    if (node.slots !== null) node.slots = node.slots.map(() => null);
    nodes.push(node);
  };
  for (const root of roots) enter(root);
  for (let i = 0; i < nodes.length; i++) {
    const { edges } = nodes[i]!;
    for (let j = 0; j < edges.length; j++) {
      const next = edges[j]!;
      if (next === null) continue;
      enter(next);
      next.dependencies++;
    }
  }
  // With targets, only what leads to one of them is walked.
  const wanted = targets === null ? null : leadingTo(targets, nodes, mark);
  const captured = new Map<GradNode, Tensor | null>();
  for (const t of targets ?? []) captured.set(t, null);

  // With `createGraph` the gradients are part of a graph, which decides how long they live.
  const temporaries = createGraph ? null : new Temporaries();
  const ready = new ReadyNodes();
  for (let i = 0; i < roots.length; i++) {
    const root = roots[i]!;
    const g = grads[i]!;
    if (temporaries !== null && options.made[i]!) temporaries.adopt(g);
    if (root.grad === null) root.grad = g;
    else if (temporaries === null) root.grad = addGradients(root.grad, g);
    else {
      root.grad = addOwned(root.grad, g, temporaries);
      temporaries.letGo(g);
    }
  }
  for (const root of new Set(roots)) if (root.dependencies === 0) ready.push(root);

  const was = gradState.enabled;
  const cast = autocasting.on;
  gradState.enabled = createGraph;
  autocasting.on = false;
  current = { mark, outer: current, wanted, captured };
  const leaves: Tensor[] = [];
  /** What the node at hand reads, where it has no slots. */
  let reading: Tensor | null = null;
  try {
    for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
      let grad = node.grad;
      node.grad = null;
      const needed = wanted === null || wanted.has(node);
      if (grad !== null && (needed || captured.has(node))) {
        if (node.hooks !== null) {
          temporaries?.escape(grad);
          grad = runHooks(node, grad);
        }
        if (node.slots === null) reading = grad;
        if (node.retain !== null && targets === null) retain(node.retain, grad, createGraph);
        if (captured.has(node)) captured.set(node, temporaries === null ? grad : temporaries.hold(grad));
        if (node.leaf !== null) {
          if (targets === null) {
            if (node.around !== null) reading = grad = aroundLeaf(node, grad, createGraph, temporaries);
            else accumulate(node.leaf, grad, createGraph);
            leaves.push(node.leaf);
          }
          reading = null;
          temporaries?.letGo(grad);
          continue;
        }
      }
      const { edges, slots } = node;
      const expand = grad !== null && needed;
      const results = !expand
        ? null
        : node.around !== null
          ? callHooked(node, grad!, temporaries)
          : temporaries === null
            ? callRule(node, grad!)
            : callOwned(node, grad!, temporaries);
      for (let j = 0; j < edges.length; j++) {
        const next = edges[j]!;
        if (next === null) continue;
        const g = results === null ? null : (results[j] ?? null);
        if (g !== null) {
          if (node.slot >= 0) {
            // An output of a node that several share: its gradient has a place of its own there.
            next.slots![node.slot] = g;
            next.grad = g;
            temporaries?.hold(g);
          } else if (next.grad === null) {
            next.grad = g;
            temporaries?.hold(g);
          } else next.grad = temporaries === null ? addGradients(next.grad, g) : addOwned(next.grad, g, temporaries);
        }
        if (--next.dependencies === 0) ready.push(next);
      }
      if (temporaries !== null) {
        temporaries.sweep();
        reading = null;
        // A node with slots has its gradients there; `grad` only says that one came.
        if (slots !== null) {
          if (node.slots === slots) node.takeSlots();
          letGoAll(slots, temporaries);
        } else if (grad !== null) temporaries.letGo(grad);
      }
      if (expand && !retainGraph) node.release();
    }
  } catch (error) {
    // What was being read and what was to be given back are nobody's.
    if (temporaries !== null) {
      if (reading !== null) temporaries.letGo(reading);
      for (const g of captured.values()) if (g !== null) temporaries.letGo(g);
    }
    throw error;
  } finally {
    gradState.enabled = was;
    autocasting.on = cast;
    current = current.outer;
    // After an error nothing may keep gradients alive.
    for (const node of nodes) {
      if (node.slots !== null) {
        const slots = node.takeSlots();
        if (temporaries !== null) letGoAll(slots, temporaries);
      } else if (node.grad !== null) temporaries?.letGo(node.grad);
      node.grad = null;
    }
    temporaries?.sweep();
    for (const { node, ...scratch } of shared) Object.assign(node, scratch);
  }
  // What is pending is launched now, so that gradients do not keep the graph's values alive.
  for (const leaf of leaves) if (leaf.ownGrad !== null) leaf.ownGrad.realize();
  const results = (targets ?? []).map((t) => captured.get(t) ?? null);
  if (temporaries === null) return results;
  // Handles of the caller's own; one input may have been asked for twice.
  const own = results.map((g) => g?.detach() ?? null);
  for (const g of captured.values()) if (g !== null) temporaries.letGo(g);
  return own;
}

/** a + b, held in their place. */
function addOwned(a: Tensor, b: Tensor, temporaries: Temporaries): Tensor {
  temporaries.enter();
  let sum: Tensor;
  try {
    sum = temporaries.hold(addGradients(a, b));
  } finally {
    temporaries.leave();
  }
  temporaries.letGo(a);
  return sum;
}

function letGoAll(slots: readonly (Tensor | null)[], temporaries: Temporaries): void {
  for (const g of slots) if (g !== null) temporaries.letGo(g);
}

function leadingTo(targets: readonly GradNode[], nodes: readonly GradNode[], mark: number): Set<GradNode> {
  const wanted = new Set<GradNode>();
  const goal = new Set(targets);
  // Edges go from later to earlier nodes, so one pass from the earliest up settles everything.
  const ordered = [...nodes]
    .filter((n) => n.mark === mark)
    .sort((a, b) => (a.leaf !== null ? 0 : a.sequence) - (b.leaf !== null ? 0 : b.sequence));
  const reaches = new Set<GradNode>();
  for (const node of ordered) {
    if (node.edges.some((e) => e !== null && reaches.has(e))) {
      reaches.add(node);
      wanted.add(node);
    }
    if (goal.has(node)) reaches.add(node);
  }
  return wanted;
}
