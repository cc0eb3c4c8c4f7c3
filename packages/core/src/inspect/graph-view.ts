/** @file The tape as a graph, to be looked at. PyTorch: torchviz. */
import { edgeOf } from '../autograd/edge.js';
import type { GradNode } from '../autograd/node.js';
import type { DType } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { checkOptions, type OptionNames } from '../options.js';

const GRAPH_OPTIONS: OptionNames<GraphOptions> = { params: true };

/** A node of the view: an op of the tape, a leaf that gradients accumulate into, or a tensor that was asked about. */
export interface GraphViewNode {
  readonly id: number;
  readonly kind: 'op' | 'leaf' | 'output';
  /** The op's name such as `MulBackward0`, or the tensor's. */
  readonly label: string;
  /** Of a leaf or an output. */
  readonly shape: Shape | null;
  readonly dtype: DType | null;
  /** How many tensors an op has saved for its backward. */
  readonly saved: number;
}

/** In the direction of the data: from a leaf to the op that reads it, from op to op, to the output. */
export interface GraphViewEdge {
  readonly from: number;
  readonly to: number;
}

export interface GraphOptions {
  /** Names of leaves: `new Map(model.namedParameters())`, or a plain object. Others are `leaf`. */
  readonly params?: ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>;
}

/** The tape behind some tensors. Made by {@link graphOf}. */
export class GraphView {
  constructor(
    readonly nodes: readonly GraphViewNode[],
    readonly edges: readonly GraphViewEdge[],
  ) {}

  /** For Graphviz: `dot -Tsvg`. Leaves are blue, outputs green, ops grey. */
  toDot(): string {
    const colour = { op: 'lightgrey', leaf: 'lightblue', output: 'darkolivegreen1' };
    return [
      'digraph {',
      '  node [shape=box, style=filled, fontname=monospace];',
      ...this.nodes.map((n) => `  n${n.id} [label=${JSON.stringify(textOf(n))}, fillcolor=${colour[n.kind]}];`),
      ...this.edges.map((e) => `  n${e.from} -> n${e.to};`),
      '}',
    ].join('\n');
  }

  /** For Mermaid, as Markdown renders it in a block of that language. */
  toMermaid(): string {
    const shape = (n: GraphViewNode, text: string): string =>
      n.kind === 'op' ? `[${text}]` : n.kind === 'leaf' ? `([${text}])` : `{{${text}}}`;
    return [
      'flowchart TD',
      ...this.nodes.map((n) => `  n${n.id}${shape(n, `"${textOf(n).replaceAll('"', '#quot;').replaceAll('\n', '<br/>')}"`)}`),
      ...this.edges.map((e) => `  n${e.from} --> n${e.to}`),
    ].join('\n');
  }

  toString(): string {
    return this.toMermaid();
  }
}

const textOf = (n: GraphViewNode): string => (n.shape === null ? n.label : `${n.label}\n${n.dtype} (${n.shape.join(', ')})`);

/**
 * The tape that led to a tensor (or several): its ops, and the leaves that a backward from there would reach. PyTorch: torchviz.make_dot.
 *
 * @example
 * writeFileSync('graph.dot', graphOf(loss, { params: new Map(model.namedParameters()) }).toDot());
 * console.log(graphOf(loss).toMermaid());
 */
export function graphOf(outputs: Tensor | readonly Tensor[], options: GraphOptions = {}): GraphView {
  const { params = {} } = checkOptions('graphOf', options, GRAPH_OPTIONS);
  const names = new Map<Tensor, string>();
  for (const [name, t] of params instanceof Map ? (params as ReadonlyMap<string, Tensor>) : Object.entries(params)) names.set(t, name);
  const nodes: GraphViewNode[] = [];
  const edges: GraphViewEdge[] = [];
  const ids = new Map<GradNode, number>();
  const todo: GradNode[] = [];
  const tensorNode = (kind: 'leaf' | 'output', label: string, t: Tensor): number =>
    nodes.push({ id: nodes.length, kind, label, shape: t.shape, dtype: t.dtype, saved: 0 }) - 1;
  const idOf = (given: GradNode): number => {
    // The outputs of an op that has several stand before one node that computes.
    const node = given.slot >= 0 ? given.edges[0]! : given;
    let id = ids.get(node);
    if (id === undefined) {
      id =
        node.leaf === null
          ? nodes.push({ id: nodes.length, kind: 'op', label: node.name, shape: null, dtype: null, saved: node.savedCount }) - 1
          : tensorNode('leaf', names.get(node.leaf) ?? 'leaf', node.leaf);
      ids.set(node, id);
      todo.push(node);
    }
    return id;
  };
  (isTensor(outputs) ? [outputs] : outputs).forEach((t, i, all) => {
    const to = tensorNode('output', names.get(t) ?? (all.length === 1 ? 'output' : `output ${i}`), t);
    const from = edgeOf(t);
    if (from !== null) edges.push({ from: idOf(from), to });
  });
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    const to = ids.get(node)!;
    for (const edge of node.edges) if (edge !== null) edges.push({ from: idOf(edge), to });
  }
  return new GraphView(nodes, edges);
}
