/** @file Starting a worker, in Node or in a page, without an await. */
import { WORKER_SOURCE } from './worker-source.js';

export interface WorkerHandle {
  terminate(): void;
}

/** What a worker is told at its start. */
export interface WorkerStart {
  readonly memory: WebAssembly.Memory;
  /** The address of the control block. */
  readonly at: number;
  readonly thread: number;
}

interface NodeWorker {
  unref(): void;
  terminate(): Promise<number>;
  on(event: 'error', listener: (error: unknown) => void): void;
  on(event: 'exit', listener: (code: number) => void): void;
}
interface NodeProcess {
  getBuiltinModule?(name: string): unknown;
}
type NodeWorkers = { readonly Worker: new (source: string, options: object) => NodeWorker };
type NodeOs = { availableParallelism(): number };

function builtin<T>(name: string): T | undefined {
  return (globalThis as { process?: NodeProcess }).process?.getBuiltinModule?.(name) as T | undefined;
}

/** How many threads this machine runs at once. */
export function coreCount(): number {
  const os = builtin<NodeOs>('node:os');
  return os?.availableParallelism() ?? (globalThis as { navigator?: Navigator }).navigator?.hardwareConcurrency ?? 1;
}

/**
 * Starts a worker that does not keep the process alive.
 *
 * @param ended Called when it ends, with the reason.
 * @returns null where there are no workers here, or the page forbids them.
 */
export function startWorker(start: WorkerStart, ended: (reason: string) => void): WorkerHandle | null {
  const threads = builtin<NodeWorkers>('node:worker_threads');
  if (threads !== undefined) {
    // Without the parent's arguments, environment and loaders: it runs this text alone.
    const worker = new threads.Worker(WORKER_SOURCE, {
      eval: true,
      workerData: start,
      execArgv: [],
      env: {},
      name: `tessera-wasm-${start.thread}`,
    });
    worker.on('error', (error) => ended(String(error)));
    worker.on('exit', (code) => ended(`it ended with code ${code}`));
    worker.unref();
    return { terminate: () => void worker.terminate() };
  }
  if (typeof Worker !== 'function' || typeof Blob !== 'function') return null;
  try {
    const url = URL.createObjectURL(new Blob([WORKER_SOURCE], { type: 'text/javascript' }));
    const worker = new Worker(url, { name: `tessera-wasm-${start.thread}` });
    worker.addEventListener('error', (event) => ended(event.message));
    worker.postMessage(start);
    return { terminate: () => worker.terminate() };
  } catch {
    // A Content-Security-Policy may forbid workers from blobs: one thread, then.
    return null;
  }
}
