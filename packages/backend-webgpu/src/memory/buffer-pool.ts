/**
 * @file Where buffers come from. Freed ones are kept by size, and the one with the lowest id is used again first: what a step gets depends on
 * which buffers are free, not on the order in which they were freed, which is the collector's where nobody disposes. So a loop finds the same buffers in
 * the same places, and with them the bind groups that were made for them.
 */
import { type DType, DTYPE_INFO, MemoryError, type MemoryStats } from '@tessera/core/backend';
import { type DeviceQueue, FLAG_BUFFER } from '../device/queue.js';
import { IdHeap } from './id-heap.js';
import { WebGpuBuffer } from './webgpu-buffer.js';

export interface PoolLimits {
  /** Live bytes beyond which allocation throws. */
  readonly maxBytes: number;
  /** Bytes kept for reuse at most. */
  readonly poolBytes: number;
  readonly maxBufferBytes: number;
}

const LEAST = 256;
export class BufferPool {
  readonly #queue: DeviceQueue;
  readonly #limits: PoolLimits;
  /** Ids of free memory by capacity. */
  readonly #free = new Map<number, IdHeap>();
  /** Ids that the device had no memory for. */
  readonly #absent = new Set<number>();
  #nextId = FLAG_BUFFER + 1;
  #buffers = 0;
  #bytes = 0;
  #pooled = 0;
  #peak = 0;
  /** GPU buffers made so far. */
  created = 0;

  constructor(queue: DeviceQueue, limits: PoolLimits) {
    this.#queue = queue;
    this.#limits = limits;
  }

  /** @throws MemoryError `ERR_OUT_OF_MEMORY`, `ERR_BUFFER_SIZE` */
  allocate(dtype: DType, length: number): WebGpuBuffer {
    const bytes = length * DTYPE_INFO[dtype].size;
    const capacity = capacityFor(bytes);
    const { maxBytes, maxBufferBytes } = this.#limits;
    // Kernels compute places of elements as signed integers.
    if (bytes > maxBufferBytes || length > 2 ** 31 - 1)
      throw new MemoryError(
        'ERR_BUFFER_SIZE',
        `webgpu: ${length} ${dtype} elements take ${bytes} bytes; this adapter binds ${maxBufferBytes} bytes at most`,
        { device: 'webgpu', dtypes: [dtype], requestedBytes: bytes, maxBufferBytes },
      );
    if (this.#bytes + bytes > maxBytes) this.#outOfMemory(dtype, length, bytes);
    let id = this.#free.get(capacity)?.pop();
    if (id === undefined) {
      if (this.#bytes + this.#pooled + capacity > maxBytes) this.trim(Math.max(0, maxBytes - this.#bytes - capacity));
      id = this.#nextId++;
      this.created++;
      this.#queue.createBuffer(id, capacity);
    } else this.#pooled -= capacity;
    this.#buffers++;
    this.#bytes += bytes;
    if (this.#bytes > this.#peak) this.#peak = this.#bytes;
    return new WebGpuBuffer(dtype, length, id, capacity);
  }

  /** A second call does nothing. */
  free(buffer: WebGpuBuffer): void {
    if (buffer.freed) return;
    buffer.freed = true;
    const { capacity, id } = buffer;
    this.#buffers--;
    this.#bytes -= buffer.length * DTYPE_INFO[buffer.dtype].size;
    if (this.#absent.delete(id)) {
      this.#queue.destroyBuffer(id);
      return;
    }
    let list = this.#free.get(capacity);
    if (list === undefined) this.#free.set(capacity, (list = new IdHeap()));
    list.push(id);
    this.#pooled += capacity;
    if (this.#pooled > this.#limits.poolBytes) this.trim(this.#limits.poolBytes / 2);
  }

  /** The device had no memory for these: they are not to be used again. Those that are free already, a `trim(0)` destroys. */
  forget(ids: readonly number[]): void {
    for (const id of ids) this.#absent.add(id);
  }

  /** Destroys free memory, the largest first, and of one size that with the highest ids, until at most `bytes` are kept. */
  trim(bytes: number): void {
    for (const [capacity, list] of [...this.#free].sort(([a], [b]) => b - a)) {
      const surplus = Math.ceil((this.#pooled - bytes) / capacity);
      if (surplus <= 0) return;
      for (const id of list.truncate(Math.max(0, list.size - surplus))) {
        this.#queue.destroyBuffer(id);
        this.#absent.delete(id);
        this.#pooled -= capacity;
      }
      if (list.size === 0) this.#free.delete(capacity);
    }
  }

  stats(): MemoryStats {
    return { buffers: this.#buffers, bytes: this.#bytes, pooledBytes: this.#pooled, peakBytes: this.#peak };
  }

  #outOfMemory(dtype: DType, length: number, bytes: number): never {
    const { maxBytes } = this.#limits;
    throw new MemoryError(
      'ERR_OUT_OF_MEMORY',
      `webgpu: no memory for ${length} ${dtype} elements (${bytes} bytes): ${this.#bytes} bytes are live in ${this.#buffers} buffers, and the budget is ${maxBytes}.\n` +
        '  What was dropped is only reclaimed between macrotasks: in a synchronous loop use scope() or dispose(), or await something now and then.',
      { device: 'webgpu', dtypes: [dtype], requestedBytes: bytes, liveBytes: this.#bytes, liveBuffers: this.#buffers, maxBytes },
    );
  }
}

/** Eight sizes to each doubling above 2 KiB, so that what is wasted stays below an eighth; 256-byte steps below. */
function capacityFor(bytes: number): number {
  if (bytes <= 2048) return Math.max(LEAST, Math.ceil(bytes / LEAST) * LEAST);
  const step = 2 ** (Math.floor(Math.log2(bytes - 1)) - 3);
  return Math.ceil(bytes / step) * step;
}
