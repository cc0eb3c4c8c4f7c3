/**
 * @file Where addresses come from. Small and middle sizes are rounded to classes, eight to a doubling, and kept in a list for each class when they are
 * given back: the next tensor of that size takes 20 ns. Large ones come from ranges that merge with their neighbours. What the lists hold is merged
 * too before memory grows by much.
 */
import { FreeRanges } from './free-ranges.js';
import type { LinearMemory } from './linear-memory.js';
import { STATIC_BYTES } from './linear-memory.js';

/** Up to here classes are 16 bytes apart and blocks are cut from slabs. */
const SMALL = 1024;
const SLAB = 16 * 1024;
/** From here on there are no classes. */
const LARGE = 256 * 1024;
const SMALL_CLASSES = SMALL / 16;
const ALIGNMENT = 64;

/** The class of a size up to {@link LARGE}. */
function classOf(bytes: number): number {
  if (bytes <= SMALL) return (bytes + 15) >>> 4;
  const exponent = 31 - Math.clz32(bytes - 1);
  return SMALL_CLASSES + 1 + (exponent - 10) * 8 + (((bytes - 1) >>> (exponent - 3)) & 7);
}

/** The bytes that blocks of a class have. */
function bytesOf(sizeClass: number): number {
  if (sizeClass <= SMALL_CLASSES) return sizeClass * 16;
  const n = sizeClass - SMALL_CLASSES - 1;
  return (9 + (n & 7)) << ((n >>> 3) + 7);
}

const CLASSES = classOf(LARGE) + 1;

export class Allocator {
  readonly #memory: LinearMemory;
  readonly #ranges = new FreeRanges();
  readonly #lists: number[][] = Array.from({ length: CLASSES }, () => []);
  /** Slabs of small blocks: their addresses, by class. */
  readonly #slabs: number[][] = Array.from({ length: SMALL_CLASSES + 1 }, () => []);
  #listed = 0;
  #end: number;

  constructor(memory: LinearMemory) {
    this.#memory = memory;
    this.#ranges.give(STATIC_BYTES, memory.end - STATIC_BYTES);
    this.#end = memory.end;
  }

  /** Free bytes that need no growth. */
  get freeBytes(): number {
    return this.#ranges.total + this.#listed;
  }

  /** What a request really takes. */
  static roundUp(bytes: number): number {
    return bytes <= LARGE ? bytesOf(classOf(bytes)) : Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
  }

  /** An address, or −1 where there is no room and the engine grants no more. */
  take(bytes: number): number {
    if (bytes <= LARGE) {
      const sizeClass = classOf(bytes);
      const list = this.#lists[sizeClass];
      if (list.length > 0) {
        this.#listed -= bytesOf(sizeClass);
        return list.pop()!;
      }
      if (bytes <= SMALL) return this.#fromSlab(sizeClass);
    }
    return this.#fromRanges(Allocator.roundUp(bytes));
  }

  give(address: number, bytes: number): void {
    if (bytes > LARGE) {
      this.#ranges.give(address, Allocator.roundUp(bytes));
      return;
    }
    const sizeClass = classOf(bytes);
    this.#lists[sizeClass].push(address);
    this.#listed += bytesOf(sizeClass);
  }

  #fromSlab(sizeClass: number): number {
    const slab = this.#fromRanges(SLAB);
    if (slab < 0) return -1;
    this.#slabs[sizeClass].push(slab);
    const size = bytesOf(sizeClass);
    const count = Math.floor(SLAB / size);
    const list = this.#lists[sizeClass];
    for (let i = count - 1; i > 0; i--) list.push(slab + i * size);
    this.#listed += (count - 1) * size;
    return slab;
  }

  #fromRanges(size: number): number {
    const at = this.#ranges.take(size);
    if (at >= 0) return at;
    // Much that lies in lists may merge to what is wanted.
    if (this.#listed > Math.max(size, (this.#end - STATIC_BYTES) >>> 3)) {
      this.trim();
      const merged = this.#ranges.take(size);
      if (merged >= 0) return merged;
    }
    const grown = this.#grow(size);
    if (grown >= 0 || this.#listed === 0) return grown;
    this.trim();
    const merged = this.#ranges.take(size);
    return merged >= 0 ? merged : this.#grow(size);
  }

  #grow(size: number): number {
    const memory = this.#memory;
    if (!memory.grow(this.#end + size - this.#ranges.tail(this.#end))) return -1;
    this.#ranges.give(this.#end, memory.end - this.#end);
    this.#end = memory.end;
    return this.#ranges.take(size);
  }

  /** Gives what the lists hold back to the ranges, where it merges; slabs only when they are wholly free. */
  trim(): void {
    for (let sizeClass = SMALL_CLASSES + 1; sizeClass < CLASSES; sizeClass++) {
      const size = bytesOf(sizeClass);
      for (const address of this.#lists[sizeClass]) this.#ranges.give(address, size);
      this.#listed -= this.#lists[sizeClass].length * size;
      this.#lists[sizeClass].length = 0;
    }
    for (let sizeClass = 1; sizeClass <= SMALL_CLASSES; sizeClass++) this.#trimSlabs(sizeClass);
  }

  #trimSlabs(sizeClass: number): void {
    const slabs = this.#slabs[sizeClass];
    if (slabs.length === 0) return;
    const size = bytesOf(sizeClass);
    const count = Math.floor(SLAB / size);
    const free = new Map<number, number>(slabs.map((slab) => [slab, 0]));
    const sorted = slabs.toSorted((a, b) => a - b);
    const slabOf = (address: number): number => {
      let low = 0;
      for (let high = sorted.length; high - low > 1;) {
        const middle = (low + high) >>> 1;
        if (sorted[middle] <= address) low = middle;
        else high = middle;
      }
      return sorted[low];
    };
    for (const address of this.#lists[sizeClass]) free.set(slabOf(address), free.get(slabOf(address))! + 1);
    if (![...free.values()].includes(count)) return;
    this.#lists[sizeClass] = this.#lists[sizeClass].filter((address) => free.get(slabOf(address)) !== count);
    this.#slabs[sizeClass] = slabs.filter((slab) => free.get(slab) !== count);
    for (const [slab, blocks] of free) {
      if (blocks !== count) continue;
      this.#ranges.give(slab, SLAB);
      this.#listed -= count * size;
    }
  }
}
