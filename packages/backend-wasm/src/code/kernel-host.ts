/** @file How the kernels of this backend are launched: modules compiled once, arguments, scratch. */
import type { View } from '@tessera/core/backend';
import type { ModuleBuilder } from '../assembler/index.js';
import type { Kernel, Machine } from '../machine/machine.js';
import { ARGUMENTS } from '../memory/linear-memory.js';
import type { WasmBuffer } from '../memory/wasm-buffer.js';

/** The values of a task's fields, in order; groups of them are only for reading. */
export type Fields = readonly (number | readonly number[])[];
export type WasmView = View<WasmBuffer>;

/** Bytes an element. */
const SIZES = { float32: 4, float64: 8, float16: 2, bfloat16: 2, int32: 4, uint8: 1, bool: 1 } as const;
/** How many blocks of work there are for each thread, where there is enough: more even themselves out better and cost more. */
const BLOCKS = 4;
/** Scratch is kept between launches up to this many bytes. */
const KEPT_SCRATCH = 32 << 20;

/** The address of a view's first element. */
export const addressOf = ({ buffer, dtype, offset }: WasmView): number => buffer.address + offset * SIZES[dtype];

export class KernelHost {
  readonly #modules = new Map<string, (name: string) => Kernel>();
  #scratch = 0;
  #scratchBytes = 0;

  constructor(readonly machine: Machine) {}

  get threads(): number {
    return this.machine.threadCount;
  }

  /** The kernels of a module, emitted and compiled at its first use. */
  module(key: string, emit: (module: ModuleBuilder) => void): (name: string) => Kernel {
    let kernels = this.#modules.get(key);
    if (kernels === undefined) {
      const module = this.machine.newModule();
      emit(module);
      const compiled = this.machine.compile(module);
      kernels = (name) => compiled.kernel(name);
      this.#modules.set(key, kernels);
    }
    return kernels;
  }

  /** Calls `run` with the address of memory that is its own meanwhile. */
  withMemory(bytes: number, run: (address: number) => void): void {
    const { memory } = this.machine;
    const address = memory.scratch(bytes);
    try {
      run(address);
    } finally {
      memory.endScratch(address, bytes);
    }
  }

  /**
   * Runs `count` units of a task, whose fields are given in groups. `scratch` bytes belong to each thread; `cost` is what all may take on one
   * thread, in ns.
   */
  launch(kernel: Kernel, fields: Fields, count: number, scratch: number, cost: number): void {
    const bytes = Math.ceil(scratch / 64) * 64 + 64;
    const total = bytes * this.threads;
    if (total > this.#scratchBytes) this.#reserve(total);
    const { i32 } = this.machine.linear;
    i32[ARGUMENTS >> 2] = this.#scratch;
    i32[(ARGUMENTS >> 2) + 1] = bytes;
    let at = (ARGUMENTS >> 2) + 2;
    for (let g = 0; g < fields.length; g++) {
      const group = fields[g];
      if (typeof group === 'number') i32[at++] = group;
      else for (let i = 0; i < group.length; i++) i32[at++] = group[i];
    }
    this.machine.parallel(kernel, count, Math.max(1, Math.floor(count / (this.threads * BLOCKS))), cost);
    if (this.#scratchBytes > KEPT_SCRATCH) this.#reserve(0);
  }

  #reserve(bytes: number): void {
    const { memory } = this.machine;
    if (this.#scratchBytes > 0) memory.endScratch(this.#scratch, this.#scratchBytes);
    this.#scratchBytes = 0;
    if (bytes === 0) return;
    this.#scratch = memory.scratch(bytes);
    this.#scratchBytes = bytes;
  }
}
