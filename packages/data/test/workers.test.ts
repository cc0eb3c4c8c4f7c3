/** @file Samples made by worker threads: in order, reproducibly, with errors that say where they come from. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cpuPlugin } from '@tessera/backend-cpu';
import { manualSeed, runtimes, type Tensor } from '@tessera/core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataLoader } from '../src/index.js';

let folder: string;
/** Worker modules by name, bundled from the sources, as an application's would be. */
const urls: Record<string, URL> = {};

const MODULES = {
  squares: `serveDataset({ length: 10, get: (i) => [i, new Float32Array([i * i, rand(1).item()]), tensor([i])] });`,
  noises: `serveDataset({ *[Symbol.iterator]() { const { id, numWorkers } = getWorkerInfo(); for (let i = id; i < 7; i += numWorkers) yield [i, new Float32Array([i, rand(1).item()]), tensor([i])]; } });`,
  maps: `serveDataset({ length: 4, get: (i) => new Map([['x', tensor([i])], ['deep', [new Map([['y', i]])]]]) });`,
  broken: `serveDataset({ length: 4, get(i) { if (i === 2) throw new RangeError('sample 2 is rotten'); return i; } });`,
  dying: `serveDataset({ length: 4, get(i) { if (i === 1) process.exit(3); return i; } });`,
  hanging: `serveDataset({ length: 4, get: (i) => (i === 1 ? new Promise(() => {}) : i) });`,
  stream: `serveDataset({ *[Symbol.iterator]() { const { id, numWorkers } = getWorkerInfo(); for (let i = id; i < 7; i += numWorkers) yield i; } });`,
};

beforeAll(async () => {
  runtimes.current.use(cpuPlugin);
  folder = await mkdtemp(join(tmpdir(), 'tessera-workers-'));
  const source = (path: string): string => new URL(path, import.meta.url).pathname;
  await Promise.all(
    Object.entries(MODULES).map(([name, code]) =>
      writeFile(
        join(folder, `${name}.js`),
        `import { cpuPlugin } from ${JSON.stringify(source('../../backend-cpu/src/index.ts'))};
import { rand, runtimes, tensor } from ${JSON.stringify(source('../../core/src/index.ts'))};
import { getWorkerInfo, serveDataset } from ${JSON.stringify(source('../src/index.ts'))};
runtimes.current.use(cpuPlugin);
void [rand, tensor, getWorkerInfo];
${code}`,
      ),
    ),
  );
  await build({
    root: source('../../..'),
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['tessera-source', 'node', 'import'] },
    ssr: { resolve: { conditions: ['tessera-source', 'node', 'import'] }, noExternal: true },
    oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
    build: {
      ssr: true,
      outDir: join(folder, 'dist'),
      minify: false,
      rolldownOptions: { input: Object.keys(MODULES).map((name) => join(folder, `${name}.js`)), output: { entryFileNames: '[name].mjs' } },
    },
  });
  for (const name of Object.keys(MODULES)) urls[name] = pathToFileURL(join(folder, 'dist', `${name}.mjs`));
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

const loader = <B>(name: string, options: ConstructorParameters<typeof DataLoader>[1] = {}): DataLoader<B> =>
  new DataLoader<B>({ length: name === 'squares' ? 10 : 4 }, { numWorkers: 2, worker: urls[name]!, ...options });

type Batch = [Tensor, Tensor, Tensor];
async function pass(batches: DataLoader<Batch>): Promise<{ numbers: number[]; noise: number[]; tensors: unknown[] }> {
  const out = { numbers: [] as number[], noise: [] as number[], tensors: [] as unknown[] };
  for await (const [i, values, t] of batches) {
    out.numbers.push(...i.data());
    out.noise.push(...values.select(1, 1).data());
    out.tensors.push(...(t.toArray() as number[][]));
  }
  return out;
}

describe('workers', () => {
  it('give batches in order, with tensors and typed arrays; the same seed gives the same samples', async () => {
    manualSeed(1);
    const first = await pass(loader<Batch>('squares', { batchSize: 3, shuffle: true }));
    expect(first.numbers.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(first.numbers).not.toEqual(first.numbers.toSorted((a, b) => a - b));
    expect(first.tensors).toEqual(first.numbers.map((i) => [i]));
    expect(new Set(first.noise).size).toBe(10);
    manualSeed(1);
    expect(await pass(loader<Batch>('squares', { batchSize: 3, shuffle: true, prefetchFactor: 1 }))).toEqual(first);
  });

  it('make samples of any shape that collates', async () => {
    type MapBatch = ReadonlyMap<string, unknown>;
    const seen: unknown[] = [];
    for await (const batch of loader<MapBatch>('maps', { batchSize: 2 }))
      seen.push([(batch.get('x') as Tensor).toArray(), ((batch.get('deep') as MapBatch[])[0]!.get('y') as Tensor).toArray()]);
    expect(seen).toEqual([
      [
        [[0], [1]],
        [0, 1],
      ],
      [
        [[2], [3]],
        [2, 3],
      ],
    ]);
  });

  it.each([{ shuffle: true }, { stream: true }])('come to where a resumed pass was: %j', async ({ stream = false, ...options }) => {
    const make = (): DataLoader<Batch> =>
      stream
        ? new DataLoader<Batch>([] as Iterable<number>, { numWorkers: 2, worker: urls.noises!, batchSize: 2 })
        : loader<Batch>('squares', { batchSize: 3, ...options });
    manualSeed(1);
    const whole = await pass(make());
    manualSeed(1);
    const first = make();
    let left = 2;
    for await (const batch of first) if (--left === 0 && batch.length > 0) break;
    const generator = runtimes.current.generator.getState();
    manualSeed(99);
    const second = make();
    second.loadStateDict(first.stateDict());
    runtimes.current.generator.setState(generator);
    const rest = await pass(second);
    const done = stream ? 4 : 6;
    expect(rest).toEqual({ numbers: whole.numbers.slice(done), noise: whole.noise.slice(done), tensors: whole.tensors.slice(done) });
  });

  it('can be kept for the next pass', async () => {
    using kept = loader<Batch>('squares', { batchSize: 4, persistentWorkers: true });
    const first = await pass(kept);
    const second = await pass(kept);
    expect(second.numbers).toEqual(first.numbers);
    expect(second.noise).not.toEqual(first.noise);
  });

  it('end when a loop is left early', async () => {
    for await (const batch of loader<Batch>('squares')) {
      expect(batch).toHaveLength(3);
      break;
    }
  });

  const failure = async (name: string, options = {}): Promise<unknown> => {
    try {
      for await (const batch of loader<Tensor>(name, options)) void batch;
      return 'no error';
    } catch (error) {
      return error;
    }
  };

  it('pass errors on with their stack', async () => {
    const error = await failure('broken');
    expect(error).toMatchObject({ name: 'WorkerError', code: 'ERR_WORKER' });
    expect(String(error)).toMatch(/RangeError in DataLoader worker 0: sample 2 is rotten[\s\S]*broken\.mjs/);
  });

  it('that die or hang are errors, too', async () => {
    expect(await failure('dying')).toMatchObject({ code: 'ERR_WORKER_DIED', message: expect.stringContaining('code 3') as string });
    expect(await failure('hanging', { timeout: 300 })).toMatchObject({ code: 'ERR_WORKER_TIMEOUT' });
  });

  it('share a stream', async () => {
    const stream = new DataLoader<Tensor>([] as Iterable<number>, { numWorkers: 2, worker: urls.stream!, batchSize: 2 });
    const seen: number[][] = [];
    for await (const batch of stream) seen.push([...batch.data()]);
    expect(seen).toEqual([[0, 2], [1, 3], [4, 6], [5]]);
  });

  it('are refused without a module', () => {
    expect(() => new DataLoader({ length: 2 }, { numWorkers: 1 })).toThrow(expect.objectContaining({ code: 'ERR_DATA_LOADER' }));
    expect(() => new DataLoader({ length: 2 })).toThrow(expect.objectContaining({ code: 'ERR_DATA_LOADER' }));
  });
});
