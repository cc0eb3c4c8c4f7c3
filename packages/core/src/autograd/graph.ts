/** @file What can be done with the graph itself. PyTorch: torch.autograd.graph. */
import { AutogradError } from '../errors.js';
import type { RemovableHandle, Tensor } from '../tensor/tensor.js';
import { edgeOf } from './edge.js';
import { currentPass, willReach } from './engine.js';
import type { GradNode } from './node.js';
import { savedHooks, savedTensorsHooks } from './saved-hooks.js';
import { checkOptions, type OptionNames } from '../options.js';

const REGISTER_MULTI_GRAD_HOOK_OPTIONS: OptionNames<{ readonly mode?: 'all' | 'any' }> = { mode: true };

export { GradNode as Node } from './node.js';
export { type SavedTensorHooks, savedTensorsHooks } from './saved-hooks.js';

/** A node and which of its outputs: where a tensor's gradient enters the graph. */
export interface GradientEdge {
  readonly node: GradNode;
  readonly outputNr: number;
}

/**
 * Where the gradient of `t` enters the graph: the node that made it, or for a leaf the one that accumulates. It keeps the graph alive, not the
 * tensor's values. PyTorch: torch.autograd.graph.get_gradient_edge.
 * @throws AutogradError `ERR_NO_GRAD`
 */
export function getGradientEdge(t: Tensor): GradientEdge {
  const node = edgeOf(t);
  if (node === null)
    throw new AutogradError(
      'ERR_NO_GRAD',
      "getGradientEdge: It is not possible to get the gradient edge for a tensor that doesn't require gradients",
    );
  return node.slot >= 0 ? { node: node.edges[0]!, outputNr: node.slot } : { node, outputNr: 0 };
}

/** Notes a write that autograd could not see, so that backwards that need the old values refuse. PyTorch: increment_version. */
export function incrementVersion(tensors: Tensor | readonly Tensor[]): void {
  for (const t of Array.isArray(tensors) ? (tensors as readonly Tensor[]) : [tensors as Tensor]) t.storage.version++;
}

/** What one pass has brought so far. */
interface Gathered {
  readonly grads: (Tensor | null)[];
  missing: number;
}

/**
 * Calls `fn` in each backward pass with the gradients of several tensors, once all that this pass computes are there (null for the others). With
 * `mode: 'any'` it is called with the first one alone. What `fn` returns is ignored. PyTorch: torch.autograd.graph.register_multi_grad_hook.
 *
 * @throws AutogradError `ERR_NO_GRAD` for a tensor that requires no gradient.
 * @example
 * const handle = autograd.graph.registerMultiGradHook([a, b], ([da, db]) => log(da?.norm(), db?.norm()));
 */
export function registerMultiGradHook(tensors: readonly Tensor[], fn: (grads: readonly (Tensor | null)[]) => void): RemovableHandle;
export function registerMultiGradHook(
  tensors: readonly Tensor[],
  fn: (grad: Tensor) => void,
  options: { readonly mode: 'any' },
): RemovableHandle;
export function registerMultiGradHook(
  tensors: readonly Tensor[],
  fn: ((grads: readonly (Tensor | null)[]) => void) | ((grad: Tensor) => void),
  options: { readonly mode?: 'all' | 'any' } = {},
): RemovableHandle {
  checkOptions('registerMultiGradHook', options, REGISTER_MULTI_GRAD_HOOK_OPTIONS);
  const any = options.mode === 'any';
  const passes = new WeakMap<object, Gathered>();
  const handles = tensors.map((t, i) =>
    t.registerHook((grad) => {
      const pass = currentPass()!;
      let state = passes.get(pass);
      if (state === undefined) {
        if (any) (fn as (grad: Tensor) => void)(grad);
        state = { grads: tensors.map(() => null), missing: tensors.filter((x) => willReach(edgeOf(x)!)).length };
        passes.set(pass, state);
      }
      if (any) return;
      state.grads[i] = grad;
      if (--state.missing === 0) (fn as (grads: readonly (Tensor | null)[]) => void)(state.grads);
    }),
  );
  return { remove: () => handles.forEach((h) => h.remove()) };
}

/**
 * Runs `fn`; what its ops save for the backward waits on another device, and comes back when it is needed: memory for transfers.
 * PyTorch: torch.autograd.graph.save_on_cpu.
 *
 * @example const loss = autograd.graph.saveOnCpu(() => model(x).sum());
 * @throws NotSupportedError `ERR_SYNC_READ` from a device that cannot be read at once; AutogradError `ERR_ASYNC_SCOPE`.
 */
export function saveOnCpu<T>(fn: () => T): T {
  return savedTensorsHooks(
    { pack: (t) => [t.device, t.to('cpu')] as const, unpack: ([device, t]: readonly [Tensor['device'], Tensor]) => t.to(device) },
    fn,
  );
}

/** Runs `fn`; hooks on saved tensors are errors in it. PyTorch: disable_saved_tensors_hooks. @throws AutogradError `ERR_SAVED_HOOKS` */
export function disableSavedTensorsHooks<T>(message: string, fn: () => T): T {
  const was = savedHooks.disabled;
  savedHooks.disabled = message;
  try {
    return fn();
  } finally {
    savedHooks.disabled = was;
  }
}
