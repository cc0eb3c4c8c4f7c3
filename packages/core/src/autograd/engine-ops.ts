/** @file The few ops that the engine itself calls, filled in by the ops' own files: the engine is imported by tensors, and ops import tensors. */
import { NotSupportedError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';

interface EngineOps {
  add(a: Tensor, b: Tensor): Tensor;
  addInPlace(a: Tensor, b: Tensor): Tensor;
  full(like: Tensor, value: number): Tensor;
  ownCopy(t: Tensor): Tensor;
}

let ops: EngineOps | null = null;

export function provideEngineOps(given: EngineOps): void {
  ops = given;
}

const need = (): EngineOps => ops ?? failWithoutMethods();
function failWithoutMethods(): never {
  throw new NotSupportedError(
    'ERR_NO_METHODS',
    "gradients are written with Tensor's methods, which this bundle leaves out: to train, import them from the package tessera",
  );
}

export const addGradients = (a: Tensor, b: Tensor): Tensor => need().add(a, b);
export const onesLike = (t: Tensor, value = 1): Tensor => need().full(t, value);
/** a += b, outside the graph. */
export const addInPlace = (a: Tensor, b: Tensor): Tensor => need().addInPlace(a, b);
/** The same elements under a storage of its own, so that writing to one does not show in the other; memory is copied when one is written to. */
export const ownCopy = (t: Tensor): Tensor => need().ownCopy(t);
