import { makeProgram, Runtime, tensor } from '@tessera/core';
import * as core from '@tessera/core';
import { describe, expect, it } from 'vitest';
import { createWebGpuBackend, type WebGpuBackend, webgpuPlugin } from '../src/index.js';
import { noAdapter } from './support/device.js';

const ints = (...values: number[]): Uint8Array => new Uint8Array(Int32Array.from(values).buffer);
const code = (expected: string): unknown => expect.objectContaining({ code: expected });

/** A buffer with some int32 in it, and a view of all of them. */
function numbers(gpu: WebGpuBackend, ...values: number[]) {
  const buffer = gpu.allocate('int32', values.length);
  gpu.write(buffer, 0, ints(...values));
  return { buffer, dtype: 'int32', shape: [values.length], strides: [1], offset: 0 } as const;
}

describe.skipIf(noAdapter)('errors', () => {
  it('an index out of range comes up at the next read, names the op, the index and the size, and is then over', async () => {
    const gpu = await createWebGpuBackend();
    const [input, indices, out] = [numbers(gpu, 1, 2, 3), numbers(gpu, 0, 7, 1), numbers(gpu, 0, 0, 0)];
    gpu.kernels.gather(input, indices, 0, out);
    await expect(gpu.read(out.buffer, 0, 3)).rejects.toMatchObject({
      code: 'ERR_INDEX_RANGE',
      message: expect.stringContaining('gather: index 7') as string,
      details: { op: 'gather', index: 7, size: 3 },
    });
    expect([...new Int32Array((await gpu.read(out.buffer, 0, 1)).buffer)]).toEqual([1]);
    gpu.kernels.scatter('add', indices, input, 0, out);
    await expect(gpu.synchronize()).rejects.toEqual(code('ERR_INDEX_RANGE'));
    await gpu.synchronize();
    await gpu.dispose();
  });

  it('a program over more buffers than the adapter binds is refused by name', async () => {
    const gpu = await createWebGpuBackend();
    const count = gpu.adapter.limits.maxStorageBuffersPerShaderStage;
    const inputs = Array.from({ length: count }, (_, i) => numbers(gpu, i));
    const out = numbers(gpu, 0);
    const program = makeProgram({
      inputs: inputs.map(() => 'int32'),
      scalars: [],
      instructions: inputs.slice(1).map((_, i) => ({ op: 'add', dtype: 'int32', args: [i === 0 ? 0 : count + i - 1, i + 1] })),
      outputs: [{ register: 2 * count - 2, dtype: 'int32' }],
    });
    expect(() => gpu.kernels.pointwise(program, [], inputs, [out])).toThrow(code('ERR_KERNEL_BUFFERS'));
    await gpu.dispose();
  });

  it('a lost device says so at the next read, and another can be made', async () => {
    const gpu = await createWebGpuBackend();
    const x = numbers(gpu, 1, 2, 3);
    gpu.loseDevice();
    gpu.kernels.gather(x, x, 0, numbers(gpu, 0, 0, 0));
    await expect(gpu.read(x.buffer, 0, 1)).rejects.toEqual(code('ERR_DEVICE_LOST'));
    expect(() => gpu.allocate('float32', 1)).toThrow(code('ERR_DEVICE_LOST'));
    gpu.free(x.buffer);
    await gpu.dispose();
    const next = await createWebGpuBackend();
    expect([...(await next.read(numbers(next, 5).buffer, 0, 1))]).toEqual([5, 0, 0, 0]);
    await next.dispose();
  });

  it('init starts a new device after a loss, and parameters are put there from a copy on the host', async () => {
    const runtime = new Runtime(core).use(webgpuPlugin);
    const first = await runtime.init({ device: 'webgpu' });
    const saved = tensor([1, 2, 3], { device: first }).toArray() as number[];
    (first.backend as WebGpuBackend).loseDevice();
    await expect(tensor([1], { device: first }).itemAsync()).rejects.toEqual(code('ERR_DEVICE_LOST'));
    const second = await runtime.init({ device: 'webgpu' });
    expect(second).not.toBe(first);
    expect(tensor(saved, { device: second }).mul(2).toArray()).toEqual([2, 4, 6]);
    await runtime.dispose();
  });

  it('after dispose every call says that the backend has ended', async () => {
    const gpu = await createWebGpuBackend();
    const x = numbers(gpu, 1, 2);
    await gpu.dispose();
    expect(() => gpu.allocate('int32', 1)).toThrow(code('ERR_BACKEND_DISPOSED'));
    expect(() => gpu.kernels.gather(x, x, 0, x)).toThrow(code('ERR_BACKEND_DISPOSED'));
    await expect(gpu.read(x.buffer, 0, 1)).rejects.toEqual(code('ERR_BACKEND_DISPOSED'));
    await gpu.dispose();
  });
});
