/**
 * @file The one WebAssembly.Memory of a backend, and typed arrays over all of it. Growing it detaches the arrays of a plain memory and leaves those of
 * a shared one short, so they are made anew by {@link LinearMemory.grow}: read `memory.f32` each time, and keep no view across an allocation.
 */
import { MemoryError } from '@tessera/core/backend';

export const PAGE = 65536;
const MAX_PAGES = 65536;
/** Addresses below are no heap: arguments of kernels, the threads' control block. Address 0 is never used. */
export const STATIC_BYTES = 65536;
/** Arguments of the kernel that is being called. */
export const ARGUMENTS = 1024;
export const ARGUMENTS_BYTES = 15 * 1024;
/** The threads' control block. */
export const CONTROL = 16 * 1024;
/** Vector constants of compiled code, up to the heap. */
export const CONSTANTS = 20 * 1024;
/** Kernels may read (never write) up to this far behind what they were given: the end of memory is not handed out. */
const SLACK = 4096;

export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  readonly shared: boolean;
  readonly maxBytes: number;
  u8!: Uint8Array;
  u16!: Uint16Array;
  i32!: Int32Array;
  u32!: Uint32Array;
  f32!: Float32Array;
  f64!: Float64Array;

  /**
   * @param shared Whether threads are to share it.
   * @param maxBytes How far it may grow; less where the engine grants less.
   */
  constructor(shared: boolean, maxBytes: number) {
    this.shared = shared;
    let pages = Math.min(MAX_PAGES, Math.max(32, Math.ceil(maxBytes / PAGE)));
    for (;;) {
      try {
        this.memory = new WebAssembly.Memory({ initial: 32, maximum: pages, shared });
        break;
      } catch (cause) {
        // Engines that reserve address space may have less than asked for.
        pages >>>= 1;
        if (pages < 32)
          throw new MemoryError('ERR_OUT_OF_MEMORY', 'wasm: the engine grants no memory', { device: 'wasm', cause: String(cause) });
      }
    }
    this.maxBytes = pages * PAGE - SLACK;
    this.#look();
  }

  /** Bytes that may be handed out. */
  get end(): number {
    return this.u8.length - SLACK;
  }

  #look(): void {
    const { buffer } = this.memory;
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
  }

  /** Makes `end` at least so much, and more if it can: growing costs the more the oftener. False where the engine refuses. */
  grow(end: number): boolean {
    if (end > this.maxBytes) return false;
    const have = this.u8.length / PAGE;
    const needed = Math.ceil((end + SLACK) / PAGE) - have;
    const generous = Math.min(Math.max(needed, 256, have >>> 2), (this.maxBytes + SLACK) / PAGE - have);
    for (const pages of [generous, needed]) {
      try {
        this.memory.grow(pages);
        this.#look();
        return true;
      } catch {
        // The next, smaller, may go.
      }
    }
    return false;
  }
}
