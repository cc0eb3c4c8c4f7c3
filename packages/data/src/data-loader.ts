/** @file DataLoader: batches of a dataset, in PyTorch's order for a seed. PyTorch: torch.utils.data.DataLoader. */
import { checkOptions, type Generator, type OptionNames, refusePythonNames, runtimes, ValueError, kindOf } from '@tessera/core';
import { defaultCollate, defaultConvert } from './collate.js';
import { type Dataset, isIterableDataset, type IterableDataset } from './dataset.js';
import { type DataLoaderState, readState, Skip } from './loader-state.js';
import { BatchSampler, RandomSampler, type Sampler, SequentialSampler } from './sampler.js';
import { WorkerPool } from './worker/worker-pool.js';

export interface DataLoaderOptions {
  /** Samples a batch; null: samples come one by one, as the dataset makes them (batches of its own, perhaps). Default 1. */
  readonly batchSize?: number | null;
  /** A new random order at each pass. Default false. */
  readonly shuffle?: boolean;
  /** Leave out a last batch that is not full. Default false. */
  readonly dropLast?: boolean;
  readonly sampler?: Sampler;
  readonly batchSampler?: Sampler<number[]>;
  /** From samples to a batch. Default {@link defaultCollate}. */
  readonly collateFn?: (samples: readonly unknown[]) => unknown;
  /**
   * Threads that make the samples: each loads the module `worker`, which calls `serveDataset`. The loader's own `dataset` is asked for its length
   * only, and may be `{ length }`. Default 0: samples are made here.
   */
  readonly numWorkers?: number;
  /** The module of the workers: `new URL('./digits.worker.js', import.meta.url)`, which bundlers know. */
  readonly worker?: string | URL;
  /** Batches that each worker makes ahead; without workers, batches that are asked for ahead. Default 2 with workers, 0 without. */
  readonly prefetchFactor?: number;
  /** Keep workers from one pass to the next. End them with `dispose()`. Default false. */
  readonly persistentWorkers?: boolean;
  /** For a batch of a worker, in ms. Default 0: none. */
  readonly timeout?: number;
  /** Where the order comes from. Default: the runtime's generator, drawn from as PyTorch does. */
  readonly generator?: Generator;
}

const DATA_LOADER_OPTIONS: OptionNames<DataLoaderOptions> = {
  batchSize: true,
  shuffle: true,
  dropLast: true,
  sampler: true,
  batchSampler: true,
  collateFn: true,
  numWorkers: true,
  worker: true,
  prefetchFactor: true,
  persistentWorkers: true,
  timeout: true,
  generator: true,
};

/** Lets finalizers run: they need a macrotask, which a loop of mere promises never gives them. */
function macrotask(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        channel.port1.close();
        resolve();
      };
      channel.port2.postMessage(null);
    }
  });
}

/** Waits for devices that are far behind: what they have still to do takes memory, and grows where nothing is read. */
async function keepUp(): Promise<void> {
  for (const { backend } of runtimes.current.devices) {
    // oxlint-disable-next-line no-await-in-loop -- one progress after the other
    for (let wait = backend.ready?.() ?? null; wait !== null; wait = backend.ready?.() ?? null) await wait;
  }
}

/**
 * @example
 * const loader = new DataLoader(new TensorDataset(images, labels), { batchSize: 64, shuffle: true });
 * for await (const [x, y] of loader) { … }
 */
export class DataLoader<B = unknown> implements AsyncIterable<B> {
  readonly dataset: Dataset<unknown> | IterableDataset<unknown> | { readonly length: number };
  /** What batches are made of; null for a stream. */
  readonly batchSampler: Sampler<number[]> | null;
  readonly #options: DataLoaderOptions;
  readonly #collate: (samples: readonly unknown[]) => unknown;
  readonly #pool: WorkerPool | null;
  /** The pass that was begun last, until it comes to its end. */
  #pass: DataLoaderState | null = null;
  /** Where the next pass goes on. */
  #resumed: DataLoaderState | null = null;

  /** @throws ValueError `ERR_OPTION`, `ERR_DATA_LOADER`, `ERR_BATCH_SIZE`, `ERR_SAMPLER`. */
  constructor(dataset: Dataset<unknown, B>, options?: DataLoaderOptions & { readonly collateFn?: undefined; readonly batchSize?: number });
  constructor(dataset: Dataset<unknown> | IterableDataset<unknown> | { readonly length: number }, options?: DataLoaderOptions);
  constructor(dataset: Dataset<unknown> | IterableDataset<unknown> | { readonly length: number }, options: DataLoaderOptions = {}) {
    if (typeof dataset !== 'object' || dataset === null)
      throw new ValueError(
        'ERR_DATA_LOADER',
        `a DataLoader takes a dataset, { length, get(index) }, or something to iterate, not ${kindOf(dataset)}`,
      );
    this.dataset = dataset;
    checkOptions('DataLoader', options, DATA_LOADER_OPTIONS);
    this.#options = options;
    const collate = options.collateFn ?? defaultCollate;
    // PyTorch calls collate_fn with the sample itself where there are no batches.
    const convert = (options.collateFn as ((sample: unknown) => unknown) | undefined) ?? defaultConvert;
    this.#collate = options.batchSize === null ? ([sample]) => convert(sample) : collate;
    this.batchSampler = this.#isStream ? checkStream(options) : makeBatchSampler(dataset as { readonly length: number }, options);
    this.#pool = makePool(options);
    if (this.#pool === null && !this.#isStream && !('get' in dataset))
      throw new ValueError('ERR_DATA_LOADER', 'the dataset has no get(index): give one, or numWorkers and the worker that serves it');
  }

  get #isStream(): boolean {
    return isIterableDataset(this.dataset as Dataset<unknown>);
  }

  /** The number of batches. @throws ValueError `ERR_DATA_LOADER` for a stream, which has none. */
  get length(): number {
    if (this.batchSampler === null) throw new ValueError('ERR_DATA_LOADER', 'a stream has no length');
    return this.batchSampler.length;
  }

  get #generator(): Generator {
    return this.#options.generator ?? runtimes.current.generator;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<B, void, undefined> {
    const generator = this.#generator;
    const skip = this.#goOn(generator);
    const begun = generator.getState();
    // PyTorch draws a base seed for its workers at each pass, whether there are any or not: without it, orders would part.
    const seed = generator.nextSeed64();
    let batches = skip.left;
    this.#pass = { generator: begun, batches };
    try {
      for await (const samples of this.#batches(Number(seed % 2n ** 32n), skip)) {
        await macrotask();
        await keepUp();
        this.#pass = { generator: begun, batches: ++batches };
        yield samples as B;
      }
      skip.finish();
      this.#pass = null;
    } finally {
      if (this.#options.persistentWorkers !== true) this.#pool?.end();
    }
  }

  /** Takes the generator back to where a resumed pass began, until what was given out of it is skipped. */
  #goOn(generator: Generator): Skip {
    const resumed = this.#resumed;
    this.#resumed = null;
    if (resumed === null) return new Skip(0, () => {});
    // A generator of the loader's own goes on from the order alone; the runtime's has been drawn from by others since, and comes back to that.
    const now = this.#options.generator === undefined ? generator.getState() : null;
    generator.setState(resumed.generator);
    return new Skip(resumed.batches, () => {
      if (now !== null) generator.setState(now);
    });
  }

  async *#batches(seed: number, skip: Skip): AsyncGenerator<unknown, void, undefined> {
    const batchSize = this.#options.batchSize ?? 1;
    const { dropLast = false } = this.#options;
    if (this.#pool !== null) {
      const source = this.batchSampler === null ? this.#pool.stream(batchSize, seed) : this.#pool.batches(this.batchSampler, seed);
      for await (const samples of source) if (!(dropLast && samples.length < batchSize) && !skip.takes()) yield this.#collate(samples);
    } else if (this.batchSampler === null) {
      let samples: unknown[] = [];
      for await (const sample of this.dataset as AsyncIterable<unknown>) {
        samples.push(sample);
        if (samples.length < batchSize) continue;
        if (!skip.takes()) yield this.#collate(samples);
        samples = [];
      }
      if (samples.length > 0 && !dropLast && !skip.takes()) yield this.#collate(samples);
    } else yield* this.#ahead(this.batchSampler, skip);
  }

  /** Batches made here, some of them asked for before they are wanted. */
  async *#ahead(lists: Iterable<readonly number[]>, skip: Skip): AsyncGenerator<unknown, void, undefined> {
    const { prefetchFactor = 0 } = this.#options;
    const waiting: Promise<unknown>[] = [];
    for (const indices of lists) {
      if (skip.takes()) continue;
      const batch = this.#batch(indices);
      batch.catch(() => {});
      waiting.push(batch);
      // oxlint-disable-next-line no-await-in-loop -- batches come in order
      if (waiting.length > prefetchFactor) yield await waiting.shift()!;
    }
    for (const batch of waiting) yield await batch;
  }

  async #batch(indices: readonly number[]): Promise<unknown> {
    const dataset = this.dataset as Dataset<unknown>;
    if (this.#options.collateFn === undefined && this.#options.batchSize !== null && dataset.getBatch !== undefined)
      return dataset.getBatch(indices);
    return this.#collate(await Promise.all(indices.map((i) => dataset.get(i))));
  }

  /**
   * How far the pass is that was begun last, for a checkpoint. A loop that was left early is still in its pass until another begins.
   * torchdata: StatefulDataLoader.state_dict().
   */
  stateDict(): DataLoaderState {
    return this.#resumed ?? this.#pass ?? { generator: this.#generator.getState(), batches: 0 };
  }

  /**
   * The next pass goes on where that of `stateDict` was, in the same order. Restore the runtime's generator as well (`io.loadCheckpoint` does, given
   * `generator`): then all later passes are the same, too. Batches that were given out are not made again, except by workers and streams, which
   * have to come to the same place. torchdata: StatefulDataLoader.load_state_dict().
   *
   * @throws FormatError `ERR_DATA_LOADER_STATE` for what is no such state, or one of longer data.
   * @example
   * await io.saveCheckpoint('run.pt', { model, optimizer, loader, generator, epoch }); // within an epoch
   * await io.loadCheckpoint('run.pt', { model, optimizer, loader, generator });
   */
  loadStateDict(state: DataLoaderState): void {
    const read = readState(state, this.batchSampler?.length ?? Infinity);
    this.#pass = null;
    this.#resumed = read.batches > 0 ? read : null;
    if (read.batches === 0) this.#options.generator?.setState(read.generator);
  }

  /** Ends workers that were kept. */
  dispose(): void {
    this.#pool?.end();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

refusePythonNames(DataLoader.prototype, 'loader');
// In no type: the compiler is to refuse `for (const batch of loader)` as it does.
Object.defineProperty(DataLoader.prototype, Symbol.iterator, {
  value(): never {
    throw new ValueError('ERR_ASYNC_ITERATION', 'a DataLoader loads its batches asynchronously: write for await (const batch of loader)');
  },
  configurable: true,
});

function makeBatchSampler(dataset: { readonly length: number }, options: DataLoaderOptions): Sampler<number[]> {
  const { batchSize = 1, shuffle = false, dropLast = false, sampler, batchSampler } = options;
  if (batchSize === null && dropLast)
    throw new ValueError('ERR_DATA_LOADER', 'batch_size=None option disables auto-batching and is mutually exclusive with drop_last');
  if (sampler !== undefined && shuffle) throw new ValueError('ERR_DATA_LOADER', 'sampler option is mutually exclusive with shuffle');
  if (batchSampler !== undefined && (options.batchSize !== undefined || shuffle || sampler !== undefined || dropLast)) {
    throw new ValueError('ERR_DATA_LOADER', 'batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last');
  }
  if (batchSampler !== undefined) return batchSampler;
  const generator = options.generator === undefined ? {} : { generator: options.generator };
  return new BatchSampler(
    sampler ?? (shuffle ? new RandomSampler(dataset, generator) : new SequentialSampler(dataset)),
    batchSize ?? 1,
    dropLast,
  );
}

/** A stream has its own order. */
function checkStream({ batchSize = 1, shuffle, sampler, batchSampler }: DataLoaderOptions): null {
  const given = Object.entries({ shuffle: shuffle === true || undefined, sampler, batchSampler }).find(
    ([, option]) => option !== undefined,
  );
  if (given !== undefined)
    throw new ValueError(
      'ERR_DATA_LOADER',
      `DataLoader with IterableDataset: expected unspecified ${given[0]} option: the stream has its own order`,
    );
  if (batchSize !== null && (!Number.isInteger(batchSize) || batchSize <= 0))
    throw new ValueError('ERR_BATCH_SIZE', `batch_size should be a positive integer value, but got batch_size=${batchSize}`);
  return null;
}

function makePool({ numWorkers = 0, worker, prefetchFactor, persistentWorkers, timeout = 0 }: DataLoaderOptions): WorkerPool | null {
  if (numWorkers === 0) {
    if (timeout > 0 || persistentWorkers === true || worker !== undefined)
      throw new ValueError('ERR_DATA_LOADER', 'worker, timeout and persistentWorkers need numWorkers > 0');
    return null;
  }
  if (worker === undefined)
    throw new ValueError(
      'ERR_DATA_LOADER',
      "numWorkers needs the module that serves the dataset: worker: new URL('./my.worker.js', import.meta.url)",
    );
  return new WorkerPool({ module: worker, numWorkers, prefetchFactor: prefetchFactor ?? 2, timeout });
}
