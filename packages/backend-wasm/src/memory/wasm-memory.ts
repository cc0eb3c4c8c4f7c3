/** @file Buffers, and the account of them. */
import { type DType, DTYPE_INFO, DTYPES, MemoryError, type MemoryStats } from '@tessera/core/backend';
import { Allocator } from './allocator.js';
import type { LinearMemory } from './linear-memory.js';
import { WasmBuffer } from './wasm-buffer.js';

export class WasmMemory {
  readonly #allocator: Allocator;
  readonly #budget: number;
  #buffers = 0;
  #bytes = 0;
  #peak = 0;
  #scratch = 0;
  /** Live bytes by dtype's number, for what is said when there is no more. */
  readonly #byDType = new Float64Array(DTYPES.length);

  constructor(
    readonly linear: LinearMemory,
    budget: number,
  ) {
    this.#allocator = new Allocator(linear);
    this.#budget = budget;
  }

  /** @throws MemoryError `ERR_OUT_OF_MEMORY` when the budget or the engine has no room for it. */
  allocate(dtype: DType, length: number): WasmBuffer {
    const { size, index } = DTYPE_INFO[dtype];
    const bytes = length * size;
    const address = this.#bytes + bytes > this.#budget ? -1 : this.#allocator.take(bytes);
    if (address < 0) this.#outOfMemory(`${length} ${dtype} elements`, bytes, dtype);
    this.#buffers++;
    this.#bytes += bytes;
    if (this.#bytes > this.#peak) this.#peak = this.#bytes;
    this.#byDType[index] += bytes;
    return new WasmBuffer(dtype, length, address);
  }

  /** Gives a buffer back; a second call does nothing. */
  free(buffer: WasmBuffer): void {
    if (buffer.freed) return;
    const { size, index } = DTYPE_INFO[buffer.dtype];
    const bytes = buffer.length * size;
    this.#buffers--;
    this.#bytes -= bytes;
    this.#byDType[index] -= bytes;
    this.#allocator.give(buffer.address, bytes);
    buffer.address = 0;
  }

  /**
   * Room for a kernel's own use, aligned to 64 bytes where it is large, until {@link endScratch}. It may grow the memory: read views afterwards.
   * @throws MemoryError `ERR_OUT_OF_MEMORY`
   */
  scratch(bytes: number): number {
    const address = this.#allocator.take(Math.max(bytes, 1));
    if (address < 0) this.#outOfMemory('the scratch of a kernel', bytes);
    this.#scratch += bytes;
    return address;
  }

  endScratch(address: number, bytes: number): void {
    this.#scratch -= bytes;
    this.#allocator.give(address, Math.max(bytes, 1));
  }

  stats(): MemoryStats {
    return { buffers: this.#buffers, bytes: this.#bytes, pooledBytes: this.#allocator.freeBytes, peakBytes: this.#peak };
  }

  /** Merges what lies free, so that larger tensors fit. Linear memory never shrinks. */
  trim(): void {
    this.#allocator.trim();
  }

  dispose(): void {
    this.#buffers = 0;
    this.#bytes = 0;
    this.#byDType.fill(0);
  }

  #outOfMemory(what: string, bytes: number, dtype?: DType): never {
    const live = DTYPES.filter((_, i) => this.#byDType[i] > 0).map((name) => `${this.#byDType[DTYPE_INFO[name].index]} of ${name}`);
    const scratch = this.#scratch > 0 ? [`${this.#scratch} of scratch`] : [];
    throw new MemoryError(
      'ERR_OUT_OF_MEMORY',
      `wasm: no memory for ${what} (${bytes} bytes): ${this.#bytes} bytes are live in ${this.#buffers} buffers` +
        `${live.length > 0 ? ` (${[...live, ...scratch].join(', ')})` : ''}, ${this.#allocator.freeBytes} are free in pieces, ` +
        `and ${Number.isFinite(this.#budget) ? `the budget is ${this.#budget}` : `the memory may grow to ${this.linear.maxBytes}`}.\n` +
        '  What was dropped is only reclaimed between macrotasks: in a synchronous loop use scope() or dispose(), or await something now and then.',
      {
        device: 'wasm',
        ...(dtype && { dtypes: [dtype] }),
        requestedBytes: bytes,
        liveBytes: this.#bytes,
        liveBuffers: this.#buffers,
        maxBytes: Math.min(this.#budget, this.linear.maxBytes),
      },
    );
  }
}
