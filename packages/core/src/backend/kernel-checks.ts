/** @file What the kernels of a backend check, and the errors that they throw: the same texts and codes on all of them. */
import { DTypeError, IndexError } from '../errors.js';
import type { DType } from '../tensor/dtype.js';
import { KERNEL_DTYPES, type View } from './contract.js';
import { type Loops, mergeDims } from './strided.js';

/**
 * Refuses a dtype that a kernel does not take.
 *
 * @param taken Default: what the contract says.
 * @throws DTypeError `ERR_KERNEL_DTYPE`
 */
export function checkKernelDType(device: string, kernel: keyof typeof KERNEL_DTYPES, dtype: DType, taken = KERNEL_DTYPES[kernel]): void {
  if (!taken.includes(dtype))
    throw new DTypeError('ERR_KERNEL_DTYPE', `${device}: ${kernel} takes ${taken.join(', ')}, not ${dtype}`, {
      op: kernel,
      dtypes: [dtype],
      device,
    });
}

/** The loops over the indices of gather or scatter that a check has to run: along dims of stride 0 all of them are the same one. */
export function indexLoops({ shape, strides }: View): Loops {
  return mergeDims(
    shape.map((n, d) => (strides[d] === 0 ? 1 : n)),
    [strides],
  );
}

/**
 * Says which index lies outside [0, size), after a fast check has found that one does: looks again, slowly, for the place of the first one.
 *
 * @param at Reads an index, by its offset in the buffer in elements.
 * @throws IndexError `ERR_INDEX_RANGE`, always
 */
export function failIndexRange(
  op: string,
  device: string,
  { shape, strides, offset }: View,
  dim: number,
  size: number,
  at: (elementOffset: number) => number,
): never {
  const total = shape.reduce((n, s) => n * s, 1);
  for (let i = 0; i < total; i++) {
    const position = positionOf(i, shape);
    const index = at(position.reduce((sum, p, d) => sum + p * strides[d], offset));
    if (index >= 0 && index < size) continue;
    throw new IndexError(
      'ERR_INDEX_RANGE',
      `${op}: index ${index} at [${position.join(', ')}] is out of range for dim ${dim} of size ${size}`,
      { op, device, index, size, dim, position },
    );
  }
  throw new IndexError('ERR_INDEX_RANGE', `${op}: an index is out of range for dim ${dim} of size ${size}`, { op, device, size, dim });
}

function positionOf(i: number, shape: readonly number[]): number[] {
  const position = new Array<number>(shape.length);
  for (let d = shape.length - 1; d >= 0; d--) {
    position[d] = i % shape[d];
    i = Math.floor(i / shape[d]);
  }
  return position;
}
