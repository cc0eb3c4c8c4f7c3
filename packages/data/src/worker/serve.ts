/** @file The worker's side: samples made in another thread. */
import { manualSeed } from '@tessera/core';
import { type Dataset, isIterableDataset, type IterableDataset } from '../dataset.js';
import { type FromWorker, packSample, type ToWorker } from './messages.js';
import { parentPort } from './port.js';

/** What a worker knows of itself. PyTorch: torch.utils.data.get_worker_info(). */
export interface WorkerInfo {
  /** From 0. */
  readonly id: number;
  readonly numWorkers: number;
  /** Different for each worker and each pass over the data; the worker's own random numbers begin with it. */
  readonly seed: number;
}

let info: WorkerInfo | null = null;

/** This worker, or null outside one. PyTorch: torch.utils.data.get_worker_info(). */
export const getWorkerInfo = (): WorkerInfo | null => info;

/**
 * Serves a dataset to the `DataLoader` that started this worker. A file of its own calls it, and is named by the loader's `worker` option.
 * A stream gives all workers the same samples unless it looks at {@link getWorkerInfo} and takes its share, as in PyTorch.
 *
 * @example
 * // digits.worker.js
 * import { serveDataset } from '@tessera/data';
 * serveDataset({ length: 1000, get: async (i) => [await augment(await readImage(i)), labels[i]] });
 * // elsewhere
 * new DataLoader({ length: 1000 }, { numWorkers: 2, worker: new URL('./digits.worker.js', import.meta.url), batchSize: 32, shuffle: true })
 */
export async function serveDataset(dataset: Dataset<unknown> | IterableDataset<unknown>): Promise<void> {
  const parent = await parentPort();
  const stream = isIterableDataset(dataset);
  let iterator: AsyncIterator<unknown> | Iterator<unknown> | null = null;
  const answer = async (message: ToWorker): Promise<FromWorker> => {
    switch (message.type) {
      case 'start':
        info = { id: message.id, numWorkers: message.numWorkers, seed: message.seed };
        manualSeed(message.seed);
        iterator = stream ? iteratorOf(dataset) : null;
        return { type: 'ready', length: stream ? null : dataset.length };
      case 'fetch': {
        const source = dataset as Dataset<unknown>;
        const samples = await Promise.all(message.indices.map(async (i) => packSample(await source.get(i))));
        return { type: 'samples', task: message.task, samples, done: false };
      }
      case 'next': {
        const samples: unknown[] = [];
        let done = false;
        while (samples.length < message.count && !done) {
          // oxlint-disable-next-line no-await-in-loop -- a stream is read in order
          const next = await iterator!.next();
          if (next.done === true) done = true;
          // oxlint-disable-next-line no-await-in-loop -- as above
          else samples.push(await packSample(next.value));
        }
        return { type: 'samples', task: message.task, samples, done };
      }
    }
  };
  let queue = Promise.resolve();
  parent.onMessage((message) => {
    // One after the other, so that random numbers are drawn in the order of the tasks.
    queue = queue.then(async () => {
      try {
        parent.post(await answer(message));
      } catch (error) {
        const { name, message: text, stack } = error instanceof Error ? error : new Error(String(error));
        parent.post({ type: 'error', task: message.type === 'start' ? null : message.task, name, message: text, stack: stack ?? '' });
      }
    });
  });
}

const iteratorOf = (stream: IterableDataset<unknown>): AsyncIterator<unknown> | Iterator<unknown> =>
  Symbol.asyncIterator in stream ? stream[Symbol.asyncIterator]() : stream[Symbol.iterator]();
