/**
 * @file Less than this machine's adapter has: what every browser grants (Firefox and Safari show no more on many a machine), no optional feature, and so few
 * workgroups a dimension that every launch of some size spills over into the second one.
 */
import { describe, expect, it } from 'vitest';
import { runConformance } from '../../../conformance-tests/src/index.js';
import type { Plugin } from '../../tessera/src/index.js';
import { DirectQueue } from '../src/device/direct-queue.js';
import { WebGpuBackend, webgpuPlugin } from '../src/index.js';
import { openHere } from './support/dawn.js';
import { noAdapter } from './support/device.js';

/** Of the specification; but for the last, which is 65,535 there. */
const GRANTED = {
  maxStorageBuffersPerShaderStage: 8,
  maxStorageBufferBindingSize: 2 ** 27,
  maxBufferSize: 2 ** 28,
  maxComputeWorkgroupStorageSize: 2 ** 14,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupsPerDimension: 3,
};

/** Counts launches that spill over. */
class CountingQueue extends DirectQueue {
  /** Most workgroups in the first or the third dimension. */
  widest = 0;
  spilled = 0;

  override dispatch(...launch: Parameters<DirectQueue['dispatch']>): void {
    const [, x, y, z] = launch;
    this.widest = Math.max(this.widest, x, z);
    if (y > 1) this.spilled++;
    super.dispatch(...launch);
  }
}

async function smallQueue(): Promise<CountingQueue> {
  const { device, facts } = await openHere();
  return new CountingQueue(device, { ...facts, features: [], limits: GRANTED });
}

describe.skipIf(noAdapter)('on what every browser grants', () => {
  it.each(['gather', 'crossEntropy'])('conforms: %s', async (only) => {
    const queues: CountingQueue[] = [];
    const plugin: Plugin = {
      ...webgpuPlugin,
      register({ container, core }) {
        const create = async (): Promise<WebGpuBackend> => {
          queues.push(await smallQueue());
          return new WebGpuBackend(queues.at(-1)!);
        };
        const isAvailable = (): Promise<{ available: true }> => Promise.resolve({ available: true });
        container.register(core.BACKEND, { useValue: { id: 'webgpu', version: '0.1.0', priority: 1, isAvailable, create } });
      },
    };
    const card = await runConformance({ plugin, device: 'webgpu', levels: ['kernels'], only });
    expect(card.rows.flatMap(({ failures }) => failures.map(({ id, message }) => `${id}: ${message}`))).toEqual([]);
    expect(card.passed).toBeGreaterThan(0);
    expect(queues.some(({ spilled }) => spilled > 0)).toBe(true);
    for (const { widest } of queues) expect(widest).toBeLessThanOrEqual(GRANTED.maxComputeWorkgroupsPerDimension);
  });

  it('spills over into the second dimension, and says what is larger than a binding', async () => {
    const queue = await smallQueue();
    const gpu = new WebGpuBackend(queue);
    const n = 20_011;
    const [x, y] = [0, 1].map(() => gpu.allocate('float32', n));
    gpu.write(x, 0, new Uint8Array(Float32Array.from({ length: n }, (_, i) => i).buffer));
    const rows = (buffer: typeof x) => ({ buffer, dtype: 'float32', shape: [n, 1], strides: [1, 1], offset: 0 }) as const;
    gpu.kernels.scan('sum', false, rows(x), rows(y), 1);
    const found = new Float32Array((await gpu.read(y, 0, n)).buffer);
    expect(found.every((value, i) => value === i)).toBe(true);
    expect(queue.spilled).toBe(1);
    expect(() => gpu.allocate('float32', 2 ** 25 + 1)).toThrow(expect.objectContaining({ code: 'ERR_BUFFER_SIZE' }));
    await gpu.dispose();
  });
});
