/** @file Checking the indices of gather and scatter before anything is written. */
import { IndexError, type View } from '@tessera/core/backend';
import type { CpuBuffer } from '../memory/cpu-buffer.js';
import { mergeDims, walkRows } from './strided.js';

/** @throws IndexError `ERR_INDEX_RANGE` when an index lies outside [0, size). */
export function checkIndices(op: string, indices: View<CpuBuffer>, dim: number, size: number): void {
  const { buffer, shape, strides, offset } = indices;
  const { data } = buffer;
  // Along dims of stride 0 all indices are the same one.
  const loops = mergeDims(
    shape.map((n, d) => (strides[d] === 0 ? 1 : n)),
    [strides],
  );
  const count = loops.shape[loops.shape.length - 1];
  const step = loops.strides[0][loops.strides[0].length - 1];
  walkRows(loops, [buffer.base + offset], ([at]) => {
    for (let j = 0; j < count; j++, at += step) {
      const index = data[at];
      if (index < 0 || index >= size) outOfRange(op, indices, dim, size);
    }
  });
}

function outOfRange(op: string, { buffer, shape, strides, offset }: View<CpuBuffer>, dim: number, size: number): never {
  // Again, slowly, for the place of the first bad one.
  const total = shape.reduce((n, s) => n * s, 1);
  for (let i = 0; i < total; i++) {
    const position = positionOf(i, shape);
    const index = buffer.data[buffer.base + offset + position.reduce((sum, p, d) => sum + p * strides[d], 0)];
    if (index >= 0 && index < size) continue;
    throw new IndexError(
      'ERR_INDEX_RANGE',
      `${op}: index ${index} at [${position.join(', ')}] is out of range for dim ${dim} of size ${size}`,
      { op, device: 'cpu', index, size, dim, position },
    );
  }
  throw new IndexError('ERR_INDEX_RANGE', `${op}: an index is out of range for dim ${dim} of size ${size}`, {
    op,
    device: 'cpu',
    size,
    dim,
  });
}

function positionOf(i: number, shape: readonly number[]): number[] {
  const position = new Array<number>(shape.length);
  for (let d = shape.length - 1; d >= 0; d--) {
    position[d] = i % shape[d];
    i = Math.floor(i / shape[d]);
  }
  return position;
}
