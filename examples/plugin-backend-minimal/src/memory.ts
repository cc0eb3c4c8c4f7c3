/** @file Memory in typed arrays, and walks over strided views of it. */
import {
  type BackendBuffer,
  DeviceError,
  type DType,
  DTYPE_INFO,
  IndexError,
  MemoryError,
  type MemoryStats,
  type TypedArray,
  type View,
} from '@tessera/core';

export interface Buffer extends BackendBuffer {
  data: TypedArray;
}
export type Strided = View<Buffer>;

export class Memory {
  readonly #live = new Set<Buffer>();
  #bytes = 0;
  #peak = 0;
  #ended = false;

  #running(): void {
    if (this.#ended) throw new DeviceError('ERR_BACKEND_DISPOSED', 'minimal: the backend was disposed of', { device: 'minimal' });
  }

  allocate(dtype: DType, length: number): Buffer {
    this.#running();
    const buffer = { dtype, length, data: this.#array(dtype, length) };
    this.#live.add(buffer);
    this.#bytes += buffer.data.byteLength;
    this.#peak = Math.max(this.#peak, this.#bytes);
    return buffer;
  }

  #array(dtype: DType, length: number): TypedArray {
    try {
      return new DTYPE_INFO[dtype].array(length);
    } catch (cause) {
      const error = new MemoryError(
        'ERR_OUT_OF_MEMORY',
        `minimal: ${length} elements of ${dtype} were asked for; ${this.#bytes} bytes are live`,
      );
      error.cause = cause;
      throw error;
    }
  }

  free(buffer: Buffer): void {
    this.#running();
    if (this.#live.delete(buffer)) this.#bytes -= buffer.data.byteLength;
  }

  /** The bytes of some of a buffer's elements, in place. */
  bytes({ dtype, length, data }: Buffer, from: number, count: number): Uint8Array {
    this.#running();
    if (!(from >= 0 && count >= 0 && from + count <= length))
      throw new IndexError('ERR_BUFFER_RANGE', `elements ${from} to ${from + count} lie outside a buffer of ${length}`);
    const { size } = DTYPE_INFO[dtype];
    return new Uint8Array(data.buffer, data.byteOffset + from * size, count * size);
  }

  stats(): MemoryStats {
    this.#running();
    return { buffers: this.#live.size, bytes: this.#bytes, pooledBytes: 0, peakBytes: this.#peak };
  }

  end(): void {
    this.#ended = true;
    this.#live.clear();
  }
}

/** Calls `fn` with each index of a shape, in row-major order. The array is the same each time. */
export function each(shape: readonly number[], fn: (index: readonly number[]) => void): void {
  const index = shape.map(() => 0);
  for (;;) {
    fn(index);
    let d = shape.length - 1;
    while (d >= 0 && ++index[d]! === shape[d]) index[d--] = 0;
    if (d < 0) return;
  }
}

/** Where an element lies in the buffer. */
export function place({ strides, offset }: Strided, index: readonly number[]): number {
  let at = offset;
  for (let d = 0; d < strides.length; d++) at += index[d]! * strides[d]!;
  return at;
}

export const load = (view: Strided, index: readonly number[]): number => view.buffer.data[place(view, index)] as number;

export function store(view: Strided, index: readonly number[], value: number): void {
  view.buffer.data[place(view, index)] = value;
}

/** An index with another number along a dim. */
export const replaced = (index: readonly number[], dim: number, i: number): number[] => index.map((old, d) => (d === dim ? i : old));

/** Every row along an axis: calls `fn` with an index in it, which is 0 along the axis. */
export const eachRow = (shape: readonly number[], axis: number, fn: (index: readonly number[]) => void): void =>
  each(replaced(shape, axis, 1), fn);
