/** @file Memory: one buffer of a backend, who still needs it, and when it is given back. */
import type { BackendBuffer } from '../backend/contract.js';
import type { Group } from '../memory/backstop.js';
import { scopes } from '../memory/scope.js';
import type { Device } from '../plugin/device.js';
import { type DType, DTYPE_INFO } from './dtype.js';

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
  #freed = false;
  /** Null where the engine's collector owns the buffer. */
  readonly #group: Group | null;
  readonly #place: number;

  constructor(
    readonly device: Device,
    readonly buffer: BackendBuffer,
    readonly dtype: DType,
    readonly length: number,
  ) {
    this.bytes = length * DTYPE_INFO[dtype].size;
    this.#group = device.backstop === null ? null : device.backstop.watch(this, buffer, this.bytes);
    this.#place = this.#group === null ? 0 : this.#group.ticket.buffers.length - 1;
    if (scopes.current !== null) scopes.current.trackMemory(this);
  }

  get freed(): boolean {
    return this.#freed;
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
    if (this.#freed) return;
    this.#freed = true;
    this.device.released(this.buffer);
    if (this.#group !== null) this.device.backstop!.freed(this.#group, this.#place, this.bytes);
  }
}
