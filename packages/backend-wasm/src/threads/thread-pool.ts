/**
 * @file The workers, and how a kernel is run by all of them. They are started when work that is worth it first comes, and until they are up the
 * caller does all alone. Workers spin for some 40 µs after a job and then sleep; blocks of work are taken from an atomic counter, so a worker that
 * comes late, or never, only leaves more for the others.
 */
import { DeviceError } from '@tessera/core/backend';
import type { Kernel } from '../machine/machine.js';
import { ARGUMENTS, CONTROL, type LinearMemory } from '../memory/linear-memory.js';
import * as control from './control-block.js';
import { startWorker, type WorkerHandle } from './start-worker.js';

/** Work in ns that has to have come up before workers are started: starting one takes some 100 ms. */
const WORTH_STARTING = 5_000_000;
/** Rounds of looking before the caller sleeps until workers have left a job. */
const SPINS = 50_000;

/** Whether this thread may sleep: the main thread of a page may not. */
const canWait = ((): boolean => {
  if (typeof SharedArrayBuffer !== 'function') return false;
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
})();

export class ThreadPool {
  readonly #linear: LinearMemory;
  readonly #words: Int32Array;
  readonly #place: (bytes: Uint8Array) => number;
  /** Where the modules' bytes are, by their numbers. */
  readonly #placed: (number | undefined)[] = [];
  /** Those that were started. */
  readonly workers: WorkerHandle[] = [];
  #started = false;
  #seen = 0;
  #job = 0;
  #failure: DeviceError | null = null;

  /**
   * @param size How many threads run a kernel, the calling one included.
   * @param place Puts bytes into the memory for good, and gives their address.
   * @param lostAfter A job whose workers have not come back for so long (in ms) has lost one of them.
   */
  constructor(
    linear: LinearMemory,
    readonly size: number,
    place: (bytes: Uint8Array) => number,
    readonly lostAfter = 30_000,
  ) {
    this.#linear = linear;
    this.#place = place;
    this.#words = new Int32Array(linear.memory.buffer, CONTROL, control.WORDS);
  }

  /** Workers that are up. */
  get ready(): number {
    return Atomics.load(this.#words, control.READY);
  }

  /** @throws DeviceError `ERR_WORKER_LOST` once after a worker has died. */
  check(): void {
    if (this.#failure === null) return;
    const failure = this.#failure;
    this.#failure = null;
    throw failure;
  }

  /** Starts the workers, if that was not done yet. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    for (let thread = 1; thread < this.size; thread++) {
      const worker = startWorker({ memory: this.#linear.memory, at: CONTROL, thread }, (reason) => this.#died(thread, reason));
      if (worker === null) return;
      this.workers.push(worker);
    }
  }

  #died(thread: number, reason: string): void {
    if (Atomics.load(this.#words, control.STOP) !== 0) return;
    // None ever came up: a page's policy or the machine forbids them, and the caller does all alone, as it did so far.
    if (this.ready === 0) return;
    // The others do its work from now on.
    this.#failure ??= new DeviceError('ERR_WORKER_LOST', `wasm: worker ${thread} of ${this.size - 1} died: ${reason}`, { device: 'wasm' });
  }

  run(kernel: Kernel, count: number, grain: number, cost: number): void {
    this.check();
    if (!this.#started) {
      this.#seen += cost;
      if (this.#seen >= WORTH_STARTING) this.start();
    }
    const c = this.#words;
    if (Atomics.load(c, control.READY) === 0) {
      kernel.run(ARGUMENTS, 0, count, 0);
      return;
    }
    const { id, bytes } = kernel.module;
    this.#job = (this.#job % 0x7fffffff) + 1;
    c[control.MODULE_ADDRESS] = this.#placed[id] ??= this.#place(bytes);
    c[control.MODULE_LENGTH] = bytes.length;
    c[control.MODULE_ID] = id;
    c[control.EXPORT] = kernel.index;
    c[control.ARGUMENTS_AT] = ARGUMENTS;
    c[control.COUNT] = count;
    c[control.GRAIN] = grain;
    Atomics.store(c, control.NEXT, 0);
    Atomics.store(c, control.OPEN, this.#job);
    Atomics.store(c, control.NEWEST, this.#job);
    Atomics.notify(c, control.NEWEST);
    try {
      for (let begin; (begin = Atomics.add(c, control.NEXT, grain)) < count;)
        kernel.run(ARGUMENTS, begin, Math.min(begin + grain, count), 0);
    } finally {
      Atomics.store(c, control.OPEN, 0);
      this.#awaitWorkers();
    }
    if (Atomics.load(c, control.FAILED) !== 0) this.#failed();
  }

  /** Until all workers have left the job. */
  #awaitWorkers(): void {
    const c = this.#words;
    for (let spin = 0; spin < SPINS; spin++) if (Atomics.load(c, control.ACTIVE) === 0) return;
    const start = performance.now();
    for (let active: number; (active = Atomics.load(c, control.ACTIVE)) !== 0;) {
      if (canWait) Atomics.wait(c, control.ACTIVE, active, Math.min(1000, this.lostAfter));
      if (performance.now() - start < this.lostAfter) continue;
      this.stop();
      throw new DeviceError('ERR_WORKER_LOST', `wasm: ${active} of ${this.size - 1} workers did not come back from a kernel`, {
        device: 'wasm',
      });
    }
  }

  #failed(): never {
    const c = this.#words;
    const bytes = new Uint8Array(this.#linear.memory.buffer, CONTROL + control.MESSAGE * 4, c[control.MESSAGE_LENGTH]).slice();
    Atomics.store(c, control.FAILED, 0);
    throw new DeviceError('ERR_WORKER_FAILED', `wasm: a kernel failed on a worker: ${new TextDecoder().decode(bytes)}`, { device: 'wasm' });
  }

  /** Ends the workers; the caller works alone from now on. */
  stop(): void {
    const c = this.#words;
    Atomics.store(c, control.STOP, 1);
    Atomics.notify(c, control.NEWEST);
    for (const worker of this.workers.splice(0)) worker.terminate();
    Atomics.store(c, control.READY, 0);
  }
}
