/**
 * @file Hooks on a module's backward: identity nodes around its inputs and outputs, which meet in one node each, so that a hook sees all
 * gradients at once. PyTorch: torch.utils.hooks.BackwardHook.
 */
import { edgeOf } from '../autograd/edge.js';
import { GradNode } from '../autograd/node.js';
import { gradState } from '../autograd/mode.js';
import { AutogradError } from '../errors.js';
import { filled } from '../ops/fill.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import type { Gradients, ModuleHooks } from './hooks.js';
import type { Module } from './module.js';
import { typeNameOf } from './repr.js';

/** The arguments of one call as `forward` gets them, and the gradients of its outputs once they came. */
interface Watched {
  args: readonly unknown[];
  /** Does any argument lead on, so that its gradients will come? */
  readonly reachesInputs: boolean;
  gradOutput: Gradients;
}

const NODE = 'BackwardHookFunctionBackward';

/** Tensors of the same values whose gradients are handed to `visit` together, which may change them. */
function meet(tensors: readonly Tensor[], visit: (grads: Gradients) => Gradients): Tensor[] {
  const collected: (Tensor | null)[] = tensors.map(() => null);
  const joint = new GradNode(
    NODE,
    () => {
      const grads = visit(collected.slice());
      collected.fill(null);
      return grads;
    },
    tensors.map(edgeOf),
  );
  joint.foreign = true;
  return tensors.map((t, i) => {
    const out = t.detach();
    // The engine goes on to the joint node when a gradient for it came: any will do.
    const node = new GradNode(
      NODE,
      (grad) => {
        collected[i] = grad;
        return [filled([], 0, grad.dtype, grad.device)];
      },
      [joint],
    );
    node.foreign = true;
    out.setGradFn(node);
    return out;
  });
}

/** The hooks' view of the gradients at `places` of `count` values: null everywhere else. Each hook may replace them. */
function passHooks(
  module: Module,
  what: string,
  count: number,
  places: readonly number[],
  grads: Gradients,
  hooks: readonly ((all: Gradients) => Gradients | null | undefined | void)[],
): Gradients {
  const spread = new Array<Tensor | null>(count).fill(null);
  places.forEach((place, i) => (spread[place] = grads[i]!));
  let all: Gradients = spread;
  for (const hook of hooks) {
    const result = hook(all);
    if (result === undefined || result === null) continue;
    if (result.length !== count) {
      throw new AutogradError(
        'ERR_HOOK_RESULT',
        `Backward hook returned an invalid number of ${what}, got ${result.length}, but expected ${count}`,
        { path: typeNameOf(module) },
      );
    }
    all = result;
  }
  return all;
}

/** Where among these values are tensors whose gradients will come? */
const flowing = (values: readonly unknown[]): number[] =>
  gradState.enabled ? values.flatMap((v, i) => (isTensor(v) && v.requiresGrad ? [i] : [])) : [];

/** The values, with those at `places` passed through nodes that hand their gradients to `visit`. */
function throughNodes(values: readonly unknown[], places: readonly number[], visit: (grads: Gradients) => Gradients): unknown[] {
  const replaced = [...values];
  const outs = meet(
    places.map((i) => values[i] as Tensor),
    visit,
  );
  places.forEach((place, i) => (replaced[place] = outs[i]));
  return replaced;
}

/** Puts nodes before the module: the gradients of its arguments pass the backward hooks. */
export function watchInputs(module: Module, hooks: ModuleHooks, args: readonly unknown[]): Watched {
  const places = flowing(args);
  const watched: Watched = { args, reachesInputs: places.length > 0, gradOutput: [] };
  if (places.length === 0) return watched;
  watched.args = throughNodes(args, places, (grads) => {
    const calls = hooks.backward.entries.map(
      ({ hook }) =>
        (all: Gradients) =>
          hook(module, all, watched.gradOutput),
    );
    const gradInput = passHooks(module, 'grad_input', args.length, places, grads, calls);
    return places.map((i) => gradInput[i]!);
  });
  return watched;
}

/** Puts nodes behind the module: the gradients of its outputs pass the pre-hooks. */
export function watchOutput(module: Module, hooks: ModuleHooks, watched: Watched, output: unknown): unknown {
  const values = Array.isArray(output) ? (output as readonly unknown[]) : [output];
  const places = flowing(values);
  if (places.length === 0) return output;
  const replaced = throughNodes(values, places, (grads) => {
    const calls = hooks.backwardPre.entries.map(
      ({ hook }) =>
        (all: Gradients) =>
          hook(module, all),
    );
    watched.gradOutput = passHooks(module, 'grad_output', values.length, places, grads, calls);
    // No gradient will come out at the other end: this is the moment.
    if (!watched.reachesInputs)
      for (const { hook } of hooks.backward.entries)
        hook(
          module,
          watched.args.map(() => null),
          watched.gradOutput,
        );
    return places.map((i) => watched.gradOutput[i]!);
  });
  return Array.isArray(output) ? replaced : replaced[0];
}
