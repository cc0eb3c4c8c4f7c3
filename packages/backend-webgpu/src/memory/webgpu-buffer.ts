/** @file A piece of the GPU's memory. */
import type { BackendBuffer, DType } from '@tessera/core/backend';

/** Elements lie as PyTorch has them in host memory: 1-byte types four to a word, the halves two to a word. */
export class WebGpuBuffer implements BackendBuffer {
  constructor(
    readonly dtype: DType,
    readonly length: number,
    /** What the queue calls it; another buffer may get the same memory, under the same id, once this one is freed. */
    readonly id: number,
    /** Of the memory behind it, which may be longer. */
    readonly capacity: number,
    public freed = false,
  ) {}
}
