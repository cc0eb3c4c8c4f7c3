/**
 * @file The weight of device memory on JavaScript's collector. The engine sees handles of a few bytes, not the megabytes that they stand for, and
 * without a hint it may not look for dead ones until the device is full.
 */

/** How much unfreed memory is allocated between two hints, in bytes. Peaks above what is live stay at a few dozen times this (Node 20). */
const STEP = 8 * 1024 * 1024;

/**
 * Hints at the collector in proportion to what was allocated and not given back: a throwaway resizable ArrayBuffer puts its size on the
 * engine's account of external memory, and no page of it is ever touched. Where memory is freed promptly there are no hints.
 */
export class CollectorPressure {
  #owed = 0;

  allocated(bytes: number): void {
    this.#owed += bytes;
    if (this.#owed < STEP) return;
    weigh(this.#owed);
    this.#owed = 0;
  }

  /** Given back without the collector. */
  freed(bytes: number): void {
    this.#owed = Math.max(0, this.#owed - bytes);
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
