import { describe, expect, it } from 'vitest';
import { createWebGpuBackend } from '../src/index.js';
import { noAdapter } from './support/device.js';

const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

describe.skipIf(noAdapter)('memory', () => {
  it('reuses what was freed, the last one first, and makes no new buffers in a loop', async () => {
    const gpu = await createWebGpuBackend();
    const [a, b] = [gpu.allocate('float32', 100), gpu.allocate('float32', 100)];
    gpu.free(a);
    gpu.free(b);
    expect(gpu.allocate('float32', 100).id).toBe(b.id);
    expect(gpu.allocate('int32', 90).id).toBe(a.id);
    const { buffers } = gpu.counters;
    for (let i = 0; i < 100; i++) gpu.free(gpu.allocate('float32', 128));
    expect(gpu.counters.buffers - buffers).toBe(1);
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
