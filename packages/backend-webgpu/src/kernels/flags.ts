/**
 * @file Flags: how a kernel tells of an index out of range. It cannot throw, so it raises a flag (an atomic word and what was wrong with the
 * first index), goes on with an index that is in range, and the next read reports it.
 */
import { IndexError } from '@tessera/core/backend';

/** What raised the flag, by number. */
const KERNELS = ['gather', 'scatter', 'crossEntropy'] as const;
export type FlaggingKernel = (typeof KERNELS)[number];

/** Declares `checked(index, size)`: the index, or 0 with a flag raised where it is out of range. `flags` is the binding. */
export function flagFunction(kernel: FlaggingKernel, binding: string): string {
  return `fn checked(index: i32, size: i32) -> i32 {
  if (index >= 0 && index < size) { return index; }
  if (atomicAdd(&${binding}[0], 1u) == 0u) {
    atomicStore(&${binding}[1], bitcast<u32>(index)); atomicStore(&${binding}[2], bitcast<u32>(size)); atomicStore(&${binding}[3], ${KERNELS.indexOf(kernel)}u);
  }
  return -1;
}`;
}

/** @throws IndexError `ERR_INDEX_RANGE` where a flag was raised. `bytes` is a copy of the flags. */
export function checkFlags(bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  const words = new Int32Array(bytes.slice().buffer);
  if (words[0] === 0) return;
  const op = KERNELS[words[3]];
  throw new IndexError('ERR_INDEX_RANGE', `${op}: index ${words[1]} is out of bounds for a dimension with size ${words[2]}`, {
    op,
    device: 'webgpu',
    index: words[1],
    size: words[2],
  });
}
