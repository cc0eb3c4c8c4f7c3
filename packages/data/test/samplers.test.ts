/** @file Samplers against PyTorch's orders for a seed, made by torch 2.9.1; combined datasets; collating. */
import { cpuPlugin } from '@tessera/backend-cpu';
import { Generator, runtimes, type Tensor, tensor } from '@tessera/core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  ChainDataset,
  ConcatDataset,
  DataLoader,
  defaultCollate,
  DistributedSampler,
  StackDataset,
  SubsetRandomSampler,
  WeightedRandomSampler,
} from '../src/index.js';

beforeAll(() => void runtimes.current.use(cpuPlugin));
const generator = (): { generator: Generator } => ({ generator: new Generator(5) });
const WEIGHTS = [0.1, 0.9, 0.4, 0.7, 3.0, 0.6];

describe('samplers', () => {
  it('WeightedRandomSampler', () => {
    expect([...new WeightedRandomSampler(WEIGHTS, 8, generator())]).toEqual([4, 3, 3, 3, 3, 4, 4, 4]);
    expect([...new WeightedRandomSampler(WEIGHTS, 5, { replacement: false, ...generator() })]).toEqual([4, 1, 3, 2, 5]);
    expect([...new WeightedRandomSampler(tensor(WEIGHTS, { dtype: 'float64' }), 5, { replacement: false, ...generator() })]).toEqual([
      4, 1, 3, 2, 5,
    ]);
    expect(() => new WeightedRandomSampler(WEIGHTS, 7, { replacement: false })).toThrow(expect.objectContaining({ code: 'ERR_SAMPLER' }));
  });

  it('SubsetRandomSampler', () => {
    expect([...new SubsetRandomSampler([10, 11, 12, 13, 14], generator())]).toEqual([11, 13, 10, 14, 12]);
  });

  it('DistributedSampler', () => {
    const share = (rank: number): number[] => {
      const sampler = new DistributedSampler({ length: 7 }, { numReplicas: 2, rank, seed: 3 });
      sampler.setEpoch(1);
      return [...sampler];
    };
    expect([share(0), share(1)]).toEqual([
      [3, 0, 2, 6],
      [1, 4, 5, 3],
    ]);
    expect(new DistributedSampler({ length: 7 }, { numReplicas: 2, rank: 0, dropLast: true }).length).toBe(3);
  });
});

const numbers = (values: number[]): { length: number; get: (i: number) => number } => ({ length: values.length, get: (i) => values[i]! });

describe('combined datasets', () => {
  it('ConcatDataset', () => {
    const all = new ConcatDataset([numbers([1, 2]), numbers([]), numbers([3, 4, 5])]);
    expect(Array.from({ length: all.length }, (_, i) => all.get(i))).toEqual([1, 2, 3, 4, 5]);
    expect(all.get(-1)).toBe(5);
    expect(() => all.get(5)).toThrow(expect.objectContaining({ code: 'ERR_INDEX_RANGE' }));
  });
  it('StackDataset', async () => {
    expect(await new StackDataset([numbers([1, 2]), numbers([3, 4])]).get(1)).toEqual([2, 4]);
    expect(await new StackDataset({ x: numbers([1, 2]), y: numbers([3, 4]) }).get(0)).toEqual({ x: 1, y: 3 });
    expect(() => new StackDataset([numbers([1]), numbers([])])).toThrow(expect.objectContaining({ code: 'ERR_DATASET' }));
  });
});

describe('collating', () => {
  it('goes into Maps, objects and arrays', () => {
    const batch = defaultCollate([
      { a: 1, b: [tensor([1, 2]), 'x'], c: new Map([['d', 0.5]]) },
      { a: 2, b: [tensor([3, 4]), 'y'], c: new Map([['d', 1.5]]) },
    ]) as { a: Tensor; b: [Tensor, string[]]; c: Map<string, Tensor> };
    expect(batch.a.toArray()).toEqual([1, 2]);
    expect(batch.b[0].toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(batch.b[1]).toEqual(['x', 'y']);
    expect(batch.c.get('d')!.toArray()).toEqual([0.5, 1.5]);
    expect(() => defaultCollate([])).toThrow(expect.objectContaining({ code: 'ERR_COLLATE' }));
  });
});

async function collect(loader: DataLoader<Tensor>): Promise<unknown[]> {
  const out: unknown[] = [];
  for await (const batch of loader) out.push(batch.toArray());
  return out;
}

describe('streams', () => {
  async function* count(to: number): AsyncGenerator<number> {
    for (let i = 0; i < to; i++) yield await Promise.resolve(i);
  }
  it('are batched in their order, once or as often as they can be iterated', async () => {
    expect(await collect(new DataLoader(count(5), { batchSize: 2 }))).toEqual([[0, 1], [2, 3], [4]]);
    expect(await collect(new DataLoader(count(5), { batchSize: 2, dropLast: true }))).toEqual([
      [0, 1],
      [2, 3],
    ]);
    const again = new DataLoader<Tensor>([1, 2, 3] as Iterable<number>, { batchSize: 3 });
    expect([await collect(again), await collect(again)]).toEqual([[[1, 2, 3]], [[1, 2, 3]]]);
    expect(await collect(new DataLoader(new ChainDataset([count(2), [7, 8]]), { batchSize: 4 }))).toEqual([[0, 1, 7, 8]]);
  });
  it('have an order and no length of their own', () => {
    expect(() => new DataLoader(count(5), { shuffle: true })).toThrow(expect.objectContaining({ code: 'ERR_DATA_LOADER' }));
    expect(() => new DataLoader(count(5)).length).toThrow(expect.objectContaining({ code: 'ERR_DATA_LOADER' }));
  });
});

describe('prefetching', () => {
  it('asks for batches ahead, and gives them in order', async () => {
    let [open, most] = [0, 0];
    const slow = {
      length: 8,
      get: async (i: number) => {
        most = Math.max(most, ++open);
        await new Promise((resolve) => setTimeout(resolve, 8 - i));
        open--;
        return i;
      },
    };
    expect(await collect(new DataLoader(slow, { prefetchFactor: 3 }))).toEqual([[0], [1], [2], [3], [4], [5], [6], [7]]);
    expect(most).toBe(4);
    expect((await collect(new DataLoader(slow))).length).toBe(8);
  });
  it('passes errors on when their batch is due', async () => {
    const broken = {
      length: 4,
      get: (i: number) => {
        if (i === 2) throw new RangeError('no sample 2');
        return i;
      },
    };
    const seen: unknown[] = [];
    const run = async (): Promise<void> => {
      for await (const batch of new DataLoader<Tensor>(broken, { prefetchFactor: 3 })) seen.push(batch.toArray());
    };
    await expect(run()).rejects.toThrow('no sample 2');
    expect(seen).toEqual([[0], [1]]);
  });
});
