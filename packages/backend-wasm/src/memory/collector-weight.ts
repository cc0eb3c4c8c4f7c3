/**
 * @file The weight of buffers on the engine's collector. A handle is a small object, whatever it stands for, so the collector would let gigabytes of
 * dead handles lie. For each {@link STEP} bytes by which live memory has grown one resizable ArrayBuffer of that size is made and dropped: it counts
 * as external memory, takes none (its pages are never touched), and makes the collector run when as much garbage as that has come to be.
 *
 * What is given back without the collector's help (a training step frees most of what it made) needs no weight: it counts against growth, up to
 * {@link CREDIT}. Garbage is bounded by about twice that; a step that frees what it allocates causes no collection at all.
 */

/** Larger steps cost less and let more garbage lie: of 1 MiB tensors dropped one after another 0.65, 1 and 1.3 GiB at most with 4, 8 and 16 MiB. */
const STEP = 4 * 1024 * 1024;
/** V8 collects after 64 MiB of external memory; more credit than that would only let more garbage lie. */
const CREDIT = 64 * 1024 * 1024;

type Resizable = new (length: number, options: { maxByteLength: number }) => ArrayBuffer;

export class CollectorWeight {
  #debt = 0;

  add(bytes: number): void {
    this.#debt += bytes;
    if (this.#debt >= STEP) this.#pay();
  }

  /** So many bytes were given back. */
  subtract(bytes: number): void {
    this.#debt = Math.max(this.#debt - bytes, -CREDIT);
  }

  #pay(): void {
    const steps = Math.floor(this.#debt / STEP);
    this.#debt -= steps * STEP;
    try {
      void new (ArrayBuffer as unknown as Resizable)(steps * STEP, { maxByteLength: steps * STEP });
    } catch {
      // No room for the weight itself: the allocation that comes next says so.
    }
  }
}
