/// <reference types="@webgpu/types" />
/** @file The device in a page or in a page's worker: encoded directly, or, for synchronous reads, in a worker of its own. */
import { openDevice, openOptions } from './adapter.js';
import { DirectQueue } from './direct-queue.js';
import { workerSource } from './parts.js';
import { makeShared, PROTOCOL } from './protocol.js';
import { type AdapterFacts, FLAG_BUFFER } from './queue.js';
import type { StartOptions, Started } from './start.js';
import { WorkerQueue, type WorkerMessage } from './worker-queue.js';

const gpuOf = (): GPU | undefined => (globalThis.navigator as Navigator | undefined)?.gpu;

/** Is there an adapter? */
export async function probeBrowser(options: StartOptions): Promise<{ readonly reason?: string; readonly facts?: AdapterFacts }> {
  return openDevice(gpuOf(), { ...openOptions(options), probe: true });
}

export async function startBrowser(options: StartOptions): Promise<Started> {
  if (options.syncReads === true) return startWorker(options);
  const opened = await openDevice(gpuOf(), openOptions(options));
  if ('reason' in opened) return opened;
  return { queue: new DirectQueue((opened as { device: GPUDevice }).device, opened.facts) };
}

const SOURCE = `
self.onmessage = async ({ data }) => {
  const { protocol, shared, flagBuffer, options } = data;
  self.onmessage = null;
  try {
    const openDevice = ${openDevice.toString()};
    const opened = await openDevice(navigator.gpu, options);
    if (!opened.device) return postMessage({ reason: opened.reason });
  ${workerSource()}
    Atomics.store(new Int32Array(shared.buffer), protocol.CONTROL.state, protocol.STATE.running);
    postMessage({ facts: opened.facts });
    await serve(opened.device, createExecutor, parts, {
      protocol, shared, flagBuffer, blocking: false,
      post: (message, transfer) => postMessage(message, transfer ?? []),
      tick: () => new Promise((resolve) => setTimeout(resolve)),
    });
  } catch (error) {
    postMessage({ reason: String(error && error.stack || error) });
  }
};
`;

async function startWorker(options: StartOptions): Promise<Started> {
  if (globalThis.crossOriginIsolated !== true || typeof SharedArrayBuffer === 'undefined')
    return {
      reason:
        'syncReads needs a cross-origin isolated page (the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp)',
    };
  const url = URL.createObjectURL(new Blob([SOURCE], { type: 'text/javascript' }));
  const worker = new Worker(url, { name: 'tessera-webgpu' });
  const shared = makeShared();
  const hello = new Promise<{ readonly reason?: string; readonly facts?: AdapterFacts }>((resolve) => {
    worker.addEventListener('message', ({ data }) => resolve(data as { reason?: string; facts?: AdapterFacts }), { once: true });
    worker.addEventListener('error', (event) => resolve({ reason: event.message }), { once: true });
  });
  worker.postMessage({
    protocol: PROTOCOL,
    shared,
    flagBuffer: FLAG_BUFFER,
    options: openOptions(options),
  });
  const { facts, reason } = await hello;
  URL.revokeObjectURL(url);
  if (facts === undefined || reason !== undefined) {
    worker.terminate();
    return { reason: reason ?? 'the worker gave no answer' };
  }
  // A window's thread may not wait.
  const canBlock = typeof document === 'undefined';
  const handle = {
    ref: () => {},
    unref: () => {},
    terminate: () => worker.terminate(),
    onMessage: (listener: (message: WorkerMessage) => void) =>
      worker.addEventListener('message', ({ data }) => listener(data as WorkerMessage)),
  };
  return { queue: new WorkerQueue(shared, facts, handle, canBlock) };
}
