import { describe, expect, it } from 'vitest';
import { CpuBackend } from '../src/index.js';

const bytes = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

describe('memory', () => {
  it('counts buffers and bytes, small and large, and remembers the peak', () => {
    const cpu = new CpuBackend();
    const list = [cpu.allocate('float32', 3), cpu.allocate('bool', 5), cpu.allocate('float64', 1000), cpu.allocate('float16', 7)];
    expect(cpu.memory()).toEqual({ buffers: 4, bytes: 12 + 5 + 8000 + 14, pooledBytes: 0, peakBytes: 8031 });
    for (const buffer of list) cpu.free(buffer);
    expect(cpu.memory()).toEqual({ buffers: 0, bytes: 0, pooledBytes: 0, peakBytes: 8031 });
  });

  it('ignores a second free, and refuses to read what was freed', () => {
    const cpu = new CpuBackend();
    const kept = cpu.allocate('int32', 2);
    const buffer = cpu.allocate('int32', 2);
    cpu.free(buffer);
    cpu.free(buffer);
    expect(cpu.memory().buffers).toBe(1);
    expect(() => cpu.readSync(buffer, 0, 1)).toThrow(expect.objectContaining({ code: 'ERR_BUFFER_FREED' }));
    expect(cpu.readSync(kept, 0, 2).length).toBe(8);
  });

  it('gives small buffers places of their own on shared arrays', () => {
    const cpu = new CpuBackend();
    const buffers = Array.from({ length: 300 }, (_, i) => {
      const buffer = cpu.allocate('float32', 100);
      cpu.write(buffer, 0, bytes(...new Array<number>(100).fill(i)));
      return buffer;
    });
    expect(new Set(buffers.map((b) => b.data)).size).toBeLessThan(5);
    buffers.forEach((buffer, i) => expect(new Set(new Float32Array(cpu.readSync(buffer, 0, 100).buffer))).toEqual(new Set([i])));
  });

  it('keeps within its budget, and says what is live', () => {
    const cpu = new CpuBackend({ maxBytes: 10_000 });
    const buffer = cpu.allocate('float32', 2000);
    expect(() => cpu.allocate('float32', 600)).toThrow(
      expect.objectContaining({
        code: 'ERR_OUT_OF_MEMORY',
        details: expect.objectContaining({ requestedBytes: 2400, liveBytes: 8000, liveBuffers: 1, maxBytes: 10_000 }),
      }),
    );
    cpu.free(buffer);
    expect(cpu.allocate('float32', 600).length).toBe(600);
  });

  it('turns what the engine refuses into the same error', () => {
    expect(() => new CpuBackend().allocate('float64', 2 ** 40)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_MEMORY' }));
  });

  it('writes and reads elements, anywhere', async () => {
    const cpu = new CpuBackend();
    for (const length of [4, 5000]) {
      const buffer = cpu.allocate('float32', length);
      const host = bytes(1, 2);
      cpu.write(buffer, 1, host);
      host.fill(0);
      expect([...new Float32Array(cpu.readSync(buffer, 1, 2).buffer)]).toEqual([1, 2]);
      expect([...new Float32Array((await cpu.read(buffer, 2, 1)).buffer)]).toEqual([2]);
      expect(() => cpu.write(buffer, length - 1, bytes(1, 2))).toThrow(expect.objectContaining({ code: 'ERR_BUFFER_RANGE' }));
      expect(() => cpu.readSync(buffer, -1, 1)).toThrow(expect.objectContaining({ code: 'ERR_BUFFER_RANGE' }));
      expect(() => cpu.write(buffer, 0, new Uint8Array(3))).toThrow(expect.objectContaining({ code: 'ERR_BYTE_LENGTH' }));
    }
  });

  it('is of no use once disposed of', async () => {
    const cpu = new CpuBackend();
    const buffer = cpu.allocate('float32', 1);
    await cpu.dispose();
    const gone = expect.objectContaining({ code: 'ERR_BACKEND_DISPOSED' });
    expect(() => cpu.allocate('float32', 1)).toThrow(gone);
    expect(() => cpu.readSync(buffer, 0, 1)).toThrow(gone);
    expect(() => cpu.kernels.scan('sum', false, undefined as never, undefined as never, 0)).toThrow(gone);
    await expect(cpu.synchronize()).rejects.toThrow(gone);
  });
});
