/** @file What the browser's page runs: called by name from the tests in Node. */
import { cpuPlugin } from '@tessera/backend-cpu';
import { isTesseraError, manualSeed, runtimes, type Tensor } from '@tessera/core';
import { DataLoader, type DataLoaderOptions } from '../../src/index.js';

runtimes.current.use(cpuPlugin);

type Batch = [numbers: Tensor, noise: Tensor, info: { name: string[] }];

/** The bundler has to see where a worker's module is. */
const WORKERS = {
  squares: new URL('./squares.worker.ts', import.meta.url),
  broken: new URL('./broken.worker.ts', import.meta.url),
  missing: new URL('./there-is-none.worker.ts', import.meta.url),
};

/** A pass, or two with workers that are kept: what came, and from how many threads. */
export async function pass(options: DataLoaderOptions, passes = 1): Promise<{ numbers: number[]; noise: number[]; names: string[] }> {
  manualSeed(3);
  const out = { numbers: [] as number[], noise: [] as number[], names: [] as string[] };
  using loader = new DataLoader<Batch>({ length: 10 }, { worker: WORKERS.squares, ...options });
  for (let i = 0; i < passes; i++) {
    for await (const [numbers, noise, { name }] of loader) {
      out.numbers.push(...numbers.data());
      out.noise.push(...noise.data());
      out.names.push(...name);
    }
  }
  return out;
}

/** The error of a pass over a dataset that fails. */
export async function failure(
  name: keyof typeof WORKERS,
  options: DataLoaderOptions = {},
): Promise<{ code: string; message: string } | null> {
  try {
    for await (const batch of new DataLoader({ length: 4 }, { numWorkers: 1, worker: WORKERS[name], ...options })) void batch;
    return null;
  } catch (error) {
    return isTesseraError(error) ? { code: error.code, message: error.message } : { code: 'none', message: String(error) };
  }
}
