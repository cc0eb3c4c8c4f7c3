/**
 * @file A device that has no memory left says so at the next read, and goes on. It is a real one that says it: SwiftShader binds buffers of 1 GiB, and has
 * no memory for one of that size.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { F, init, nn, ones, optim, randn, runtimes, tensor } from '../../tessera/src/index.js';
import { createWebGpuBackend, probeAdapter, type WebGpuBackend } from '../src/index.js';
import type { WebGpuBuffer } from '../src/memory/webgpu-buffer.js';

const { facts } = await probeAdapter();
const otherAdapter = facts === undefined || !facts.description.includes('SwiftShader');
if (otherAdapter) console.warn('skipped: only SwiftShader is known to run out of memory early');

/** More than there is. */
const TOO_MANY = 2 ** 28;
const BYTES = 2 ** 30;

const code = (expected: string): unknown => expect.objectContaining({ code: expected });

describe.skipIf(otherAdapter)('a device without memory', () => {
  const floats = (bytes: Uint8Array): number[] => [...new Float32Array(bytes.buffer)];
  const line = (buffer: WebGpuBuffer) => ({ buffer, dtype: 'float32', shape: [4], strides: [1], offset: 0 }) as const;

  /** A backend with [1, 2, 3, 4] on it, and one launch that writes where there is no memory. */
  async function overfull(): Promise<{ gpu: WebGpuBackend; x: WebGpuBuffer; launch: () => WebGpuBuffer }> {
    const gpu = await createWebGpuBackend();
    const x = gpu.allocate('float32', 4);
    gpu.write(x, 0, new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer));
    const launch = (): WebGpuBuffer => {
      const large = gpu.allocate('float32', TOO_MANY);
      gpu.kernels.scan('sum', false, line(x), line(large), 0);
      return large;
    };
    return { gpu, x, launch };
  }

  it('says what was asked for, by which kernel, and what is live; then it goes on', async () => {
    const { gpu, x, launch } = await overfull();
    const large = launch();
    await expect(gpu.read(large, 0, 1)).rejects.toMatchObject({
      code: 'ERR_OUT_OF_MEMORY',
      message: expect.stringMatching(
        /no memory for 1073741824 bytes, which scan sum was to use: 1073741840 bytes are live in 2 buffers/,
      ) as string,
      details: { requestedBytes: BYTES, op: 'scan sum', liveBytes: BYTES + 16, liveBuffers: 2 },
    });
    gpu.free(large);
    const small = gpu.allocate('float32', 4);
    gpu.kernels.scan('sum', false, line(x), line(small), 0);
    expect(floats(await gpu.read(small, 0, 4))).toEqual([1, 3, 6, 10]);
    await gpu.dispose();
  });

  it('says so to a read that waits as to one that does not, each time anew: what there is not is not handed out again', async () => {
    const { gpu, x, launch } = await overfull();
    for (let time = 0; time < 2; time++) {
      const large = launch();
      expect(() => gpu.readSync!(large, 0, 1)).toThrow(code('ERR_OUT_OF_MEMORY'));
      gpu.free(large);
    }
    // Freed before anybody knew.
    for (let time = 0; time < 2; time++) gpu.free(launch());
    await expect(gpu.synchronize()).rejects.toEqual(code('ERR_OUT_OF_MEMORY'));
    const { buffers } = gpu.counters;
    gpu.free(launch());
    expect(gpu.counters.buffers).toBe(buffers + 1);
    await expect(gpu.synchronize()).rejects.toEqual(code('ERR_OUT_OF_MEMORY'));
    expect(floats(gpu.readSync!(x, 0, 4))).toEqual([1, 2, 3, 4]);
    await gpu.dispose();
  });

  it('gets back what was kept for reuse', async () => {
    const { gpu, launch } = await overfull();
    gpu.free(gpu.allocate('float32', 1000));
    expect(gpu.memory().pooledBytes).toBeGreaterThan(0);
    gpu.free(launch());
    await expect(gpu.synchronize()).rejects.toEqual(code('ERR_OUT_OF_MEMORY'));
    expect(gpu.memory()).toMatchObject({ pooledBytes: 0, buffers: 1, bytes: 16 });
    await gpu.dispose();
  });
});

describe.skipIf(otherAdapter)('training', () => {
  afterAll(() => runtimes.current.dispose());

  it('goes on after a tensor that was too large', async () => {
    await init({ device: 'webgpu' });
    const model = new nn.Linear(8, 3);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const [x, y] = [randn(6, 8).realize(), tensor(Int32Array.of(0, 1, 2, 0, 1, 2)).realize()];
    const step = (): number => {
      optimizer.zeroGrad();
      const loss = F.crossEntropy(model(x), y);
      loss.backward();
      optimizer.step();
      return loss.item();
    };
    const losses = [step(), step()];
    await expect(ones([TOO_MANY]).cumsum(0).sum().itemAsync()).rejects.toEqual(code('ERR_OUT_OF_MEMORY'));
    losses.push(step(), step());
    expect(losses.every((loss, i) => i === 0 || loss < losses[i - 1])).toBe(true);
  });
});
