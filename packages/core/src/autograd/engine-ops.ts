/**
 * @file The few ops that the engine itself calls, and the engine as tensors call it. Filled in where methods are (ops/methods.ts): the engine and ops
 * import tensors, and what does without gradients does without both.
 */
import { NotSupportedError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';

/** What a backward may be told. */
export interface BackwardOptions {
  /** Keep what the graph saved, for another backward. Default: `createGraph`. */
  readonly retainGraph?: boolean;
  /** Record the backward, so that gradients can be differentiated. Default false. */
  readonly createGraph?: boolean;
  /** Only these get gradients. Default: all leaves. */
  readonly inputs?: readonly Tensor[];
}

interface EngineOps {
  add(a: Tensor, b: Tensor): Tensor;
  addInPlace(a: Tensor, b: Tensor): Tensor;
  full(like: Tensor, value: number): Tensor;
  ownCopy(t: Tensor): Tensor;
  backward(root: Tensor, gradient: Tensor | null, options: BackwardOptions): void;
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
/** `backward` of one tensor. @throws NotSupportedError `ERR_NO_METHODS` */
export const backwardFrom: EngineOps['backward'] = (root, gradient, options) => need().backward(root, gradient, options);
