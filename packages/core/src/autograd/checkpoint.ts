/** @file Checkpoints: memory for time. What a part of the model saves is not kept but computed again when a backward asks for it. */
import { autocasting, withAutocastState } from '../amp/state.js';
import { AutogradError, ValueError } from '../errors.js';
import { runtimes } from '../plugin/runtime.js';
import type { Tensor } from '../tensor/tensor.js';
import { enableGrad, gradState } from './mode.js';
import { savedTensorsHooks } from './saved-hooks.js';

/**
 * Calls `fn(...args)` and answers what it does. Tensors that its ops would save are dropped; a backward calls `fn` again, with the random
 * numbers of the first time, and takes them from there. Works with `grad`, and with parameters that `fn` closes over.
 * PyTorch: torch.utils.checkpoint.checkpoint(use_reentrant=False).
 *
 * @example const y = checkpoint((x) => block(x), x)
 * @throws AutogradError `ERR_CHECKPOINT` when `fn` did not do the same the second time.
 */
export function checkpoint<A extends readonly unknown[], R>(fn: (...args: A) => R, ...args: A): R {
  if (!gradState.enabled) return fn(...args);
  const { generator } = runtimes.current;
  const state = generator.getState();
  const precision = { ...autocasting, cache: false };
  let count = 0;
  let again: (Tensor | null)[] = [];
  let left = 0;

  const recompute = (): void => {
    const found: Tensor[] = [];
    const now = generator.getState();
    generator.setState(state);
    try {
      const hooks = {
        pack: (t: Tensor): number => found.push(t) - 1,
        unpack: (): Tensor => {
          throw new AutogradError('ERR_CHECKPOINT', 'checkpoint: the function started a backward of its own while it was computed again');
        },
      };
      savedTensorsHooks(hooks, () => withAutocastState(precision, () => enableGrad(() => fn(...args))));
    } finally {
      generator.setState(now);
    }
    if (found.length !== count) {
      throw new AutogradError(
        'ERR_CHECKPOINT',
        `checkpoint: A different number of tensors was saved during the original forward and recomputation: ${count} and ${found.length}`,
      );
    }
    again = found;
    left = count;
  };

  return savedTensorsHooks(
    {
      pack: () => count++,
      unpack: (index: number) => {
        if (again[index] === undefined || again[index] === null) recompute();
        const tensor = again[index]!;
        again[index] = null;
        if (--left === 0) again = [];
        return tensor;
      },
    },
    () => fn(...args),
  );
}

/**
 * Runs functions one after the other, in `segments` groups of which each but the last is a {@link checkpoint}. PyTorch:
 * torch.utils.checkpoint.checkpoint_sequential.
 *
 * @example const y = checkpointSequential([...blocks], 4, x)
 * @throws ValueError `ERR_CHECKPOINT` for a number of segments that is none, or larger than that of the functions.
 */
export function checkpointSequential(functions: readonly ((x: Tensor) => Tensor)[], segments: number, input: Tensor): Tensor {
  if (!Number.isInteger(segments) || segments < 1 || segments > functions.length)
    throw new ValueError('ERR_CHECKPOINT', `checkpointSequential: ${functions.length} functions cannot be ${segments} segments`);
  const size = Math.floor(functions.length / segments);
  const run = (from: number, to?: number) => (x: Tensor) => functions.slice(from, to).reduce((value, fn) => fn(value), x);
  let x = input;
  const last = size * (segments - 1);
  for (let at = 0; at < last; at += size) x = checkpoint(run(at, at + size), x);
  return run(last)(x);
}
