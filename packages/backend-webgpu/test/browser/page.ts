/** @file What the browser's page runs: called by name from the tests in Node. */
import { runConformance, type Scorecard } from '../../../../conformance-tests/src/index.js';
import { openDevice } from '../../src/device/adapter.js';
import { DirectQueue } from '../../src/device/direct-queue.js';
import { createWebGpuBackend, webgpuPlugin } from '../../src/index.js';

/** The kernels level of the conformance suite, or what fits `only`. */
export async function kernels(only?: string): Promise<Scorecard> {
  return runConformance({ plugin: webgpuPlugin, device: 'webgpu', levels: ['kernels'], ...(only !== undefined && { only }) });
}

const word = (bytes: Uint8Array): number => new Float32Array(bytes.buffer)[0];

/** Reads at once by a worker that owns the device, and later reads, in one page. */
export async function synchronousReads(): Promise<{ isolated: boolean; atOnce: number; later: number; failure: string }> {
  const gpu = await createWebGpuBackend({ syncReads: true });
  const buffer = gpu.allocate('float32', 1);
  gpu.write(buffer, 0, new Uint8Array(Float32Array.of(1.5).buffer));
  const atOnce = word(gpu.readSync!(buffer, 0, 1));
  const later = word(await gpu.read(buffer, 0, 1));
  gpu.loseDevice();
  let failure = '';
  try {
    gpu.readSync!(buffer, 0, 1);
  } catch (error) {
    failure = (error as { code: string }).code;
  }
  await gpu.dispose();
  return { isolated: globalThis.crossOriginIsolated, atOnce, later, failure };
}

/** Without `syncReads` there is no `readSync`, and a lost device is reported at the next read. */
export async function directReads(): Promise<{ syncRead: boolean; value: number; failure: string }> {
  const gpu = await createWebGpuBackend();
  const buffer = gpu.allocate('float32', 1);
  gpu.write(buffer, 0, new Uint8Array(Float32Array.of(2.5).buffer));
  const value = word(await gpu.read(buffer, 0, 1));
  gpu.loseDevice();
  let failure = '';
  try {
    await gpu.read(buffer, 0, 1);
  } catch (error) {
    failure = (error as { code: string }).code;
  }
  await gpu.dispose();
  return { syncRead: gpu.capabilities.syncRead, value, failure };
}

const TOO_SMALL = `
@group(0) @binding(0) var<storage, read_write> x: array<f32, 4096>;
@compute @workgroup_size(1) fn main() { x[4095] = 1; }`;

/** What reads say of kernels that the device refuses: at once for each, and nothing of them later. */
export async function refusedKernels(): Promise<string[]> {
  const opened = await openDevice(navigator.gpu, {});
  if (!('device' in opened)) throw new Error('no device');
  const queue = new DirectQueue(opened.device, opened.facts);
  queue.createBuffer(2, 256);
  const said: string[] = [];
  const read = async (): Promise<void> => {
    try {
      await queue.read(2, 0, 4, true);
      said.push('nothing');
    } catch (error) {
      said.push((error as Error).message);
    }
  };
  for (const [id, code] of ['fn main() { oops }', TOO_SMALL].entries()) {
    queue.createPipeline(id, 0, 1, `kernel ${id}`, code);
    queue.dispatch(id, 1, 1, 1, Uint32Array.of(2), 1, Uint32Array.of(0), 1);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await read();
    // oxlint-disable-next-line no-await-in-loop -- as above
    await read();
  }
  await queue.close();
  return said;
}

/** `directReads` in a module worker. */
export async function inModuleWorker(): Promise<{ syncRead: boolean; value: number; failure: string }> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const answer = await new Promise<{ syncRead: boolean; value: number; failure: string }>((resolve, reject) => {
    worker.addEventListener('message', ({ data }) => resolve(data as { syncRead: boolean; value: number; failure: string }));
    worker.addEventListener('error', (event) => reject(new Error(event.message)));
  });
  worker.terminate();
  return answer;
}
