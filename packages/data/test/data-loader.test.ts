import { CpuBackend, cpuPlugin } from '@tessera/backend-cpu';
import { arange, BACKEND, Generator, manualSeed, Runtime, runtimes, type Tensor } from '@tessera/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { BatchSampler, DataLoader, randomSplit, SequentialSampler, Subset, TensorDataset } from '../src/index.js';

beforeAll(() => {
  runtimes.current.use(cpuPlugin);
});
const numbers = (n: number): TensorDataset => new TensorDataset(arange(n), arange(n).mul(10));
async function collect(loader: DataLoader<[Tensor, Tensor]>): Promise<number[][]> {
  const out: number[][] = [];
  for await (const [x] of loader) out.push(x.toArray() as number[]);
  return out;
}

/** A backend that is behind its caller at each second question. */
class BehindBackend extends CpuBackend {
  override readonly id = 'behind';
  asked = 0;

  ready(): Promise<void> | null {
    return this.asked++ % 2 === 0 ? Promise.resolve() : null;
  }
}

describe('DataLoader', () => {
  it('waits before each batch for devices that are behind', async () => {
    const loader = new DataLoader<[Tensor, Tensor]>(numbers(6), { batchSize: 2 });
    const backend = new BehindBackend();
    const was = runtimes.current;
    const runtime = (runtimes.current = new Runtime());
    try {
      const provider = { id: 'behind', priority: 1, isAvailable: () => ({ available: true }), create: () => backend };
      const register = ({ container }: { container: typeof runtime.container }) => void container.register(BACKEND, { useValue: provider });
      await runtime.use({ name: 'behind', version: '1.0.0', contract: 1, register }).init({ device: 'behind' });
      let batches = 0;
      for await (const _ of loader) expect(backend.asked).toBe(2 * ++batches);
      expect(batches).toBe(3);
    } finally {
      runtimes.current = was;
      await runtime.dispose();
    }
  });

  it('batches in order, with or without the last', async () => {
    expect(await collect(new DataLoader(numbers(5), { batchSize: 2 }))).toEqual([[0, 1], [2, 3], [4]]);
    const loader = new DataLoader<[Tensor, Tensor]>(numbers(5), { batchSize: 2, dropLast: true });
    expect(loader.length).toBe(2);
    expect(await collect(loader)).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  it("shuffles in PyTorch's order: a base seed is drawn, then the sampler's", async () => {
    manualSeed(3);
    const got = (await collect(new DataLoader(numbers(20), { batchSize: 20, shuffle: true })))[0];
    const g = new Generator(3);
    g.nextSeed64();
    expect(got).toEqual([...new Generator(g.nextSeed64()).randperm(20)]);
    manualSeed(3);
    const loader = new DataLoader<[Tensor, Tensor]>(numbers(20), { batchSize: 7, shuffle: true });
    expect((await collect(loader)).flat()).toEqual(got);
    expect((await collect(loader)).flat()).not.toEqual(got);
  });

  it('collates samples: tensors, numbers, objects, texts', async () => {
    const samples = [
      { x: arange(2), n: 1, name: 'a' },
      { x: arange(2), n: 2, name: 'b' },
    ];
    const loader = new DataLoader<{ x: Tensor; n: Tensor; name: string[] }>({ length: 2, get: (i) => samples[i]! }, { batchSize: 2 });
    for await (const batch of loader) {
      expect(batch.x.toArray()).toEqual([
        [0, 1],
        [0, 1],
      ]);
      expect([batch.n.dtype, batch.n.toArray(), batch.name]).toEqual(['int32', [1, 2], ['a', 'b']]);
    }
  });

  it('waits for samples that are loaded asynchronously, and passes their errors on', async () => {
    const slow = new DataLoader<Tensor>({ length: 2, get: async (i) => i }, { batchSize: 2 });
    for await (const batch of slow) expect(batch.toArray()).toEqual([0, 1]);
    const broken = new DataLoader({ length: 1, get: () => Promise.reject(new Error('no such file')) });
    await expect(broken[Symbol.asyncIterator]().next()).rejects.toThrow('no such file');
  });

  it('refuses options that exclude each other', () => {
    expect(() => new DataLoader(numbers(3), { batchSize: 0 })).toThrow(/batch_size should be a positive integer/);
    expect(() => new DataLoader(numbers(3), { shuffle: true, sampler: new SequentialSampler(numbers(3)) })).toThrow(/mutually exclusive/);
    expect(
      () => new DataLoader(numbers(3), { batchSize: 2, batchSampler: new BatchSampler(new SequentialSampler(numbers(3)), 1, false) }),
    ).toThrow(/mutually exclusive/);
  });
});

describe('datasets', () => {
  it('splits at random, by numbers or fractions', () => {
    const parts = randomSplit(numbers(10), [0.7, 0.3], { generator: new Generator(42) });
    expect(parts.map((p) => p.length)).toEqual([7, 3]);
    expect(parts.flatMap((p) => [...p.indices])).toEqual([...new Generator(42).randperm(10)]);
    expect(() => randomSplit(numbers(10), [5, 6])).toThrow(expect.objectContaining({ code: 'ERR_SPLIT' }));
  });

  it('takes subsets of subsets', async () => {
    const part = new Subset(new Subset(numbers(10), [1, 3, 5, 7]), [3, 0]);
    expect(await collect(new DataLoader(part, { batchSize: 2 }))).toEqual([[7, 1]]);
    expect(() => part.get(2)).toThrow(expect.objectContaining({ code: 'ERR_INDEX_RANGE' }));
  });

  it('refuses tensors of different lengths', () => {
    expect(() => new TensorDataset(arange(2), arange(3))).toThrow(/Size mismatch/);
  });
});
