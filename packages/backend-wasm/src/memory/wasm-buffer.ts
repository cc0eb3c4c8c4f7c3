/** @file A piece of the linear memory. */
import type { BackendBuffer, DType } from '@tessera/core/backend';

export class WasmBuffer implements BackendBuffer {
  freed = false;

  constructor(
    readonly dtype: DType,
    readonly length: number,
    /** Where its first byte is: a multiple of 16, of 64 for large ones; unsigned, up to 4 GiB. */
    readonly address: number,
    readonly bytes: number,
  ) {}
}
