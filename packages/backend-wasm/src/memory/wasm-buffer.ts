/** @file A piece of the linear memory. Of dropped tensors one of these is left until the collector has found them: it has no field that it can do without. */
import { type BackendBuffer, type DType, DTYPE_INFO } from '@tessera/core/backend';

export class WasmBuffer implements BackendBuffer {
  /** Where its first byte is: a multiple of 16, of 64 for large ones; unsigned, up to 4 GiB. 0 once it was given back. */
  address: number;

  constructor(
    readonly dtype: DType,
    readonly length: number,
    address: number,
  ) {
    this.address = address;
  }

  get bytes(): number {
    return this.length * DTYPE_INFO[this.dtype].size;
  }

  get freed(): boolean {
    return this.address === 0;
  }
}
