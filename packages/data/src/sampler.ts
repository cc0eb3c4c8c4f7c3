/** @file Samplers: in which order the samples of a dataset come. PyTorch: torch.utils.data.sampler. */
import { Generator, runtimes, ValueError } from '@tessera/core';

/** Gives the numbers of samples, anew each time it is iterated. */
export interface Sampler<T = number> extends Iterable<T> {
  readonly length: number;
}

/** 0, 1, 2, … PyTorch: SequentialSampler. */
export class SequentialSampler implements Sampler {
  constructor(readonly source: { readonly length: number }) {}
  get length(): number {
    return this.source.length;
  }
  *[Symbol.iterator](): Iterator<number> {
    for (let i = 0; i < this.length; i++) yield i;
  }
}

export interface RandomSamplerOptions {
  /** Draw with replacement. Default false. */
  readonly replacement?: boolean;
  /** How many to draw. Default: as many as there are. */
  readonly numSamples?: number;
  /** Default: one seeded from the runtime's generator each time, as in PyTorch. */
  readonly generator?: Generator;
}

/** A random order, PyTorch's for a seed. PyTorch: RandomSampler. */
export class RandomSampler implements Sampler {
  readonly #options: RandomSamplerOptions;
  constructor(
    readonly source: { readonly length: number },
    options: RandomSamplerOptions = {},
  ) {
    this.#options = options;
    if (!(this.length > 0 && Number.isInteger(this.length)))
      throw new ValueError('ERR_SAMPLER', `num_samples should be a positive integer value, but got num_samples=${this.length}`);
  }
  get length(): number {
    return this.#options.numSamples ?? this.source.length;
  }
  *[Symbol.iterator](): Iterator<number> {
    const n = this.source.length;
    const { replacement = false, generator = new Generator(runtimes.current.generator.nextSeed64()) } = this.#options;
    const total = this.length;
    if (replacement) {
      for (let left = total; left > 0; left -= 32) yield* Array.from(generator.randint(0, n, Math.min(left, 32)) as ArrayLike<number>);
      return;
    }
    for (let left = total; left > 0; left -= n) {
      const order = generator.randperm(n);
      yield* left >= n ? order : order.subarray(0, left);
    }
  }
}

/** Groups the samples of another sampler. PyTorch: BatchSampler. */
export class BatchSampler implements Sampler<number[]> {
  constructor(
    readonly sampler: Sampler,
    readonly batchSize: number,
    readonly dropLast: boolean,
  ) {
    if (!Number.isInteger(batchSize) || batchSize <= 0)
      throw new ValueError('ERR_BATCH_SIZE', `batch_size should be a positive integer value, but got batch_size=${batchSize}`);
  }
  get length(): number {
    const n = this.sampler.length / this.batchSize;
    return this.dropLast ? Math.floor(n) : Math.ceil(n);
  }
  *[Symbol.iterator](): Iterator<number[]> {
    let batch: number[] = [];
    for (const i of this.sampler) {
      batch.push(i);
      if (batch.length === this.batchSize) {
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0 && !this.dropLast) yield batch;
  }
}
