/** @file A pass that is stopped and resumed gives the batches that were left, and later passes are the same too. */
import { cpuPlugin } from '@tessera/backend-cpu';
import { arange, Generator, manualSeed, rand, runtimes, type Tensor } from '@tessera/core';
import { describe, expect, it } from 'vitest';
import {
  DataLoader,
  type DataLoaderOptions,
  type DataLoaderState,
  RandomSampler,
  TensorDataset,
  WeightedRandomSampler,
} from '../src/index.js';

runtimes.current.use(cpuPlugin);

const SIZE = 10;
const digits = new TensorDataset(arange(SIZE));
/** Samples with noise that is drawn when they are made. */
const noisy = { length: SIZE, get: (i: number) => [i + rand(1).item(), rand(1)] };
function* stream(): IterableIterator<[number]> {
  for (let i = 0; i < SIZE; i++) yield [i + rand(1).item()];
}

interface Saved {
  readonly pass: number;
  readonly loader: DataLoaderState;
  readonly generator: Uint8Array;
}

/** Two passes, or what is left of them; each step draws a random number, as dropout may. `stopAt`: all states after so many batches. */
async function train(loader: DataLoader<Tensor[]>, out: unknown[], from = 0, stopAt = Infinity): Promise<Saved | null> {
  for (let pass = from; pass < 2; pass++) {
    for await (const batch of loader) {
      out.push([batch[0]!.toArray(), rand(1).item()]);
      if (out.length === stopAt) return { pass, loader: loader.stateDict(), generator: runtimes.current.generator.getState() };
    }
  }
  return null;
}

type Case = [name: string, dataset: () => ConstructorParameters<typeof DataLoader>[0], options: () => DataLoaderOptions];
const CASES: Case[] = [
  ['in order', () => digits, () => ({})],
  ['shuffled', () => digits, () => ({ shuffle: true })],
  ['shuffled by a generator of its own', () => digits, () => ({ shuffle: true, generator: new Generator(5) })],
  [
    'drawn with replacement by its own',
    () => digits,
    () => {
      const generator = new Generator(5);
      return { sampler: new RandomSampler(digits, { replacement: true, generator }), generator };
    },
  ],
  [
    'drawn by weights',
    () => digits,
    () => ({
      sampler: new WeightedRandomSampler(
        Array.from({ length: SIZE }, (_, i) => i + 1),
        SIZE,
      ),
    }),
  ],
  ['with random numbers in its samples', () => noisy, () => ({ shuffle: true })],
  ['a stream', () => ({ [Symbol.iterator]: stream }), () => ({})],
  ['asked for ahead', () => digits, () => ({ shuffle: true, prefetchFactor: 2 })],
];

describe.each(CASES)('a pass %s', (_, dataset, options) => {
  const make = (): DataLoader<Tensor[]> => new DataLoader<Tensor[]>(dataset(), { batchSize: 3, ...options() });

  it('goes on from any batch', async () => {
    manualSeed(1);
    const whole: unknown[] = [];
    expect(await train(make(), whole)).toBeNull();
    expect(whole).toHaveLength(8);
    for (let stop = 1; stop < whole.length; stop++) {
      manualSeed(1);
      const out: unknown[] = [];
      const saved = (await train(make(), out, 0, stop))!;
      // Another process: other random numbers until the states are restored.
      manualSeed(99);
      const loader = make();
      loader.loadStateDict(saved.loader);
      runtimes.current.generator.setState(saved.generator);
      expect(loader.stateDict()).toEqual(saved.loader);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await train(loader, out, saved.pass);
      expect(out).toEqual(whole);
    }
  });
});

describe('a state', () => {
  it('is that of the pass until it ends, and of none between passes', async () => {
    const loader = new DataLoader<Tensor[]>(digits, { batchSize: 5 });
    expect(loader.stateDict().batches).toBe(0);
    const counts: number[] = [];
    for await (const batch of loader) {
      void batch;
      counts.push(loader.stateDict().batches);
    }
    expect(counts).toEqual([1, 2]);
    expect(loader.stateDict().batches).toBe(0);
  });

  it.each([
    [{ batches: 1 }],
    [{ generator: new Uint8Array(3), batches: 1 }],
    [{ generator: new Generator(0).getState(), batches: -1 }],
    [{ generator: new Generator(0).getState(), batches: 3 }],
  ])('is refused when it does not fit: %j', (state) => {
    const loader = new DataLoader(digits, { batchSize: 5 });
    expect(() => loader.loadStateDict(state as DataLoaderState)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^ERR_(?:DATA_LOADER|GENERATOR)_STATE$/) as string }),
    );
    expect(loader.stateDict().batches).toBe(0);
  });

  it('of a longer stream is an error at its end', async () => {
    const loader = new DataLoader<Tensor[]>({ [Symbol.iterator]: stream }, { batchSize: 5 });
    loader.loadStateDict({ generator: new Generator(0).getState(), batches: 3 });
    await expect(async () => {
      for await (const batch of loader) void batch;
    }).rejects.toMatchObject({ code: 'ERR_DATA_LOADER_STATE' });
  });
});
