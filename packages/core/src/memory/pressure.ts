/**
 * @file The weight of device memory on JavaScript's collector. The engine sees handles of a few bytes, not the megabytes that they stand for, and
 * without a hint it may not look for dead ones until the device is full.
 *
 * A collection costs 5 to 20 ms, so it is asked for only when it can be worth it: when what was allocated and not given back since the last one
 * reaches half of what is live, and at least 128 MiB. Measured on the training of a small CNN on wasm (20 MiB of activations a
 * step, Node 20): a collection every 8 steps in place of one every 1.4.
 */

/** Below this no collection is asked for, in bytes. */
const FLOOR = 128 * 2 ** 20;
/** What an engine's own limit for external memory is exceeded by at once. */
const HINT = 64 * 2 ** 20;
/** To the next hint, when the collector has not come; twice as much to the one after. In a loop without an await it cannot come. */
const STEP = 16 * 2 ** 20;

/** One device's account of what the collector could free. */
export class CollectorPressure {
  #live = 0;
  /** Allocated since the last collection and not given back. */
  #owed = 0;
  #limit = FLOOR;
  #next = FLOOR;
  #step = STEP;

  allocated(bytes: number): void {
    this.#live += bytes;
    this.#owed += bytes;
    if (this.#owed >= this.#next) this.#hint();
  }

  /** Given back without the collector. */
  freed(bytes: number): void {
    this.#live -= bytes;
    this.#owed -= bytes;
    if (this.#owed < 0) this.#owed = 0;
  }

  /** Given back by a finalizer: the collector has been here. */
  collected(bytes: number): void {
    this.#live -= bytes;
    this.#owed = 0;
    this.#limit = Math.max(FLOOR, this.#live / 2);
    this.#next = this.#limit;
    this.#step = STEP;
  }

  #hint(): void {
    weigh(this.#next === this.#limit ? Math.max(this.#owed, HINT) : this.#step);
    this.#next = this.#owed + this.#step;
    this.#step *= 2;
  }
}

const resizable = 'maxByteLength' in ArrayBuffer.prototype;
type ResizableArrayBuffer = new (length: number, options: { readonly maxByteLength: number }) => ArrayBuffer;

/** A throwaway resizable ArrayBuffer puts its size on the engine's account of external memory; no page of it is ever touched. */
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
