/** @file What the browser's page runs: called by name from the tests in Node. */
import { runConformance, type Scorecard } from '../../../../conformance-tests/src/index.js';
import { WasmBackend, type WasmBackendOptions } from '../../src/index.js';
import { counting, machineOf, MUCH, started } from '../support/threads.js';
import { empty, make, values } from '../views.js';

/** The kernels level of the conformance suite, or what fits `only`. */
export async function kernels(options: WasmBackendOptions, only?: string): Promise<Scorecard> {
  return runConformance({ create: () => new WasmBackend(options), levels: ['kernels'], ...(only !== undefined && { only }) });
}

export interface Shares {
  readonly isolated: boolean;
  /** Whether the thread that calls may sleep: not a page's main thread. */
  readonly inWorker: boolean;
  readonly ready: number;
  /** Units done by all threads, and whether the worker did some of them. */
  readonly done: number;
  readonly helped: boolean;
}

/** 50 jobs of 101 units by this thread and a worker. */
export async function sharedWork(): Promise<Shares> {
  const { machine, pool } = machineOf(2);
  await started(pool, 1);
  const { ready } = pool;
  const table = machine.memory.scratch(64);
  machine.linear.u8.fill(0, table, table + 64);
  const kernel = counting(machine, table);
  for (let job = 0; job < 50; job++) machine.parallel(kernel, 101, 2, MUCH);
  const [mine, other] = machine.linear.i32.subarray(table / 4, table / 4 + 2);
  pool.stop();
  return { isolated: crossOriginIsolated, inWorker: typeof document === 'undefined', ready, done: mine + other, helped: other > 0 };
}

/** The same, by a module worker with a worker of its own. */
export async function sharedWorkInModuleWorker(): Promise<Shares> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const answer = await new Promise<Shares>((resolve, reject) => {
    worker.addEventListener('message', ({ data }) => resolve(data as Shares));
    worker.addEventListener('error', (event) => reject(new Error(event.message)));
  });
  worker.terminate();
  return answer;
}

/** Products of a backend that was asked for two threads, over 2 s: enough work to start workers, and time to learn of their end. */
export async function products(): Promise<{ isolated: boolean; right: boolean; rounds: boolean }> {
  const wasm = new WasmBackend({ threads: 2 });
  const n = 192;
  const data = Array.from({ length: n * n }, (_, i) => (i % 7) - 3);
  const [a, b, c] = [make(wasm, 'float32', [1, n, n], data), make(wasm, 'float32', [1, n, n], data), empty(wasm, 'float32', [1, n, n])];
  const last = data.slice(-n).reduce((sum, x, k) => sum + x * data[k * n + n - 1], 0);
  let right = true;
  let rounds = 0;
  for (const end = performance.now() + 2000; performance.now() < end || rounds < 20; rounds++) {
    wasm.kernels.matmul(a, b, c);
    right &&= values(wasm, c)[n * n - 1] === last;
    await wasm.synchronize();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await wasm.dispose();
  return { isolated: crossOriginIsolated, right, rounds: rounds >= 20 };
}
