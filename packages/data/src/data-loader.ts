/** @file DataLoader: batches of a dataset, in PyTorch's order for a seed. PyTorch: torch.utils.data.DataLoader. */
import { type Generator, runtimes, ValueError } from '@tessera/core';
import { defaultCollate } from './collate.js';
import type { Dataset } from './dataset.js';
import { BatchSampler, RandomSampler, type Sampler, SequentialSampler } from './sampler.js';

export interface DataLoaderOptions {
  /** Samples a batch. Default 1. */
  readonly batchSize?: number;
  /** A new random order at each pass. Default false. */
  readonly shuffle?: boolean;
  /** Leave out a last batch that is not full. Default false. */
  readonly dropLast?: boolean;
  readonly sampler?: Sampler;
  readonly batchSampler?: Sampler<number[]>;
  /** From samples to a batch. Default {@link defaultCollate}. */
  readonly collateFn?: (samples: readonly unknown[]) => unknown;
  /** Where the order comes from. Default: the runtime's generator, drawn from as PyTorch does. */
  readonly generator?: Generator;
}

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

/**
 * @example
 * const loader = new DataLoader(new TensorDataset(images, labels), { batchSize: 64, shuffle: true });
 * for await (const [x, y] of loader) { … }
 */
export class DataLoader<B = unknown> implements AsyncIterable<B> {
  readonly batchSampler: Sampler<number[]>;
  readonly #collate: (samples: readonly unknown[]) => unknown;
  readonly #useBatches: boolean;
  readonly #generator: Generator | undefined;

  constructor(
    readonly dataset: Dataset<unknown>,
    options: DataLoaderOptions = {},
  ) {
    const { batchSize = 1, shuffle = false, dropLast = false, sampler, batchSampler } = options;
    if (sampler !== undefined && shuffle) throw new ValueError('ERR_DATA_LOADER', 'sampler option is mutually exclusive with shuffle');
    if (batchSampler !== undefined && (options.batchSize !== undefined || shuffle || sampler !== undefined || dropLast)) {
      throw new ValueError(
        'ERR_DATA_LOADER',
        'batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last',
      );
    }
    this.#generator = options.generator;
    const order =
      sampler ??
      (shuffle
        ? new RandomSampler(dataset, options.generator === undefined ? {} : { generator: options.generator })
        : new SequentialSampler(dataset));
    this.batchSampler = batchSampler ?? new BatchSampler(order, batchSize, dropLast);
    this.#collate = options.collateFn ?? defaultCollate;
    this.#useBatches = options.collateFn === undefined && dataset.getBatch !== undefined;
  }

  /** The number of batches. */
  get length(): number {
    return this.batchSampler.length;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<B> {
    // PyTorch draws a base seed for its workers at each pass, whether there are any or not: without it, orders would part.
    (this.#generator ?? runtimes.current.generator).nextSeed64();
    for (const indices of this.batchSampler) {
      await macrotask();
      yield (await this.#batch(indices)) as B;
    }
  }

  async #batch(indices: readonly number[]): Promise<unknown> {
    if (this.#useBatches) return this.dataset.getBatch!(indices);
    return this.#collate(await Promise.all(indices.map((i) => this.dataset.get(i))));
  }
}
