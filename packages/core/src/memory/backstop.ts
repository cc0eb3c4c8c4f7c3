/**
 * @file The backstop: what nobody disposed of is freed when the collector finds that nothing refers to it.
 *
 * Telling the collector of an object costs as much as the rest of a small op, and each one told of is looked at in every collection. So small
 * memories are told of in groups: each member refers to its group, and when the last of them is gone, the group is, and all are freed. One that
 * is disposed of is freed at once. A small tensor that lives long keeps at most its group from being freed; hence those of a few elements, such as
 * losses in a list, have groups of their own.
 */
import type { Backend, BackendBuffer } from '../backend/contract.js';
import { DTYPE_INFO } from '../tensor/dtype.js';
import { CollectorPressure } from './pressure.js';

/** Up to so many bytes memories are grouped … */
const SMALL = 1024;
const SMALL_GROUP = 8;
/** … and up to so many with others of their kind only. */
const TINY = 64;
const TINY_GROUP = 32;

/** Where the buffers lie that a finalizer frees; no way back to the objects that are collected. */
interface Ticket {
  readonly backstop: Backstop;
  /** Null once freed. */
  readonly buffers: (BackendBuffer | null)[];
}

const registry = new FinalizationRegistry<Ticket>(({ backstop, buffers }) => {
  for (const buffer of buffers) if (buffer !== null) backstop.collected(buffer);
});

/** What a memory holds: its place among those that are freed together. */
export interface Group {
  readonly ticket: Ticket;
}

/** One device's. */
export class Backstop {
  readonly #backend: () => Backend;
  readonly #pressure = new CollectorPressure();
  /** What a buffer weighs besides its elements, in bytes. Those that weigh something are not grouped. */
  readonly #overhead: number;
  #small: Group;
  #tiny: Group;

  constructor(backend: () => Backend, overhead: number) {
    this.#backend = backend;
    this.#overhead = overhead;
    this.#small = this.#newGroup();
    this.#tiny = this.#newGroup();
  }

  /** Watches over `owner`, whose buffer it is. Answers the group, which the owner must refer to; its place there is the last one. */
  watch(owner: object, buffer: BackendBuffer, bytes: number): Group {
    this.#pressure.allocated(bytes + this.#overhead);
    if (bytes > SMALL || this.#overhead > 0) {
      const ticket: Ticket = { backstop: this, buffers: [buffer] };
      registry.register(owner, ticket);
      return { ticket };
    }
    const tiny = bytes <= TINY;
    let group = tiny ? this.#tiny : this.#small;
    if (group.ticket.buffers.length === (tiny ? TINY_GROUP : SMALL_GROUP)) {
      group = this.#newGroup();
      if (tiny) this.#tiny = group;
      else this.#small = group;
    }
    group.ticket.buffers.push(buffer);
    return group;
  }

  /** A member was given back by its owner. */
  freed(group: Group, place: number, bytes: number): void {
    group.ticket.buffers[place] = null;
    this.#pressure.freed(bytes + this.#overhead);
  }

  /** @internal The collector took the owner of a buffer. */
  collected(buffer: BackendBuffer): void {
    try {
      this.#backend().free(buffer);
    } catch {
      // Its backend has ended, and the memory with it; an error here would have nobody to catch it.
      return;
    }
    this.#pressure.collected(buffer.length * DTYPE_INFO[buffer.dtype].size + this.#overhead);
  }

  #newGroup(): Group {
    const group: Group = { ticket: { backstop: this, buffers: [] } };
    registry.register(group, group.ticket);
    return group;
  }
}
