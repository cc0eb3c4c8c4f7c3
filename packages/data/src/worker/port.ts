/** @file Workers of Node and of browsers as one kind of thing. */
import { NotSupportedError } from '@tessera/core';
import type { FromWorker, ToWorker } from './messages.js';

/** A worker as the loader sees it. */
export interface WorkerPort {
  post(message: ToWorker): void;
  onMessage(handler: (message: FromWorker) => void): void;
  /** It failed or ended, and will answer no more. */
  onEnd(handler: (reason: string, stack: string) => void): void;
  terminate(): void;
  /** Should it keep the process alive? Only while something is awaited of it. */
  hold(on: boolean): void;
}

interface NodeWorker {
  postMessage(message: unknown): void;
  on(event: string, handler: (value: never) => void): void;
  terminate(): unknown;
  ref(): void;
  unref(): void;
}

/** Node's module of a name, where there is Node; its types are not needed in browsers. */
async function nodeModule<T>(name: string): Promise<T | null> {
  const { process } = globalThis as { process?: { getBuiltinModule?: (id: string) => T; versions?: { node?: string } } };
  if (process?.versions?.node === undefined) return null;
  return process.getBuiltinModule?.(name) ?? ((await import(/* @vite-ignore */ name)) as T);
}

/** Starts a worker from a module. @throws NotSupportedError `ERR_NO_WORKERS`. */
export async function startWorker(module: string | URL): Promise<WorkerPort> {
  const threads = await nodeModule<{ Worker: new (url: string | URL, options?: object) => NodeWorker }>('node:worker_threads');
  if (threads !== null) return nodePort(new threads.Worker(typeof module === 'string' ? new URL(module) : module));
  if (typeof Worker !== 'function')
    throw new NotSupportedError('ERR_NO_WORKERS', 'DataLoader: there are no workers here; leave out numWorkers');
  return browserPort(new Worker(module, { type: 'module' }), String(module));
}

function nodePort(worker: NodeWorker): WorkerPort {
  worker.unref();
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (handler) => worker.on('message', handler as (value: never) => void),
    onEnd: (handler) => {
      worker.on('error', (error: Error) => handler(error.message, error.stack ?? ''));
      worker.on('exit', (code: number) => handler(`it exited with code ${code}`, ''));
    },
    terminate: () => void worker.terminate(),
    hold: (on) => (on ? worker.ref() : worker.unref()),
  };
}

function browserPort(worker: Worker, module: string): WorkerPort {
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (handler) => worker.addEventListener('message', (event: MessageEvent<FromWorker>) => handler(event.data)),
    onEnd: (handler) =>
      worker.addEventListener('error', (event: Partial<ErrorEvent>) =>
        // An event that tells nothing is that of a module that did not load.
        event.message === undefined || event.message === ''
          ? handler(`its module could not be loaded: ${module}`, '')
          : handler(event.message, `${event.filename}:${event.lineno}`),
      ),
    terminate: () => worker.terminate(),
    hold: () => {},
  };
}

/** The loader, as a worker sees it. @throws NotSupportedError `ERR_NO_WORKERS` outside a worker. */
export async function parentPort(): Promise<{ post(message: FromWorker): void; onMessage(handler: (message: ToWorker) => void): void }> {
  const threads = await nodeModule<{ parentPort: NodeWorker | null }>('node:worker_threads');
  if (threads !== null) {
    const port = threads.parentPort;
    if (port === null) throw new NotSupportedError('ERR_NO_WORKERS', 'serveDataset: this is no worker thread');
    return { post: (message) => port.postMessage(message), onMessage: (handler) => port.on('message', handler as (value: never) => void) };
  }
  const scope = globalThis as unknown as {
    postMessage(message: unknown): void;
    addEventListener(type: string, handler: (event: MessageEvent<ToWorker>) => void): void;
  };
  return {
    post: (message) => scope.postMessage(message),
    onMessage: (handler) => scope.addEventListener('message', (event) => handler(event.data)),
  };
}
