/** @file Memory: one buffer of a backend, who still needs it, and when it is given back. */
import type { BackendBuffer } from '../backend/contract.js';
import { scopes } from '../memory/scope.js';
import type { Device } from '../plugin/device.js';
import { type DType, DTYPE_INFO } from './dtype.js';

/** What the finalizer of a {@link Memory} holds: enough to free the buffer, and no way back to the object. */
interface Ticket {
  readonly device: Device;
  readonly buffer: BackendBuffer;
  readonly bytes: number;
  freed: boolean;
}

const backstop = new FinalizationRegistry<Ticket>((ticket) => {
  try {
    if (giveBack(ticket)) ticket.device.pressure.collected(ticket.bytes);
  } catch {
    // Its backend has ended, and the memory with it; an error here would have nobody to catch it.
  }
});

function giveBack(ticket: Ticket): boolean {
  if (ticket.freed) return false;
  ticket.freed = true;
  ticket.device.released(ticket.buffer);
  return true;
}

/**
 * A buffer. It is freed when its storage has let go of it and no deferred value will read it any more, or when the collector finds that
 * nothing refers to it.
 */
export class Memory {
  readonly bytes: number;
  /** Deferred values that will read it when they are launched. A whole-tensor write that finds some takes fresh memory. */
  pending = 0;
  /** Storages that hold it. A write in place that finds two takes fresh memory. */
  owners = 0;
  /** Its storage has let go: the last pending reader frees it. */
  #orphan = false;
  readonly #ticket: Ticket;

  constructor(
    readonly device: Device,
    readonly buffer: BackendBuffer,
    readonly dtype: DType,
    readonly length: number,
  ) {
    this.bytes = length * DTYPE_INFO[dtype].size;
    this.#ticket = { device, buffer, bytes: this.bytes, freed: false };
    if (!device.collected) {
      backstop.register(this, this.#ticket);
      device.pressure.allocated(this.bytes);
    }
    if (scopes.current !== null) scopes.current.trackMemory(this);
  }

  get freed(): boolean {
    return this.#ticket.freed;
  }

  /** A storage that held it does so no more. */
  release(): void {
    if (--this.owners <= 0) this.abandon();
  }

  /** No storage holds it: freed now, or by the last pending reader. */
  abandon(): void {
    if (this.pending > 0) this.#orphan = true;
    else this.#free();
  }

  /** One deferred reader less. */
  settle(): void {
    if (--this.pending === 0 && this.#orphan) this.#free();
  }

  #free(): void {
    if (giveBack(this.#ticket) && !this.device.collected) this.device.pressure.freed(this.bytes);
  }
}
