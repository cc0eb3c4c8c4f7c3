/**
 * @file A node of the tape: one call of an op, with what its backward rule needs. One class for all ops, so that walking a graph meets one
 * kind of object; what differs is the rule. Rules are written in differentiable ops, so second derivatives need nothing more.
 */
import { AutogradError } from '../errors.js';
import type { Storage } from '../tensor/storage.js';
import type { RemovableHandle, Tensor } from '../tensor/tensor.js';
import { addHook, type NodeHook, NodeHooks, type NodePrehook } from './node-hooks.js';
import { savedHooks } from './saved-hooks.js';
import { asUser } from './temporaries.js';

/** The gradients of an op's inputs from that of its output, in the order of its edges; null where there is none. */
export type Rule = (grad: Tensor, node: GradNode) => readonly (Tensor | null)[];
/** Called with a gradient; a tensor that it returns takes its place. */
export type GradHook = (grad: Tensor) => Tensor | null | undefined | void;

let sequence = 0;
const NONE: readonly never[] = [];
const metadata = new WeakMap<GradNode, Record<string, unknown>>();

/** The number of the latest node. @internal */
export const latestSequence = (): number => sequence;

/** A tensor that a node saved, the storage that it showed, and the version that it had. */
interface Kept {
  readonly tensor: Tensor;
  readonly storage: Storage;
  readonly version: number;
}
/** One that hooks packed: its place in the graph, and the way back. */
interface Packed {
  readonly unpack: () => Tensor;
  readonly gradFn: GradNode | null;
}
type Saved = Kept | Packed;

export class GradNode {
  /** Later calls have larger numbers: the engine goes from the largest down. */
  readonly sequence: number;
  /** Where each input's gradient goes; null for inputs that need none. */
  edges: readonly (GradNode | null)[];
  /** The leaf that this node accumulates into, for the nodes at the ends of the graph. */
  leaf: Tensor | null = null;
  /** Values that the rule needs beside tensors: options, shapes. */
  context: unknown = null;
  /** Of a node that several outputs share: their gradients so far, in order. */
  slots: (Tensor | null)[] | null = null;
  /** Of one output of such a node: its place there; −1 for all others. */
  slot = -1;
  /** Its rule is a user's, who may keep the tensors that it sees. */
  foreign = false;
  /** Where the forward call was made, when anomaly mode is on. */
  trace: string | null = null;
  #saved: readonly Saved[] = NONE;
  #freed = false;
  /** Hooks on the gradient of this node's output. */
  hooks: GradHook[] | null = null;
  /** Hooks before and after the rule: see {@link registerPrehook} and {@link registerHook}. @internal */
  around: NodeHooks | null = null;
  /** Keeps the gradient of a tensor that is no leaf: `retainGrad`. */
  retain: Tensor | null = null;
  // Scratch of the engine.
  grad: Tensor | null = null;
  dependencies = 0;
  mark = 0;

  constructor(
    /** As PyTorch prints it, such as `MulBackward0`. */
    readonly name: string,
    readonly rule: Rule,
    edges: readonly (GradNode | null)[],
  ) {
    this.edges = edges;
    this.sequence = ++sequence;
  }

  /** The node that computes: that of one of several outputs stands before the one that they share. */
  get #whole(): GradNode {
    return this.slot >= 0 ? this.edges[0]! : this;
  }

  /**
   * Where the gradients go: for each input of the op the node that made it and which of that node's outputs it is; a null node for an input that
   * gets no gradient. PyTorch: grad_fn.next_functions.
   * @example y.gradFn!.nextFunctions.map(([node]) => node?.name)
   */
  get nextFunctions(): readonly (readonly [node: GradNode | null, outputNr: number])[] {
    return this.#whole.edges.map((edge) => (edge === null || edge.slot < 0 ? [edge, 0] : [edge.edges[0]!, edge.slot]));
  }

  /** The tensor that the node accumulates into; null for all but the ends of a graph. PyTorch: AccumulateGrad.variable. */
  get variable(): Tensor | null {
    return this.leaf;
  }

  /** A place for anything that tools want to remember of the node. PyTorch: grad_fn.metadata. */
  get metadata(): Record<string, unknown> {
    const whole = this.#whole;
    let found = metadata.get(whole);
    if (found === undefined) metadata.set(whole, (found = {}));
    return found;
  }

  /**
   * Calls `hook` with the gradients of the op's outputs before its backward runs; an array that it returns takes their place.
   * PyTorch: Node.register_prehook.
   */
  registerPrehook(hook: NodePrehook): RemovableHandle {
    const node = this.#whole;
    node.around ??= new NodeHooks();
    return addHook(node.around.before, hook);
  }

  /**
   * Calls `hook` with the gradients of the op's inputs and of its outputs after its backward ran; an array that it returns takes the place of the
   * inputs' gradients. PyTorch: Node.register_hook.
   * @example y.gradFn!.registerHook((gradInputs, gradOutputs) => gradInputs.map((g) => g?.mul(2) ?? null))
   */
  registerHook(hook: NodeHook): RemovableHandle {
    const node = this.#whole;
    node.around ??= new NodeHooks();
    return addHook(node.around.after, hook);
  }

  /** Does input `i` want a gradient? */
  needs(i: number): boolean {
    return this.edges[i] !== null;
  }

  /**
   * Keeps tensors for the rule. Their memory lives until the rule has run.
   * @throws AutogradError `ERR_INFERENCE` for tensors made in inference mode.
   */
  save(...tensors: readonly Tensor[]): this {
    const saved: Saved[] = [];
    const hooks = savedHooks.current;
    for (let i = 0; i < tensors.length; i++) {
      const tensor = tensors[i]!;
      const { storage } = tensor;
      if (storage.inference) {
        throw new AutogradError(
          'ERR_INFERENCE',
          'Inference tensors cannot be saved for backward. To work around you can make a clone to get a normal tensor and use it in autograd.',
          { op: this.name, shapes: [tensor.shape] },
        );
      }
      const { gradFn } = tensor;
      if (hooks !== null && (gradFn !== null || !tensor.requiresGrad)) {
        const packed = hooks.pack(tensor.detach());
        saved.push({ unpack: () => hooks.unpack(packed), gradFn });
        continue;
      }
      storage.saves++;
      storage.value.saves++;
      saved.push({ tensor, storage, version: storage.version });
    }
    this.#saved = saved;
    return this;
  }

  /**
   * The `i`th saved tensor.
   * @throws AutogradError `ERR_GRAPH_FREED` after a backward that released it, `ERR_INPLACE_MODIFIED` when it was written to since.
   */
  saved(i: number): Tensor {
    if (this.#freed) this.checkAlive();
    const entry = this.#saved[i]!;
    if ('unpack' in entry) {
      const tensor = asUser(entry.unpack).detach();
      if (entry.gradFn !== null) tensor.setGradFn(entry.gradFn);
      return tensor;
    }
    const { tensor, storage, version } = entry;
    if (tensor.storage !== storage || storage.version !== version) {
      throw new AutogradError(
        'ERR_INPLACE_MODIFIED',
        `one of the variables needed for gradient computation has been modified by an inplace operation: [${tensor.dtype} [${tensor.shape.join(', ')}]], saved by ${this.name}, is at version ${tensor.storage.version}; expected version ${version} instead.`,
        { op: this.name, shapes: [tensor.shape], dtypes: [tensor.dtype] },
      );
    }
    return tensor.isDisposed ? tensor.forTape() : tensor;
  }

  /** The gradients of a shared node's outputs, which it gives up. */
  takeSlots(): readonly (Tensor | null)[] {
    const slots = this.slots!;
    this.slots = slots.map(() => null);
    return slots;
  }

  get savedCount(): number {
    return this.#saved.length;
  }

  /** @throws AutogradError `ERR_GRAPH_FREED`. */
  checkAlive(): void {
    if (this.#freed) {
      throw new AutogradError(
        'ERR_GRAPH_FREED',
        'Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). Specify retainGraph: true if you need to backward through the graph a second time.',
        { op: this.name },
      );
    }
  }

  /** Lets go of what was saved. */
  release(): void {
    if (this.leaf !== null || this.#freed) return;
    for (const entry of this.#saved) {
      if ('unpack' in entry) continue;
      const { storage } = entry;
      const { value } = storage;
      if (value.saves > 0) value.saves--;
      if (--storage.saves === 0 && storage.handles <= 0) storage.release();
    }
    // A node without saved tensors may be walked again, as in PyTorch.
    if (this.#saved.length > 0) this.#freed = true;
    this.#saved = NONE;
  }

  toString(): string {
    return `<${this.name}>`;
  }
}
