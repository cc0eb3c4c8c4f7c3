/** @file Memory: one buffer of a backend, who still needs it, and when it is given back. */
import type { BackendBuffer } from '../backend/contract.js';
import type { Group } from '../memory/backstop.js';
import { scopes } from '../memory/scope.js';
import type { Device } from '../plugin/device.js';
import { type DType, DTYPE_INFO } from './dtype.js';
import type { Producer } from './producer.js';

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
  /** Null until the producer has run. */
  #buffer: BackendBuffer | null;
  /** The kernel that is still to write it; null where that was done. */
  producer: Producer | null;
  /** Null where the engine's collector owns the buffer. */
  #group: Group | null = null;
  #place = 0;

  /** @param buffer Null where `producer` is to write one when it is needed. */
  constructor(
    readonly device: Device,
    buffer: BackendBuffer | null,
    readonly dtype: DType,
    readonly length: number,
    producer: Producer | null = null,
  ) {
    this.bytes = length * DTYPE_INFO[dtype].size;
    this.producer = producer;
    this.#buffer = buffer;
    if (buffer !== null) this.#own(buffer);
    if (producer !== null) for (const v of producer.reads) v.memory!.pending++;
    if (scopes.current !== null) scopes.current.trackMemory(this);
  }

  /** What it holds is computed now, if it was only promised. */
  get buffer(): BackendBuffer {
    if (this.producer !== null) this.#produce(this.producer);
    return this.#buffer!;
  }

  get freed(): boolean {
    return this.#freed;
  }

  #own(buffer: BackendBuffer): void {
    const { backstop } = this.device;
    if (backstop === null) return;
    this.#group = backstop.watch(this, buffer, this.bytes);
    this.#place = this.#group.ticket.buffers.length - 1;
  }

  #produce(producer: Producer): void {
    producer.run(this.claim());
    this.producer = null;
    this.#letGo(producer);
  }

  /** A buffer for what was promised, without its contents. */
  claim(): BackendBuffer {
    if (this.#buffer === null) this.#own((this.#buffer = this.device.buffer(this.dtype, this.length)));
    return this.#buffer;
  }

  /** The kernel that was to write it is launched by somebody else, or not at all: see {@link settled}. */
  take(): Producer {
    const producer = this.producer!;
    this.producer = null;
    return producer;
  }

  /** That was done: it is written, or freed. Where it is neither, somebody may want it yet: the producer goes back. */
  settled(producer: Producer, written: boolean): void {
    if (written || this.#freed) this.#letGo(producer);
    else this.producer = producer;
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
    const { producer } = this;
    if (producer !== null) {
      this.producer = null;
      this.#letGo(producer);
    }
    if (this.#buffer !== null) this.device.released(this.#buffer);
    if (this.#group !== null) this.device.backstop!.freed(this.#group, this.#place, this.bytes);
  }

  /** It waits no more, nor do its operands. */
  #letGo(producer: Producer): void {
    this.device.settled(this);
    for (const v of producer.reads) v.memory!.settle();
  }
}
