/** @file Datasets: samples by number, and their combinations. PyTorch: torch.utils.data. */
import {
  checkOptions,
  type Generator,
  IndexError,
  type OptionNames,
  runtimes,
  type Tensor,
  ValueError,
  isTensor,
  kindOf,
} from '@tessera/core';

/** Samples by number. Subclass it, or give any object with `length` and `get`. PyTorch: Dataset. */
export interface Dataset<T, B = unknown> {
  readonly length: number;
  /** Sample `index`; may be loaded asynchronously. */
  get(index: number): T | Promise<T>;
  /** Several samples at once, collated, where a dataset can do that faster than one by one. PyTorch: __getitems__. */
  getBatch?(indices: readonly number[]): B | Promise<B>;
}

/** As many tensors as there are in T. */
type Rows<T extends readonly Tensor[]> = { -readonly [K in keyof T]: Tensor };

/** Tensors with a first dim in common; sample `i` is row `i` of each. PyTorch: TensorDataset. */
export class TensorDataset<T extends readonly Tensor[] = Tensor[]> implements Dataset<Rows<T>, Rows<T>> {
  readonly tensors: Readonly<Rows<T>>;

  constructor(...tensors: T) {
    if (tensors.length === 0) throw new ValueError('ERR_DATASET', 'TensorDataset: give at least one tensor');
    for (const t of tensors)
      if (!isTensor(t))
        throw new ValueError('ERR_DATASET', `TensorDataset: its parts must be Tensors, not ${kindOf(t)}: write tensor([…])`);
    const sizes = tensors.map((t) => t.size(0));
    if (sizes.some((s) => s !== sizes[0]))
      throw new ValueError('ERR_DATASET', `TensorDataset: Size mismatch between tensors: ${sizes.join(', ')}`);
    this.tensors = tensors as unknown as Rows<T>;
  }

  get length(): number {
    return this.tensors[0]!.size(0);
  }

  get(index: number): Rows<T> {
    return this.tensors.map((t) => t.select(0, index)) as unknown as Rows<T>;
  }

  /** One gather a tensor, rather than a view a sample. */
  getBatch(indices: readonly number[]): Rows<T> {
    const index = Int32Array.from(indices, (i) => {
      const k = i < 0 ? i + this.length : i;
      if (!(k >= 0 && k < this.length))
        throw new IndexError('ERR_INDEX_RANGE', `TensorDataset: sample ${i} is out of range for ${this.length} samples`);
      return k;
    });
    return this.tensors.map((t) => t.indexSelect(0, t.newTensor(index, { dtype: 'int32' }))) as unknown as Rows<T>;
  }
}

/** Some samples of a dataset, in an order of their own. PyTorch: Subset. */
export class Subset<T, B = unknown> implements Dataset<T, B> {
  constructor(
    readonly dataset: Dataset<T, B>,
    readonly indices: readonly number[],
  ) {
    if (dataset.getBatch !== undefined) this.getBatch = (at) => dataset.getBatch!(at.map((i) => indices[i]!));
  }

  get length(): number {
    return this.indices.length;
  }

  get(index: number): T | Promise<T> {
    const at = this.indices[index < 0 ? index + this.length : index];
    if (at === undefined) throw new IndexError('ERR_INDEX_RANGE', `Subset: sample ${index} is out of range for ${this.length} samples`);
    return this.dataset.get(at);
  }

  getBatch?: (indices: readonly number[]) => B | Promise<B>;
}

/** Datasets one behind the other. PyTorch: ConcatDataset. */
export class ConcatDataset<T> implements Dataset<T> {
  /** Where each dataset ends. PyTorch: cumulative_sizes. */
  readonly cumulativeSizes: readonly number[];

  constructor(readonly datasets: readonly Dataset<T>[]) {
    if (datasets.length === 0) throw new ValueError('ERR_DATASET', 'ConcatDataset: datasets should not be an empty iterable');
    let end = 0;
    this.cumulativeSizes = datasets.map((d) => (end += d.length));
  }

  get length(): number {
    return this.cumulativeSizes.at(-1)!;
  }

  get(index: number): T | Promise<T> {
    const at = index < 0 ? index + this.length : index;
    if (!(at >= 0 && at < this.length))
      throw new IndexError('ERR_INDEX_RANGE', `ConcatDataset: sample ${index} is out of range for ${this.length} samples`);
    const which = this.cumulativeSizes.findIndex((end) => at < end);
    return this.datasets[which]!.get(which === 0 ? at : at - this.cumulativeSizes[which - 1]!);
  }
}

/** Datasets of one length side by side: a sample is one of each, as an array or under the given names. PyTorch: StackDataset. */
export class StackDataset implements Dataset<unknown> {
  readonly length: number;

  constructor(readonly datasets: readonly Dataset<unknown>[] | Readonly<Record<string, Dataset<unknown>>>) {
    const lengths = Object.values(datasets).map((d: Dataset<unknown>) => d.length);
    if (lengths.length === 0) throw new ValueError('ERR_DATASET', 'StackDataset: at least one dataset should be passed');
    if (lengths.some((n) => n !== lengths[0]))
      throw new ValueError('ERR_DATASET', `StackDataset: Size mismatch between datasets: ${lengths.join(', ')}`);
    this.length = lengths[0]!;
  }

  async get(index: number): Promise<unknown> {
    const { datasets } = this;
    if (Array.isArray(datasets)) return Promise.all(datasets.map((d: Dataset<unknown>) => d.get(index)));
    const entries = Object.entries(datasets as Readonly<Record<string, Dataset<unknown>>>);
    return Object.fromEntries(await Promise.all(entries.map(async ([name, d]) => [name, await d.get(index)] as const)));
  }
}

const RANDOM_SPLIT_OPTIONS: OptionNames<{ generator?: Generator }> = { generator: true };

/**
 * Random parts of a dataset without overlap. Lengths are numbers of samples, or fractions that sum to 1 (what is left over goes to the first
 * parts, one each). PyTorch: random_split, in its order for a seed.
 */
export function randomSplit<T, B = unknown>(
  dataset: Dataset<T, B>,
  lengths: readonly number[],
  options: { readonly generator?: Generator } = {},
): Subset<T, B>[] {
  checkOptions('randomSplit', options, RANDOM_SPLIT_OPTIONS);
  const n = dataset.length;
  let sizes = [...lengths];
  if (Math.abs(lengths.reduce((a, b) => a + b, 0) - 1) < 1e-6 && lengths.every((f) => f >= 0 && f <= 1)) {
    sizes = lengths.map((f) => Math.floor(n * f));
    const left = n - sizes.reduce((a, b) => a + b, 0);
    for (let i = 0; i < left; i++) sizes[i % sizes.length]! += 1;
  }
  if (sizes.reduce((a, b) => a + b, 0) !== n || sizes.some((s) => !Number.isInteger(s) || s < 0)) {
    throw new ValueError(
      'ERR_SPLIT',
      `randomSplit: Sum of input lengths (${lengths.join(' + ')}) does not equal the length of the input dataset, ${n}`,
    );
  }
  const order = [...(options.generator ?? runtimes.current.generator).randperm(n)];
  let at = 0;
  return sizes.map((size) => new Subset(dataset, order.slice(at, (at += size))));
}

/** Samples that come one after the other, with no numbers: a stream, a generator, lines of a file. PyTorch: IterableDataset. */
export type IterableDataset<T> = Iterable<T> | AsyncIterable<T>;

/** Is it one that is iterated, rather than asked by number? */
export function isIterableDataset<T>(dataset: Dataset<T> | IterableDataset<T>): dataset is IterableDataset<T> {
  return !('get' in dataset) && (Symbol.asyncIterator in dataset || Symbol.iterator in dataset);
}

/** Streams one behind the other. PyTorch: ChainDataset. */
export class ChainDataset<T> implements AsyncIterable<T> {
  constructor(readonly datasets: readonly IterableDataset<T>[]) {}

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (const dataset of this.datasets) yield* dataset;
  }
}
