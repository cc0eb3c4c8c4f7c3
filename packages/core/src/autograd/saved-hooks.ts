/** @file What becomes of tensors that the tape saves: kept as they are, or packed into something else until a backward asks for them. */
import { AutogradError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';

/** `pack` is called when the tape saves a tensor, `unpack` with what it answered when a backward needs the tensor. */
export interface SavedTensorHooks<P = unknown> {
  pack(tensor: Tensor): P;
  unpack(packed: P): Tensor;
}

/** The hooks that are in effect. */
export const savedHooks: { current: SavedTensorHooks | null; disabled: string | null } = { current: null, disabled: null };

/**
 * Runs `fn`; what its ops save for their backward goes through the hooks (but leaves that require gradients, which live anyway). The
 * innermost hooks count. PyTorch: torch.autograd.graph.saved_tensors_hooks.
 *
 * @example savedTensorsHooks({ pack: (t) => t.to('float16'), unpack: (t) => t.to('float32') }, () => model(x))
 * @throws AutogradError `ERR_ASYNC_SCOPE` for an async function.
 */
export function savedTensorsHooks<P, T>(hooks: SavedTensorHooks<P>, fn: () => T): T {
  if (savedHooks.disabled !== null) throw new AutogradError('ERR_SAVED_HOOKS', savedHooks.disabled);
  const was = savedHooks.current;
  savedHooks.current = hooks as SavedTensorHooks;
  try {
    const result = fn();
    if (typeof (result as { then?: unknown } | null)?.then === 'function') {
      throw new AutogradError(
        'ERR_ASYNC_SCOPE',
        'savedTensorsHooks takes a synchronous function: its effect would end at the first await.',
      );
    }
    return result;
  } finally {
    savedHooks.current = was;
  }
}
