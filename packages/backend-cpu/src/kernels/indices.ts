/** @file Checking the indices of gather and scatter before anything is written. */
import { failIndexRange, indexLoops, type View, walkRows } from '@tessera/core/backend';
import type { CpuBuffer } from '../memory/cpu-buffer.js';

/** @throws IndexError `ERR_INDEX_RANGE` when an index lies outside [0, size). */
export function checkIndices(op: string, indices: View<CpuBuffer>, dim: number, size: number): void {
  const { buffer, offset } = indices;
  const { data } = buffer;
  const loops = indexLoops(indices);
  const last = loops.shape.length - 1;
  const count = loops.shape[last];
  const step = loops.strides[0][last];
  walkRows(loops, [buffer.base + offset], ([at]) => {
    for (let j = 0; j < count; j++, at += step) {
      const index = data[at];
      if (index < 0 || index >= size) failIndexRange(op, 'cpu', indices, dim, size, (place) => data[buffer.base + place]);
    }
  });
}
