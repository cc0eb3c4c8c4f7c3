/** @file The loader's side of its workers: tasks out, samples back in order, errors with the stack that they have over there. */
import { TesseraError, ValueError } from '@tessera/core';
import { type FromWorker, unpackSample } from './messages.js';
import { startWorker, type WorkerPort } from './port.js';

/** An error in a worker. The message holds the worker's own stack. */
export class WorkerError extends TesseraError {
  static override readonly typeName = 'WorkerError';
}

interface Task {
  readonly resolve: (answer: { samples: unknown[]; done: boolean }) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout> | null;
}

/** One running worker. */
class Hand {
  readonly #tasks = new Map<number, Task>();
  #ready: { resolve: (length: number | null) => void; reject: (error: Error) => void } | null = null;
  #next = 0;
  #dead: Error | null = null;

  constructor(
    readonly port: WorkerPort,
    readonly id: number,
    readonly timeout: number,
  ) {
    port.onMessage((message) => this.#receive(message));
    port.onEnd((reason, stack) =>
      this.#fail(new WorkerError('ERR_WORKER_DIED', `DataLoader worker ${id} died: ${reason}${stack === '' ? '' : `\n${stack}`}`)),
    );
  }

  start(numWorkers: number, seed: number): Promise<number | null> {
    if (this.#dead !== null) throw this.#dead;
    this.port.hold(true);
    return new Promise((resolve, reject) => {
      this.#ready = { resolve, reject };
      this.port.post({ type: 'start', id: this.id, numWorkers, seed });
    });
  }

  ask(request: { readonly indices: readonly number[] } | { readonly count: number }): Promise<{ samples: unknown[]; done: boolean }> {
    const task = this.#next++;
    return new Promise((resolve, reject) => {
      if (this.#dead !== null) {
        reject(this.#dead);
        return;
      }
      const timer =
        this.timeout > 0
          ? setTimeout(
              () =>
                this.#fail(new WorkerError('ERR_WORKER_TIMEOUT', `DataLoader worker ${this.id} gave no batch within ${this.timeout} ms`)),
              this.timeout,
            )
          : null;
      this.#tasks.set(task, { resolve, reject, timer });
      this.port.hold(true);
      this.port.post(
        'indices' in request ? { type: 'fetch', task, indices: request.indices } : { type: 'next', task, count: request.count },
      );
    });
  }

  #receive(message: FromWorker): void {
    if (message.type === 'ready') {
      this.#ready?.resolve(message.length);
      this.#ready = null;
    } else if (message.type === 'error') {
      const error = new WorkerError(
        'ERR_WORKER',
        `Caught ${message.name} in DataLoader worker ${this.id}: ${message.message}\nThere:\n${message.stack}`,
        {
          worker: this.id,
        },
      );
      if (message.task === null) this.#ready?.reject(error);
      else this.#take(message.task)?.reject(error);
    } else this.#take(message.task)?.resolve({ samples: message.samples.map(unpackSample), done: message.done });
    if (this.#tasks.size === 0 && this.#ready === null) this.port.hold(false);
  }

  #take(id: number): Task | undefined {
    const task = this.#tasks.get(id);
    this.#tasks.delete(id);
    if (task?.timer) clearTimeout(task.timer);
    return task;
  }

  #fail(error: Error): void {
    this.#dead ??= error;
    this.#ready?.reject(error);
    this.#ready = null;
    for (const id of this.#tasks.keys()) this.#take(id)!.reject(error);
    this.port.hold(false);
  }

  end(): void {
    this.#fail(new WorkerError('ERR_WORKER_ENDED', `DataLoader worker ${this.id} was ended`));
    this.port.terminate();
  }
}

export interface WorkerOptions {
  /** The module that calls `serveDataset`. */
  readonly module: string | URL;
  readonly numWorkers: number;
  /** Batches that each worker makes ahead. */
  readonly prefetchFactor: number;
  /** In ms; 0: none. */
  readonly timeout: number;
}

/** The workers of one loader. */
export class WorkerPool {
  #hands: Hand[] | null = null;

  constructor(readonly options: WorkerOptions) {
    const { numWorkers, prefetchFactor } = options;
    if (!(Number.isInteger(numWorkers) && numWorkers > 0))
      throw new ValueError('ERR_DATA_LOADER', `numWorkers must be a whole number from 1, not ${numWorkers}`);
    if (!(Number.isInteger(prefetchFactor) && prefetchFactor > 0))
      throw new ValueError('ERR_DATA_LOADER', `prefetchFactor must be a whole number from 1, not ${prefetchFactor}`);
  }

  async #start(seed: number): Promise<Hand[]> {
    const { module, numWorkers, timeout } = this.options;
    this.#hands ??= await Promise.all(
      Array.from({ length: numWorkers }, async (_, id) => new Hand(await startWorker(module), id, timeout)),
    );
    await Promise.all(this.#hands.map((hand) => hand.start(numWorkers, seed + hand.id)));
    return this.#hands;
  }

  /** The samples of each list of numbers, in order. */
  async *batches(lists: Iterable<readonly number[]>, seed: number): AsyncGenerator<unknown[]> {
    const hands = await this.#start(seed);
    const source = lists[Symbol.iterator]();
    const waiting: Promise<{ samples: unknown[] }>[] = [];
    let sent = 0;
    const send = (): void => {
      const next = source.next();
      if (next.done === true) return;
      const answer = hands[sent++ % hands.length]!.ask({ indices: next.value });
      // It is awaited in its turn; until then its failure is no unhandled one.
      answer.catch(() => {});
      waiting.push(answer);
    };
    for (let i = 0; i < hands.length * this.options.prefetchFactor; i++) send();
    while (waiting.length > 0) {
      // oxlint-disable-next-line no-await-in-loop -- batches come in order
      const { samples } = await waiting.shift()!;
      send();
      yield samples;
    }
  }

  /** Batches of the workers' streams, one worker after the other, until all have ended. */
  async *stream(batchSize: number, seed: number): AsyncGenerator<unknown[]> {
    const hands = await this.#start(seed);
    const ahead = hands.map((hand) => Array.from({ length: this.options.prefetchFactor }, () => ask(hand)));
    function ask(hand: Hand): Promise<{ samples: unknown[]; done: boolean }> {
      const answer = hand.ask({ count: batchSize });
      answer.catch(() => {});
      return answer;
    }
    const live = new Set(hands.keys());
    while (live.size > 0) {
      for (const at of live) {
        // oxlint-disable-next-line no-await-in-loop -- batches come in order
        const { samples, done } = await ahead[at]!.shift()!;
        if (done) live.delete(at);
        else ahead[at]!.push(ask(hands[at]!));
        if (samples.length > 0) yield samples;
      }
    }
  }

  /** Ends the workers; the next pass starts others. */
  end(): void {
    for (const hand of this.#hands ?? []) hand.end();
    this.#hands = null;
  }
}
