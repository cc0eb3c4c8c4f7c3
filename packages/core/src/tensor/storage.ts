/** @file Storage: what a tensor and its views share: one value that changes by being replaced, and a version that counts the changes. */
import { gradState } from '../autograd/mode.js';
import type { Device } from '../plugin/device.js';
import type { DType } from './dtype.js';
import { abandon, materialise } from './launch.js';
import type { Memory } from './memory.js';
import { IN_MEMORY, inMemory, relabel, revive, type Value } from './value.js';

export class Storage {
  /** Raised by each write, as autograd's checks need it. PyTorch: Tensor._version. */
  version = 0;
  /** Tensors on it that were not disposed of. */
  handles = 0;
  /** Tapes that saved one of its tensors. */
  saves = 0;
  released = false;
  /** Made in inference mode: can be no part of a graph. */
  readonly inference = gradState.inference;
  #value: Value;

  constructor(value: Value) {
    this.#value = value;
    hold(value);
  }

  /** All of it, row-major. */
  get value(): Value {
    return this.#value;
  }

  get device(): Device {
    return this.#value.device;
  }

  get dtype(): DType {
    return this.#value.dtype;
  }

  get length(): number {
    return this.#value.numel;
  }

  /** Its memory, computed now if it was deferred. */
  memory(): Memory {
    const v = this.#value;
    if (v.op !== IN_MEMORY) materialise(v);
    return v.memory!;
  }

  /** Another value of the same shape and dtype from now on. Deferred readers of the old one are not disturbed. */
  replace(value: Value): void {
    const old = this.#value;
    this.#value = value;
    hold(value);
    letGo(old);
  }

  /** Memory that may be written to: its own, or a copy when deferred readers or another storage need what is there. `keep`: with its contents. */
  writable(keep: boolean, ownReaders = 0): Memory {
    const memory = this.memory();
    if (memory.pending <= ownReaders && memory.owners <= 1) return memory;
    const { shape } = this.#value;
    let fresh: Memory;
    if (keep && this.length > 0) {
      const copy = relabel(this.#value, shape, this.dtype);
      materialise(copy);
      fresh = copy.memory!;
    } else fresh = this.device.allocate(this.dtype, this.length);
    this.replace(inMemory(fresh, shape, this.length, null, 0, true));
    return fresh;
  }

  /** No tensor and no tape needs it any more. */
  release(): void {
    if (this.released) return;
    this.released = true;
    letGo(this.#value);
  }
}

/** A value is held by storages until it is in memory; then its memory is. */
function hold(v: Value): void {
  if (v.op === IN_MEMORY) v.memory!.owners++;
  else {
    if (v.abandoned) revive(v);
    v.holders++;
    v.dropped = false;
  }
}

function letGo(v: Value): void {
  if (v.op === IN_MEMORY) v.memory!.release();
  else if (--v.holders === 0) {
    v.dropped = true;
    if (v.uses === 0) abandon(v);
  }
}
