import { CpuBackend, cpuPlugin } from '@tessera/backend-cpu';
import { arange, BACKEND, Generator, manualSeed, Runtime, runtimes, type Tensor } from '@tessera/core';
import { describe, expect, it } from 'vitest';
import { BatchSampler, DataLoader, defaultCollate, randomSplit, SequentialSampler, Subset, TensorDataset } from '../src/index.js';

runtimes.current.use(cpuPlugin);
const numbers = (n: number): TensorDataset<[Tensor, Tensor]> => new TensorDataset(arange(n), arange(n).mul(10));
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

  it('shuffles with a generator of its own as PyTorch does, pass after pass', async () => {
    const loader = new DataLoader<[Tensor, Tensor]>(numbers(10), { batchSize: 4, shuffle: true, generator: new Generator(5) });
    expect(await collect(loader)).toEqual([
      [7, 4, 8, 1],
      [2, 3, 6, 5],
      [9, 0],
    ]);
    expect(await collect(loader)).toEqual([
      [2, 1, 6, 3],
      [5, 9, 4, 7],
      [8, 0],
    ]);
    expect(await collect(loader)).toEqual([
      [4, 3, 2, 7],
      [9, 1, 6, 8],
      [5, 0],
    ]);
  });

  it('gives samples one by one when there is no batch size', async () => {
    const samples = { length: 3, get: (i: number) => ({ x: new Float32Array([i, i]), name: `no. ${i}`, n: i }) };
    const seen: unknown[] = [];
    const loader = new DataLoader<{ x: Tensor; name: string; n: number }>(samples, {
      batchSize: null,
      shuffle: true,
      generator: new Generator(1),
    });
    expect(loader.length).toBe(3);
    for await (const { x, name, n } of loader) seen.push([x.shape, name === `no. ${n}`]);
    expect(seen).toEqual([
      [[2], true],
      [[2], true],
      [[2], true],
    ]);
    // A dataset that makes batches itself.
    const streamed = new DataLoader<Tensor>([arange(2), arange(5)] as Iterable<Tensor>, {
      batchSize: null,
      collateFn: (t) => (t as unknown as Tensor).neg(),
    });
    const sizes: number[] = [];
    for await (const t of streamed) sizes.push(t.size(0));
    expect(sizes).toEqual([2, 5]);
    expect(() => new DataLoader(samples, { batchSize: null, dropLast: true })).toThrow(/mutually exclusive/);
  });

  it.each([
    ['a key that is missing', [{ a: 1 }, { b: 1 }], 'sample 0 has a number and sample 1 nothing, at .a'],
    [
      'different kinds',
      [
        [1, arange(2)],
        [2, 3],
      ],
      'sample 0 has a tensor and sample 1 a number, at [1]',
    ],
    ['arrays of different lengths', [{ a: [1] }, { a: [1, 2] }], 'equal size, at .a'],
    ['dates', [{ when: new Date() }], 'found a Date, at .when'],
    ['promises', [[Promise.resolve(1)]], 'found a Promise, at [0]'],
    ['null', [null], 'found null'],
  ])('says where samples cannot be collated: %s', (_, samples, message) => {
    expect(() => defaultCollate(samples)).toThrow(
      expect.objectContaining({ code: 'ERR_COLLATE', message: expect.stringContaining(message) as string }),
    );
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
