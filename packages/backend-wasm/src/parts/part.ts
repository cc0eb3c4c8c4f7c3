/**
 * @file What a part of the backend is. The backend itself is memory, code generation and the pointwise kernel; all else is a part, and a bundle holds the
 * parts that its program names.
 */
import type { AcceleratedKernels, RequiredKernels } from '@tessera/core/backend';
import type { KernelHost } from '../code/kernel-host.js';
import type { WinogradChoice } from '../convolution/winograd/winograd-choice.js';
import type { Rearranger } from '../kernels/rearrange.js';
import type { Machine } from '../machine/machine.js';
import type { VectorFunction } from '../math/library.js';
import type { LinearMemory } from '../memory/linear-memory.js';
import type { WasmBuffer } from '../memory/wasm-buffer.js';
import type { ThreadPool } from '../threads/thread-pool.js';

export type WasmKernels = RequiredKernels<WasmBuffer> & Partial<AcceleratedKernels<WasmBuffer>>;

/** How threads are had. */
export interface Threading {
  /** May threads share memory here? */
  available(): boolean;
  /** How many there are, where nobody says it. */
  defaultCount(): number;
  /** @param place Puts bytes into the memory for good, and gives their address. */
  create(memory: LinearMemory, count: number, place: (bytes: Uint8Array) => number): ThreadPool;
}

/** What other parts have brought that a kernel can do with or without. */
export interface PartContext {
  readonly machine: Machine;
  readonly host: KernelHost;
  readonly winograd: ((host: KernelHost) => WinogradChoice) | null;
}

/** A part: kernels, functions for pointwise programs, or means that kernels do with or without. Immutable; backends share it. */
export interface WasmPart {
  /** As it is exported. */
  readonly name: string;
  readonly kernels?: (context: PartContext) => Partial<WasmKernels>;
  /** Functions that WebAssembly lacks, by their names. */
  readonly functions?: Readonly<Record<string, VectorFunction>>;
  readonly threading?: Threading;
  readonly rearranger?: (machine: Machine) => Rearranger;
  readonly winograd?: (host: KernelHost) => WinogradChoice;
}

/** The parts that bring what must not be missing, for what is said where one is. */
export const PART_OF_KERNEL: { readonly [K in Exclude<keyof RequiredKernels, 'pointwise'>]: string } = {
  reduce: 'reductions',
  scan: 'scans',
  matmul: 'products',
  gather: 'indexing',
  scatter: 'indexing',
  sort: 'sorting',
};
