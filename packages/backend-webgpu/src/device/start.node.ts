/**
 * @file The device in Node: Dawn (npm `webgpu`) in a worker that owns it. Dawn has no way to wait on a thread for what it maps, but a caller
 * may wait for a worker, so that reads are synchronous; and a dispatch costs the caller a fraction of a microsecond.
 */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { openDevice, openOptions } from './adapter.js';
import { workerSource } from './parts.js';
import { makeShared, PROTOCOL } from './protocol.js';
import { type AdapterFacts, type DeviceQueue, FLAG_BUFFER } from './queue.js';
import { WorkerQueue, type WorkerMessage } from './worker-queue.js';
import type { StartOptions, Started } from './start.js';

/** The worker's code. What it runs comes as text: a file of its own would have to be found in sources, builds and bundles alike. */
const SOURCE = `
// A module or a script, as the flags of the process have it: neither require nor import statements.
import('node:worker_threads').then(async ({ parentPort, workerData }) => {
 try {
  const { dawn, protocol, shared, flagBuffer, options } = workerData;
  let gpu;
  try {
    const { create, globals } = await import(dawn);
    Object.assign(globalThis, globals);
    // Collected while its device lives, it takes the process with it.
    globalThis.gpu = gpu = create(options.subgroupMatrices ? ['enable-dawn-features=allow_unsafe_apis'] : []);
  } catch (error) {
    return parentPort.postMessage({ reason: 'Dawn does not load: ' + String(error && error.message).split('\\n')[0] });
  }
  const openDevice = ${openDevice.toString()};
  const opened = await openDevice(gpu, options);
  if (!opened.device) return parentPort.postMessage({ reason: opened.reason, facts: opened.facts });
  ${workerSource()}
  const control = new Int32Array(shared.buffer);
  Atomics.store(control, protocol.CONTROL.state, protocol.STATE.running);
  parentPort.postMessage({ facts: opened.facts });
  await serve(opened.device, createExecutor, parts, {
    protocol, shared, flagBuffer, blocking: true,
    post: (message, transfer) => parentPort.postMessage(message, transfer),
    tick: () => new Promise((resolve) => setImmediate(resolve)),
  });
 } catch (error) {
  const { protocol, shared } = workerData;
  // Whoever waits for an answer must not wait for ever.
  Atomics.store(new Int32Array(shared.buffer), protocol.CONTROL.state, protocol.STATE.closed);
  parentPort.postMessage({ reason: String(error && error.stack || error) });
 }
});
`;

/**
 * Is some Vulkan driver installed? Where none is, Dawn would be loaded (130 MB) for nothing, and the loader would complain on the terminal.
 * The places are those of the Vulkan loader's documentation.
 */
function hasVulkanDriver(): boolean {
  const { env } = process;
  if (env['VK_DRIVER_FILES'] || env['VK_ICD_FILENAMES'] || env['VK_ADD_DRIVER_FILES']) return true;
  const list = (name: string, fallback: string): string[] => (env[name] || fallback).split(':');
  const home = env['HOME'] ?? '';
  const folders = [
    ...list('XDG_CONFIG_HOME', join(home, '.config')),
    ...list('XDG_CONFIG_DIRS', '/etc/xdg'),
    '/etc',
    '/usr/local/etc',
    ...list('XDG_DATA_HOME', join(home, '.local/share')),
    ...list('XDG_DATA_DIRS', '/usr/local/share:/usr/share'),
    '/usr/local/share',
    '/usr/share',
  ];
  return folders.some((folder) => {
    try {
      return readdirSync(join(folder, 'vulkan/icd.d')).some((file) => file.endsWith('.json'));
    } catch {
      return false;
    }
  });
}

/** Where Dawn is, or why it is not there. */
function findDawn(): { url: string } | { reason: string } {
  if (process.platform === 'linux' && !hasVulkanDriver())
    return { reason: 'no Vulkan driver is installed, and Dawn computes with Vulkan here' };
  try {
    return { url: pathToFileURL(createRequire(import.meta.url).resolve('webgpu')).href };
  } catch {
    return { reason: "the npm package 'webgpu' (Dawn, an optional dependency) is not installed" };
  }
}

interface Hello {
  readonly reason?: string;
  readonly facts?: AdapterFacts;
}

function launch(options: StartOptions, probe: boolean): { worker: Worker; shared: ReturnType<typeof makeShared>; hello: Promise<Hello> } {
  const dawn = findDawn();
  if ('reason' in dawn) throw new Error(dawn.reason);
  const shared = probe ? makeShared(1024, 1024) : makeShared();
  const worker = new Worker(SOURCE, {
    eval: true,
    name: 'tessera-webgpu',
    // What is dropped there is a few bytes to the engine and kilobytes to the driver: encoders, command buffers. It is collected often.
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
    workerData: {
      dawn: dawn.url,
      protocol: PROTOCOL,
      shared,
      flagBuffer: FLAG_BUFFER,
      options: { ...openOptions(options), probe },
    },
  });
  const hello = new Promise<Hello>((resolve) => {
    worker.once('message', resolve);
    worker.once('error', (error) => resolve({ reason: String(error) }));
    worker.once('exit', (code) => resolve({ reason: `the worker ended with code ${code}` }));
  });
  return { worker, shared, hello };
}

/** Is there an adapter? */
export async function probeNode(options: StartOptions): Promise<Hello> {
  let launched: ReturnType<typeof launch>;
  try {
    launched = launch(options, true);
  } catch (error) {
    return { reason: (error as Error).message };
  }
  const hello = await launched.hello;
  await launched.worker.terminate();
  return hello;
}

export async function startNode(options: StartOptions): Promise<Started> {
  let launched: ReturnType<typeof launch>;
  try {
    launched = launch(options, false);
  } catch (error) {
    return { reason: (error as Error).message };
  }
  const { worker, shared, hello } = launched;
  const { facts, reason } = await hello;
  if (facts === undefined || reason !== undefined) {
    await worker.terminate();
    return { reason: reason ?? 'the worker gave no answer' };
  }
  worker.unref();
  const queue: WorkerQueue = new WorkerQueue(
    shared,
    facts,
    {
      ref: () => worker.ref(),
      unref: () => worker.unref(),
      terminate: () => {
        process.off('exit', park);
        return worker.terminate();
      },
      onMessage: (listener) => void worker.on('message', (message: WorkerMessage) => listener(message)),
    },
    true,
  );
  const park = (): void => queue.park();
  process.on('exit', park);
  // Listeners keep a worker referenced.
  worker.unref();
  return { queue: queue as DeviceQueue };
}
