/** @file Samplers: in which order the samples of a dataset come. PyTorch: torch.utils.data.sampler. */
import { checkOptions, Generator, isTensor, multinomial, type OptionNames, runtimes, type Tensor, tensor, ValueError } from '@tessera/core';

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

const RANDOM_SAMPLER_OPTIONS: OptionNames<RandomSamplerOptions> = { replacement: true, numSamples: true, generator: true };

/** A random order, PyTorch's for a seed. PyTorch: RandomSampler. */
export class RandomSampler implements Sampler {
  readonly #options: RandomSamplerOptions;
  constructor(
    readonly source: { readonly length: number },
    options: RandomSamplerOptions = {},
  ) {
    this.#options = checkOptions('RandomSampler', options, RANDOM_SAMPLER_OPTIONS);
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
    for (let whole = Math.floor(total / n); whole > 0; whole--) yield* generator.randperm(n);
    // As in PyTorch drawn even where nothing of it is wanted: a generator of one's own is left in the same state.
    yield* generator.randperm(n).subarray(0, total % n);
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

export interface GeneratorOptions {
  /** Default: the runtime's. */
  readonly generator?: Generator;
}

const GENERATOR_OPTIONS: OptionNames<GeneratorOptions> = { generator: true };

/** Some samples in a random order. PyTorch: SubsetRandomSampler. */
export class SubsetRandomSampler implements Sampler {
  constructor(
    readonly indices: readonly number[],
    readonly options: GeneratorOptions = {},
  ) {
    checkOptions('SubsetRandomSampler', options, GENERATOR_OPTIONS);
  }
  get length(): number {
    return this.indices.length;
  }
  *[Symbol.iterator](): Iterator<number> {
    for (const i of (this.options.generator ?? runtimes.current.generator).randperm(this.length)) yield this.indices[i]!;
  }
}

export interface WeightedRandomSamplerOptions extends GeneratorOptions {
  /** Draw with replacement. Default true. */
  readonly replacement?: boolean;
}

const WEIGHTED_RANDOM_SAMPLER_OPTIONS: OptionNames<WeightedRandomSamplerOptions> = { replacement: true, generator: true };

/**
 * Samples drawn with given weights, which need not sum to 1; PyTorch's for a seed. PyTorch: WeightedRandomSampler.
 * @throws ValueError `ERR_SAMPLER`.
 * @example new WeightedRandomSampler(labels.map((label) => 1 / count[label]), labels.length)
 */
export class WeightedRandomSampler implements Sampler {
  readonly #weights: Tensor;
  constructor(
    weights: ArrayLike<number> | Tensor,
    readonly length: number,
    readonly options: WeightedRandomSamplerOptions = {},
  ) {
    checkOptions('WeightedRandomSampler', options, WEIGHTED_RANDOM_SAMPLER_OPTIONS);
    if (!Number.isInteger(length) || length <= 0)
      throw new ValueError('ERR_SAMPLER', `num_samples should be a positive integer value, but got num_samples=${length}`);
    const host = Float64Array.from(isTensor(weights) ? weights.data() : weights);
    if (isTensor(weights) && weights.dim() !== 1)
      throw new ValueError('ERR_SAMPLER', `weights should be a 1d sequence, but given weights have shape [${weights.shape.join(', ')}]`);
    if (options.replacement === false && length > host.length)
      throw new ValueError('ERR_SAMPLER', `cannot draw ${length} samples from ${host.length} without replacement`);
    // On the host: the samples of a data set are numbers there.
    this.#weights = tensor(host, { device: 'cpu' });
  }
  *[Symbol.iterator](): Iterator<number> {
    const { replacement = true, generator } = this.options;
    const drawn = multinomial(this.#weights, this.length, { replacement, ...(generator === undefined ? {} : { generator }) });
    const order = drawn.data();
    drawn.dispose();
    yield* order;
  }
}

export interface DistributedSamplerOptions {
  /** How many processes share the data. */
  readonly numReplicas: number;
  /** Which of them this is, from 0. */
  readonly rank: number;
  /** Default true. */
  readonly shuffle?: boolean;
  readonly seed?: number;
  /** Leave out samples that would make shares uneven; otherwise some come twice. Default false. */
  readonly dropLast?: boolean;
}

const DISTRIBUTED_SAMPLER_OPTIONS: OptionNames<DistributedSamplerOptions> = {
  numReplicas: true,
  rank: true,
  shuffle: true,
  seed: true,
  dropLast: true,
};

/** This process's share of the samples. Call `setEpoch` before each pass, or each has the same order. PyTorch: DistributedSampler. */
export class DistributedSampler implements Sampler {
  #epoch = 0;
  constructor(
    readonly source: { readonly length: number },
    readonly options: DistributedSamplerOptions,
  ) {
    const { numReplicas, rank } = checkOptions('DistributedSampler', options, DISTRIBUTED_SAMPLER_OPTIONS);
    if (!(Number.isInteger(rank) && rank >= 0 && rank < numReplicas))
      throw new ValueError('ERR_SAMPLER', `Invalid rank ${rank}, rank should be in the interval [0, ${numReplicas - 1}]`);
  }
  get length(): number {
    const n = this.source.length / this.options.numReplicas;
    return this.options.dropLast === true ? Math.floor(n) : Math.ceil(n);
  }
  setEpoch(epoch: number): void {
    this.#epoch = epoch;
  }
  *[Symbol.iterator](): Iterator<number> {
    const { numReplicas, rank, shuffle = true, seed = 0 } = this.options;
    const n = this.source.length;
    const order = shuffle ? new Generator(seed + this.#epoch).randperm(n) : Int32Array.from({ length: n }, (_, i) => i);
    for (let i = rank; i < this.length * numReplicas; i += numReplicas) yield order[i % n]!;
  }
}
