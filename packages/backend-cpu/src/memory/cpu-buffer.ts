/** @file A piece of the CPU's memory. */
import type { BackendBuffer, DType, TypedArray } from '@tessera/core/backend';

/** What is live on one array. */
export interface Ledger {
  buffers: number;
  bytes: number;
}

/** An array that several small buffers share, or that one large buffer has for itself. When the collector takes it, its ledger is closed. */
export class Owner {
  #bytes: Uint8Array | null = null;

  constructor(
    readonly data: TypedArray,
    readonly ledger: Ledger,
  ) {}

  /** All of the array, as bytes. */
  get bytes(): Uint8Array {
    return (this.#bytes ??= new Uint8Array(this.data.buffer, this.data.byteOffset, this.data.byteLength));
  }
}

/** Element i of a buffer is `data[base + i]`: small buffers share an array. Kernels add `base` to a view's offset. */
export class CpuBuffer implements BackendBuffer {
  constructor(
    readonly dtype: DType,
    readonly length: number,
    /** Elements as PyTorch has them in memory: the halves as their 16 bits, bool and uint8 as bytes. Empty once freed. */
    public data: TypedArray,
    readonly base: number,
    /** Null once freed. */
    public owner: Owner | null,
  ) {}
}
