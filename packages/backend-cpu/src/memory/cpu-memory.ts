/**
 * @file Where buffers come from, and the account of them. A typed array of more than 16 elements costs the engine 0.5 to 1 µs, so small
 * buffers are cut one after another from slabs, which costs 40 ns.
 */
import { type DType, DTYPE_INFO, MemoryError, type MemoryStats, type TypedArray } from '@tessera/core/backend';
import { CpuBuffer, type Ledger, Owner } from './cpu-buffer.js';

/** Buffers up to this many bytes are cut from slabs. */
const SMALL = 1024;
const SLAB = 65536;
/** Those up to this many from slabs of their own: a list of losses must not keep the small activations of every step. */
const TINY = 64;
const TINY_SLAB = 4096;

interface Slab {
  readonly data: TypedArray;
  readonly owner: Owner;
  /** Elements given away. A slab never takes any back: its memory goes when all its buffers are gone. */
  used: number;
}

type ArrayKind = (typeof DTYPE_INFO)[DType]['array'];

export class CpuMemory {
  #buffers = 0;
  #bytes = 0;
  #peak = 0;
  readonly #maxBytes: number;
  readonly #slabs = new Map<ArrayKind, Slab>();
  readonly #tinySlabs = new Map<ArrayKind, Slab>();
  readonly #empty = new Map<ArrayKind, TypedArray>();
  /** Buffers that were dropped without `free` leave the account when the collector takes their array. */
  readonly #collected = new FinalizationRegistry<Ledger>((ledger) => {
    this.#buffers -= ledger.buffers;
    this.#bytes -= ledger.bytes;
  });

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @throws MemoryError `ERR_OUT_OF_MEMORY` when the budget or the engine has no room for it. */
  allocate(dtype: DType, length: number): CpuBuffer {
    const { array, size } = DTYPE_INFO[dtype];
    const bytes = length * size;
    if (this.#bytes + bytes > this.#maxBytes) this.#outOfMemory(dtype, length, bytes);
    let buffer: CpuBuffer;
    if (bytes <= SMALL) {
      const slabs = bytes <= TINY ? this.#tinySlabs : this.#slabs;
      let slab = slabs.get(array);
      if (slab === undefined || slab.used + length > slab.data.length)
        slabs.set(array, (slab = this.#newSlab(array, (bytes <= TINY ? TINY_SLAB : SLAB) / size)));
      buffer = new CpuBuffer(dtype, length, slab.data, slab.used, slab.owner);
      slab.used += length;
    } else {
      const owner = this.#newOwner(array, length, dtype);
      buffer = new CpuBuffer(dtype, length, owner.data, 0, owner);
    }
    const { ledger } = buffer.owner!;
    ledger.buffers++;
    ledger.bytes += bytes;
    this.#buffers++;
    this.#bytes += bytes;
    if (this.#bytes > this.#peak) this.#peak = this.#bytes;
    return buffer;
  }

  /** Gives a buffer back; a second call does nothing. */
  free(buffer: CpuBuffer): void {
    if (buffer.owner === null) return;
    const { array, size } = DTYPE_INFO[buffer.dtype];
    const bytes = buffer.length * size;
    const { ledger } = buffer.owner;
    ledger.buffers--;
    ledger.bytes -= bytes;
    this.#buffers--;
    this.#bytes -= bytes;
    buffer.owner = null;
    let empty = this.#empty.get(array);
    if (empty === undefined) this.#empty.set(array, (empty = new array(0)));
    buffer.data = empty;
  }

  stats(): MemoryStats {
    return { buffers: this.#buffers, bytes: this.#bytes, pooledBytes: 0, peakBytes: this.#peak };
  }

  /** Forgets everything. */
  dispose(): void {
    this.#slabs.clear();
    this.#tinySlabs.clear();
    this.#buffers = 0;
    this.#bytes = 0;
  }

  #newSlab(array: ArrayKind, length: number): Slab {
    const owner = this.#newOwner(array, length, null);
    return { data: owner.data, owner, used: 0 };
  }

  #newOwner(array: ArrayKind, length: number, dtype: DType | null): Owner {
    const ledger: Ledger = { buffers: 0, bytes: 0 };
    let data: TypedArray;
    try {
      data = new array(length);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      return this.#outOfMemory(dtype ?? 'uint8', length, length * (dtype === null ? 1 : DTYPE_INFO[dtype].size));
    }
    const owner = new Owner(data, ledger);
    this.#collected.register(owner, ledger);
    return owner;
  }

  #outOfMemory(dtype: DType, length: number, bytes: number): never {
    const budget = this.#maxBytes === Infinity ? '' : `, and the budget is ${this.#maxBytes}`;
    throw new MemoryError(
      'ERR_OUT_OF_MEMORY',
      `cpu: no memory for ${length} ${dtype} elements (${bytes} bytes): ${this.#bytes} bytes are live in ${this.#buffers} buffers${budget}.\n` +
        '  What was dropped is only reclaimed between macrotasks: in a synchronous loop use scope() or dispose(), or await something now and then.',
      {
        device: 'cpu',
        dtypes: [dtype],
        requestedBytes: bytes,
        liveBytes: this.#bytes,
        liveBuffers: this.#buffers,
        maxBytes: this.#maxBytes,
      },
    );
  }
}
