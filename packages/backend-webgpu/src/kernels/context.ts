/** @file What kernels work with: the launcher, and memory for what they need in between. */
import type { DType } from '@tessera/core/backend';
import type { Launcher } from '../device/launcher.js';
import type { BufferPool } from '../memory/buffer-pool.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';

/** Invocations of a workgroup where a kernel needs no other number: every adapter allows it. */
export const WORKGROUP = 256;

export class Context {
  readonly #scratch: WebGpuBuffer[] = [];

  constructor(
    readonly launcher: Launcher,
    readonly pool: BufferPool,
  ) {}

  /** Memory until {@link release}. What is launched later may get it again: commands take effect in order. */
  scratch(dtype: DType, length: number): WebGpuBuffer {
    const buffer = this.pool.allocate(dtype, Math.max(1, length));
    this.#scratch.push(buffer);
    return buffer;
  }

  /** Gives back all scratch memory, at the end of a kernel's call. */
  release(): void {
    for (let i = this.#scratch.length - 1; i >= 0; i--) this.pool.free(this.#scratch[i]);
    this.#scratch.length = 0;
  }
}

export const groupsFor = (invocations: number, workgroup = WORKGROUP): number => Math.max(1, Math.ceil(invocations / workgroup));
