/** @file Vector constants in the static part of the memory, each once. */
import type { ConstantPool } from '../assembler/index.js';
import { CONSTANTS, type LinearMemory, STATIC_BYTES } from '../memory/linear-memory.js';

export class StaticConstants implements ConstantPool {
  readonly #memory: LinearMemory;
  readonly #known = new Map<string, number>();
  #next = CONSTANTS;

  constructor(memory: LinearMemory) {
    this.#memory = memory;
  }

  addressOf(bytes: Uint8Array, size: 4 | 8 | 16): number {
    const part = bytes.subarray(0, size);
    const key = part.join();
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const address = Math.ceil(this.#next / size) * size;
    if (address + size > STATIC_BYTES) return -1;
    this.#memory.u8.set(part, address);
    this.#next = address + size;
    this.#known.set(key, address);
    return address;
  }
}
