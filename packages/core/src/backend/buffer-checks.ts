/** @file What every backend refuses of writes and reads. */
import { IndexError, MemoryError, ValueError } from '../errors.js';
import { DTYPE_INFO, type DType } from '../tensor/dtype.js';
import type { BackendBuffer } from './contract.js';

/**
 * How many elements the bytes given to `write` are.
 * @throws ValueError `ERR_BYTE_LENGTH`
 */
export function elementsWritten(device: string, dtype: DType, hostBytes: Uint8Array): number {
  const count = hostBytes.length / DTYPE_INFO[dtype].size;
  if (!Number.isInteger(count))
    throw new ValueError('ERR_BYTE_LENGTH', `write: ${hostBytes.length} bytes are no whole number of ${dtype} elements`, {
      op: 'write',
      device,
    });
  return count;
}

/**
 * Refuses elements that a buffer has not, or has no more.
 * @throws MemoryError `ERR_BUFFER_FREED`; IndexError `ERR_BUFFER_RANGE`
 */
export function checkBufferRange(
  device: string,
  op: string,
  buffer: BackendBuffer,
  freed: boolean,
  elementOffset: number,
  length: number,
): void {
  if (freed) throw new MemoryError('ERR_BUFFER_FREED', `${op}: the buffer was freed`, { op, device });
  if (!(elementOffset >= 0 && length >= 0 && elementOffset + length <= buffer.length))
    throw new IndexError(
      'ERR_BUFFER_RANGE',
      `${op}: elements ${elementOffset} to ${elementOffset + length} lie outside a buffer of ${buffer.length}`,
      { op, device },
    );
}
