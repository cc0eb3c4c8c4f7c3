/** @file Custom functions: a forward on plain values and a backward of one's own. PyTorch: torch.autograd.Function. */
import { AutogradError, ShapeError } from '../errors.js';
import { cast } from '../ops/cast.js';
import { zerosOf } from '../ops/fill.js';
import { sumTo } from '../ops/sum-to.js';
import { isFloat } from '../tensor/dtype.js';
import { isExpandable } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { isGradEnabled, noGrad } from './mode.js';
import type { GradNode } from './node.js';
import { attachAll } from './outputs.js';

/** What a forward hands to its backward. Fields of its own may be put on it too: `ctx.alpha = alpha`. */
export class FunctionContext {
  [field: string]: unknown;
  readonly #needs: readonly boolean[];
  #saved: readonly (Tensor | null)[] = [];
  #node: GradNode | null = null;
  #constant: readonly Tensor[] = [];
  #dirty: readonly Tensor[] = [];
  #materialize = true;

  /** @internal */
  constructor(needs: readonly boolean[]) {
    this.#needs = needs;
  }

  /** Does each argument of the forward want a gradient? PyTorch: ctx.needs_input_grad. */
  get needsInputGrad(): readonly boolean[] {
    return this.#needs;
  }

  /** Keeps inputs and outputs for the backward; a write to one of them after this is an error there. PyTorch: ctx.save_for_backward. */
  saveForBackward(...tensors: readonly (Tensor | null)[]): void {
    this.#saved = tensors;
  }

  /** What was saved. PyTorch: ctx.saved_tensors. @throws AutogradError `ERR_GRAPH_FREED`, `ERR_INPLACE_MODIFIED` */
  get savedTensors(): readonly (Tensor | null)[] {
    const node = this.#node;
    if (node === null) return this.#saved;
    if (this.#saved.length > 0) node.checkAlive();
    let at = 0;
    return this.#places.map((kept) => (kept ? node.saved(at++) : null));
  }
  #places: readonly boolean[] = [];

  /** These outputs get no gradient. PyTorch: ctx.mark_non_differentiable. */
  markNonDifferentiable(...outputs: readonly Tensor[]): void {
    this.#constant = outputs;
  }

  /** These inputs were written to, and are outputs. PyTorch: ctx.mark_dirty. */
  markDirty(...inputs: readonly Tensor[]): void {
    this.#dirty = inputs;
  }

  /** Outputs that no gradient came for: zeros (true, the default) or null? PyTorch: ctx.set_materialize_grads. */
  setMaterializeGrads(on: boolean): void {
    this.#materialize = on;
  }

  /** What the forward asked for. @internal */
  get wishes(): { readonly constant: readonly Tensor[]; readonly dirty: readonly Tensor[]; readonly materialize: boolean } {
    return { constant: this.#constant, dirty: this.#dirty, materialize: this.#materialize };
  }

  /** The tape keeps what was saved from now on. @internal */
  bind(node: GradNode): void {
    this.#places = this.#saved.map((t) => t !== null);
    node.save(...this.#saved.filter((t): t is Tensor => t !== null));
    this.#saved = this.#places.map(() => null);
    this.#node = node;
  }
}

/** The arguments of a function's `apply`: those of its forward, without the context that it has if no `setupContext` gets it. */
type ForwardArgs<F> = F extends { setupContext: unknown; forward(...args: infer A): unknown }
  ? A
  : F extends { forward(ctx: FunctionContext, ...args: infer A): unknown }
    ? A
    : never;
type ForwardResult<F> = F extends { forward(...args: never[]): infer R } ? R : never;

/** What a backward answers: a gradient for each argument of the forward, null where there is none; for one argument, itself. */
export type BackwardResult = Tensor | null | undefined | readonly (Tensor | null | undefined)[];

/**
 * The base of custom functions. The forward runs without recording; the backward gets the gradients of the outputs and is differentiable as
 * far as its ops are.
 *
 * @example
 * class Exp extends autograd.Function {
 *   static forward(ctx: FunctionContext, x: Tensor): Tensor {
 *     const y = x.exp();
 *     ctx.saveForBackward(y);
 *     return y;
 *   }
 *   static backward(ctx: FunctionContext, grad: Tensor): Tensor {
 *     const [y] = ctx.savedTensors;
 *     return grad.mul(y!);
 *   }
 * }
 * const y = Exp.apply(x);
 *
 * A static `setupContext(ctx, inputs, output)` may do what the forward does with the context, which then gets none: PyTorch's setup_context.
 */
export abstract class Function {
  /** The name of the node; bundlers may shorten a class's own. */
  static readonly typeName: string | undefined = undefined;

  /** Calls `forward`, and records that its outputs came from its arguments. PyTorch: Function.apply. */
  static apply<F extends FunctionClass>(this: F, ...args: ForwardArgs<F>): ForwardResult<F> {
    return applyFunction(this, args as readonly unknown[]) as ForwardResult<F>;
  }
}

interface FunctionClass {
  readonly name: string;
  readonly typeName?: string | undefined;
  forward(...args: never[]): unknown;
  setupContext?(ctx: FunctionContext, inputs: never, output: never): void;
  backward(ctx: FunctionContext, ...grads: never[]): BackwardResult;
}

/** @throws AutogradError `ERR_FUNCTION_STATIC` */
function missing(fn: FunctionClass, method: string): never {
  const what = fn.typeName ?? fn.name;
  throw new AutogradError('ERR_FUNCTION_STATIC', `${what} has no method ${method}: write static ${method}(ctx, …) { … }`);
}

function applyFunction(fn: FunctionClass, args: readonly unknown[]): unknown {
  if (typeof fn.forward !== 'function') missing(fn, 'forward');
  const tensors = args.map((a) => (isTensor(a) ? a : null));
  const recorded = isGradEnabled() && tensors.some((t) => t?.requiresGrad === true);
  const ctx = new FunctionContext(tensors.map((t) => recorded && t !== null && t.requiresGrad));
  const result = noGrad(() => {
    if (fn.setupContext === undefined) return fn.forward(ctx as never, ...(args as never[]));
    const output = fn.forward(...(args as never[]));
    fn.setupContext(ctx, args as never, output as never);
    return output;
  });
  if (!recorded) return result;
  const single = !Array.isArray(result);
  const list: unknown[] = single ? [result] : [...(result as unknown[])];
  const { constant, dirty, materialize } = ctx.wishes;
  for (let i = 0; i < list.length; i++) {
    const out = list[i];
    // An input that is an output as it is becomes another handle on its values: the input's own history stays.
    if (isTensor(out) && tensors.includes(out) && !dirty.includes(out)) list[i] = out.detach();
    if (isTensor(out) && dirty.includes(out)) checkDirty(fn, out);
  }
  const outputs = list.map((out) => (isTensor(out) && isFloat(out.dtype) && !constant.includes(out) ? out : null));
  const name = `${fn.typeName ?? fn.name}Backward`;
  const likes = outputs.map((out) => (out === null ? null : { shape: out.shape, sample: out.detach() }));
  const shapes = tensors.map((t) => t?.shape ?? null);
  const dtypes = tensors.map((t) => t?.dtype ?? null);
  const node = attachAll(outputs, name, tensors, (grads) => {
    const given = grads.map((g, i) => (g !== null || !materialize || likes[i] === null ? g : zerosOf(likes[i]!.sample, likes[i]!.shape)));
    if (typeof fn.backward !== 'function') missing(fn, 'backward');
    const answer = fn.backward(ctx, ...(given as never[]));
    const results = Array.isArray(answer) ? (answer as readonly (Tensor | null | undefined)[]) : [answer as Tensor | null | undefined];
    return checkGradients(name, results, shapes, dtypes);
  });
  node.foreign = true;
  ctx.bind(node);
  return single ? list[0] : list;
}

function checkDirty(fn: FunctionClass, t: Tensor): void {
  if (t.viewOf !== null)
    throw new AutogradError('ERR_DIRTY_VIEW', `${fn.name}: markDirty takes no views; write to a clone, or to the base`);
  if (t.requiresGrad && t.isLeaf)
    throw new AutogradError('ERR_INPLACE_LEAF', `${fn.name}: a leaf Variable that requires grad is being used in an in-place operation.`);
}

/** One gradient for each argument, of its shape and dtype; broadcast ones are summed. */
function checkGradients(
  name: string,
  results: readonly (Tensor | null | undefined)[],
  shapes: readonly (readonly number[] | null)[],
  dtypes: readonly (Tensor['dtype'] | null)[],
): (Tensor | null)[] {
  const extra = results.slice(shapes.length);
  if (results.length < shapes.length || extra.some((g) => g !== null && g !== undefined)) {
    throw new AutogradError(
      'ERR_FUNCTION_GRADS',
      `function ${name} returned an incorrect number of gradients (expected ${shapes.length}, got ${results.length})`,
    );
  }
  return shapes.map((shape, i) => {
    const g = results[i] ?? null;
    if (g === null) return null;
    if (shape === null)
      throw new AutogradError(
        'ERR_FUNCTION_GRADS',
        `function ${name} returned a gradient different from null at position ${i}, but the corresponding forward input was not a Tensor`,
      );
    if (!isExpandable(shape, g.shape)) {
      throw new ShapeError(
        'ERR_GRAD_SHAPE',
        `Function ${name} returned an invalid gradient at index ${i} - got [${g.shape.join(', ')}] but expected shape compatible with [${shape.join(', ')}]`,
        { shapes: [g.shape, shape] },
      );
    }
    return cast(sumTo(g, shape), dtypes[i]!);
  });
}
