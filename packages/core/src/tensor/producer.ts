/**
 * @file Producers: kernels that wait for what comes after them. On a device that can, the result of a product (a matrix product, a convolution) is
 * only promised: a leaf whose memory has no buffer yet. The pointwise program that reads it first takes the product along as its prologue, in
 * one kernel that writes what is wanted of both: `relu(linear(x))`, and in a backward pass a product of gradients and the mask after it, are a launch
 * each. Whoever needs the memory otherwise (a read, a reduction, a kernel) gets the product alone, at that moment.
 */
import type { BackendBuffer, View } from '../backend/contract.js';
import type { Program } from '../backend/program.js';
import type { Device } from '../plugin/device.js';
import type { DType } from './dtype.js';
import { inMemory, type Value } from './value.js';
import { contiguousStrides, numelOf, type Shape } from './shape.js';

/** A kernel with its arguments. */
export interface Producer {
  /** Leaves that it reads. Until it has run they count as read by something deferred, so that writes in between do not disturb it. */
  readonly reads: readonly Value[];
  /** Writes the result, row-major. */
  run(out: BackendBuffer): void;
  /**
   * The same with a pointwise program after it. `inputs` has null where the program reads the result; the program's views have any shape whose row-major
   * order is that of the result. False: declined, nothing was written.
   */
  fuse(program: Program, scalars: ArrayLike<number>, inputs: readonly (View | null)[], outputs: readonly View[]): boolean;
}

/** A leaf that `producer` writes when somebody needs it. */
export function promised(device: Device, dtype: DType, shape: Shape, producer: Producer): Value {
  const numel = numelOf(shape);
  const memory = device.promise(dtype, numel, producer);
  return inMemory(memory, shape, numel, contiguousStrides(shape), 0, true);
}
