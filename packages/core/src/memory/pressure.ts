/**
 * @file The weight of device memory on JavaScript's collector. The engine sees handles of a few bytes, not the megabytes that they stand for, and
 * without a hint it may not look for dead ones until the device is full.
 *
 * A collection costs 5 to 20 ms, so it is asked for only when it can be worth it: when what was allocated and not given back since the last one
 * reaches half of what is live, and at least 128 MiB or 2,048 buffers. Measured on the training of a small CNN on wasm (20 MiB of activations a
 * step, Node 20): a collection every 8 steps in place of one every 1.4.
 */

/** Below this no collection is asked for, in bytes. */
const FLOOR = 128 * 2 ** 20;
/** Nor below so many buffers: small ones have a cost of their own. */
const MANY = 2048;
/** What an engine's own limit for external memory is exceeded by at once. */
const HINT = 64 * 2 ** 20;
/** Between further hints, until the collector has come. */
const STEP = 16 * 2 ** 20;
const STEP_BUFFERS = 512;

/** One device's account of what the collector could free. */
export class CollectorPressure {
  #live = 0;
  /** Allocated since the last collection and not given back. */
  #owed = 0;
  #buffers = 0;
  #limit = FLOOR;
  #nextBytes = FLOOR;
  #nextBuffers = MANY;

  allocated(bytes: number): void {
    this.#live += bytes;
    this.#owed += bytes;
    this.#buffers++;
    if (this.#owed >= this.#nextBytes || this.#buffers >= this.#nextBuffers) this.#hint();
  }

  /** Given back without the collector. */
  freed(bytes: number): void {
    this.#live -= bytes;
    this.#owed -= bytes;
    if (this.#owed < 0) this.#owed = 0;
    if (this.#buffers > 0) this.#buffers--;
  }

  /** Given back by a finalizer: the collector has been here. */
  collected(bytes: number): void {
    this.#live -= bytes;
    this.#owed = 0;
    this.#buffers = 0;
    this.#limit = Math.max(FLOOR, this.#live / 2);
    this.#nextBytes = this.#limit;
    this.#nextBuffers = MANY;
  }

  /** A throwaway resizable ArrayBuffer puts its size on the engine's account of external memory; no page of it is ever touched. */
  #hint(): void {
    const first = this.#nextBytes === this.#limit && this.#nextBuffers === MANY;
    weigh(first ? Math.max(this.#owed, HINT) : STEP);
    this.#nextBytes = this.#owed + STEP;
    this.#nextBuffers = this.#buffers + STEP_BUFFERS;
  }
}

const resizable = 'maxByteLength' in ArrayBuffer.prototype;
type ResizableArrayBuffer = new (length: number, options: { readonly maxByteLength: number }) => ArrayBuffer;

function weigh(bytes: number): void {
  const length = Math.min(bytes, 2 ** 30);
  try {
    // oxlint-disable-next-line no-new -- its weight is all that is wanted of it
    if (resizable) new (ArrayBuffer as unknown as ResizableArrayBuffer)(length, { maxByteLength: length });
    // oxlint-disable-next-line no-new -- as above; an engine without resizable buffers zeroes it
    else new ArrayBuffer(length);
  } catch {
    // No address space for it: the collector has been told by that too.
  }
}
