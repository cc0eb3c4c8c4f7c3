import { describe, expect, it } from 'vitest';
import { createWebGpuBackend } from '../src/index.js';
import type { WebGpuBuffer } from '../src/memory/webgpu-buffer.js';
import { noAdapter } from './support/device.js';

const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

describe.skipIf(noAdapter)('memory', () => {
  it('reuses what was freed, in the same order whatever the order of freeing, and makes no new buffers in a loop', async () => {
    const gpu = await createWebGpuBackend();
    const made = Array.from({ length: 7 }, () => gpu.allocate('float32', 100));
    const ids = made.map(({ id }) => id);
    for (const i of [3, 0, 6, 5, 1, 4, 2]) gpu.free(made[i]);
    expect(ids.map((_, i) => gpu.allocate(i % 2 ? 'float32' : 'int32', 100 - i).id)).toEqual(ids);
    const { buffers } = gpu.counters;
    for (let i = 0; i < 100; i++) gpu.free(gpu.allocate('float32', 128));
    expect(gpu.counters.buffers - buffers).toBe(1);
    await gpu.dispose();
  });

  it('finds the bind groups of a step again, in whatever order a collector gives its buffers back', async () => {
    const gpu = await createWebGpuBackend();
    const view = (buffer: WebGpuBuffer) => ({ buffer, dtype: 'float32', shape: [4], strides: [1], offset: 0 }) as const;
    let bindGroups = 0;
    for (let step = 0; step < 8; step++) {
      const buffers = Array.from({ length: 6 }, (_, i) => gpu.allocate('float32', 4 * (1 + (i % 2))));
      for (let i = 1; i < 6; i++) gpu.kernels.scan('sum', false, view(buffers[i - 1]), view(buffers[i]), 0);
      await gpu.synchronize();
      if (step === 0) ({ bindGroups } = gpu.counters);
      const order = buffers.map((_, i) => (i * (step % 2 ? 5 : 1) + step) % 6);
      for (const i of order) gpu.free(buffers[i]);
    }
    expect(gpu.counters.bindGroups).toBe(bindGroups);
    await gpu.dispose();
  });

  it('keeps within its budget, giving back the pool before it refuses', async () => {
    const gpu = await createWebGpuBackend({ maxBytes: 1 << 20 });
    const half = gpu.allocate('float32', 1 << 17);
    gpu.free(half);
    expect(gpu.memory()).toMatchObject({ buffers: 0, bytes: 0, pooledBytes: 1 << 19 });
    const most = gpu.allocate('float32', 200_000);
    expect(gpu.memory().pooledBytes).toBe(0);
    expect(() => gpu.allocate('float32', 100_000)).toThrow(
      expect.objectContaining({
        code: 'ERR_OUT_OF_MEMORY',
        details: expect.objectContaining({ liveBytes: 800_000, liveBuffers: 1, requestedBytes: 400_000 }) as object,
      }),
    );
    gpu.free(most);
    gpu.free(gpu.allocate('float32', 100_000));
    await gpu.dispose();
  });

  it('writes and reads elements that share words with others', async () => {
    const gpu = await createWebGpuBackend();
    const buffer = gpu.allocate('uint8', 11);
    gpu.write(buffer, 0, Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
    gpu.write(buffer, 3, Uint8Array.of(33, 44));
    gpu.write(buffer, 10, Uint8Array.of(99));
    expect([...(await gpu.read(buffer, 1, 10))]).toEqual([1, 2, 33, 44, 5, 6, 7, 8, 9, 99]);
    const halves = gpu.allocate('float16', 3);
    gpu.write(halves, 0, new Uint8Array(Uint16Array.of(1, 2, 3).buffer));
    gpu.write(halves, 1, new Uint8Array(Uint16Array.of(7).buffer));
    expect([...new Uint16Array((await gpu.read(halves, 0, 3)).buffer)]).toEqual([1, 7, 3]);
    await gpu.dispose();
  });

  it('reads at once, in Node, whatever the size', async () => {
    const gpu = await createWebGpuBackend();
    const n = 3 * 2 ** 20 + 5;
    const buffer = gpu.allocate('float32', n);
    const values = Float32Array.from({ length: n }, (_, i) => i % 4099);
    gpu.write(buffer, 0, new Uint8Array(values.buffer));
    const back = new Float32Array(gpu.readSync!(buffer, 0, n).buffer);
    expect(back.every((x, i) => x === values[i])).toBe(true);
    expect(new Float32Array((await gpu.read(buffer, n - 2, 2)).buffer)).toEqual(values.slice(n - 2));
    await gpu.dispose();
  });

  it('reads what no one staging buffer takes, all of it as it was when it was asked for', async () => {
    const gpu = await createWebGpuBackend();
    const n = 2 ** 27 + 2 ** 20 + 3;
    const buffer = gpu.allocate('uint8', n);
    gpu.write(buffer, 2 ** 27 - 2, Uint8Array.of(1, 2, 3, 4));
    const all = gpu.read(buffer, 1, n - 1);
    gpu.write(buffer, 0, new Uint8Array(8).fill(9));
    gpu.write(buffer, n - 1, Uint8Array.of(9));
    const bytes = await all;
    expect(bytes).toHaveLength(n - 1);
    expect([bytes[0], bytes[n - 2], ...bytes.subarray(2 ** 27 - 4, 2 ** 27 + 2)]).toEqual([0, 0, 0, 1, 2, 3, 4, 0]);
    await gpu.dispose();
  });

  it('answers many reads that wait at the same time', async () => {
    const gpu = await createWebGpuBackend();
    const buffers = Array.from({ length: 20 }, (_, i) => {
      const buffer = gpu.allocate('float32', 1);
      gpu.write(buffer, 0, floats(i));
      return buffer;
    });
    const values = await Promise.all(buffers.map(async (buffer) => new Float32Array((await gpu.read(buffer, 0, 1)).buffer)[0]));
    expect(values).toEqual(buffers.map((_, i) => i));
    await gpu.dispose();
  });
});
