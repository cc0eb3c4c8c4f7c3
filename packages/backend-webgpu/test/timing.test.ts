/** @file The times of kernels, in the profiler that all backends have. */
import { afterAll, describe, expect, it } from 'vitest';
import { init, profile, randn, runtimes } from '../../tessera/src/index.js';
import { createWebGpuBackend, type WebGpuBackend } from '../src/index.js';
import type { WebGpuBuffer } from '../src/memory/webgpu-buffer.js';
import { noAdapter } from './support/device.js';

const view = (buffer: WebGpuBuffer, n: number) =>
  ({ buffer, dtype: 'float32', shape: [1, n, n], strides: [n * n, n, 1], offset: 0 }) as const;

describe.skipIf(noAdapter)('timing', () => {
  afterAll(() => runtimes.current.dispose());

  it('a profile has the time of each kernel on the device', async () => {
    await init({ device: 'webgpu' });
    const x = randn(128, 128).realize();
    const found = await profile(async () => {
      const y = x.matmul(x).exp().realize();
      await y.sum().itemAsync();
    });
    const { kernels } = found;
    expect(kernels.map(({ name }) => name)).toEqual(['matmul and exp', 'reduce sum']);
    for (const { deviceTime } of kernels) expect(deviceTime).toBeGreaterThan(0);
    expect(found.table()).toContain('Device time');
    expect(kernels.reduce((sum, k) => sum + k.deviceTime!, 0)).toBeLessThan(found.wallTime);
  });

  it.each([
    ["the adapter's timestamps", true],
    ['completions, where the adapter has none', false],
  ])('by %s: one time for each call, more for more work, and then none is taken', async (_, timestamps) => {
    const gpu: WebGpuBackend = await createWebGpuBackend({ timestamps });
    expect(gpu.adapter.features.includes('timestamp-query')).toBe(timestamps);
    const [small, large] = [16, 160].map((n) => [0, 1].map(() => view(gpu.allocate('float32', n * n), n)));
    for (const [a, b] of [small, large]) gpu.kernels.matmul(a, a, b);
    await gpu.synchronize();
    gpu.timing.begin();
    // Several times: a machine that does other things too disturbs one or the other.
    for (let round = 0; round < 5; round++) for (const [a, b] of [small, large]) gpu.kernels.matmul(a, a, b);
    // Several dispatches, of which the call's time is the sum.
    const line = (buffer: WebGpuBuffer) => ({ buffer, dtype: buffer.dtype, shape: [256], strides: [1], offset: 0 });
    gpu.kernels.sort(line(small[0].buffer), 0, false, line(small[1].buffer), line(gpu.allocate('int32', 256)));
    const times = await gpu.timing.end();
    expect(times).toHaveLength(11);
    const least = (first: number): number => Math.min(...times.filter((_, i) => i < 10 && i % 2 === first));
    expect(least(1)).toBeGreaterThan(least(0));
    expect(times[10]).toBeGreaterThan(0);
    gpu.kernels.matmul(small[0], small[0], small[1]);
    const { submits } = gpu.counters;
    await gpu.synchronize();
    expect(gpu.counters.submits - submits).toBe(1);
    await gpu.dispose();
  });

  it.each([
    ['the timestamps', true],
    ['the completions', false],
  ])('of a device that is lost there is an error and no wait, by %s', async (_, timestamps) => {
    const gpu = await createWebGpuBackend({ timestamps });
    const [a, b] = [0, 1].map(() => view(gpu.allocate('float32', 256), 16));
    gpu.timing.begin();
    gpu.kernels.matmul(a, a, b);
    gpu.loseDevice();
    await expect(gpu.timing.end()).rejects.toMatchObject({ code: 'ERR_DEVICE_LOST' });
    await gpu.dispose();
  });
});
