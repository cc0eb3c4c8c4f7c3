/** @file What the device refuses is reported with the kernel's name, and the next work is done. */
import { describe, expect, it } from 'vitest';
import { noAdapter } from './support/device.js';
import { executorHere } from './support/executor.js';

const DOES_NOT_COMPILE = 'fn main() { oops }';
const NEEDS_MORE = `
@group(0) @binding(0) var<storage, read_write> x: array<f32, 4096>;
@compute @workgroup_size(1) fn main() { x[4095] = 1; }`;

describe.skipIf(noAdapter)('what the device refuses', () => {
  const nothing = (): null => null;
  const one = Uint32Array.of(1);
  const buffer = Uint32Array.of(2);

  it.each([
    ['a kernel that does not compile', DOES_NOT_COMPILE, false],
    ['one compiled aside', DOES_NOT_COMPILE, true],
    ['a buffer that is too small', NEEDS_MORE, false],
  ])('%s', async (_, code, aside) => {
    const { executor, submit } = await executorHere();
    executor.compileAside(aside);
    executor.createPipeline(7, 0, 1, 'the refused kernel', code);
    executor.dispatch(7, 1, 1, 1, buffer, 0, 1, one, 0, 1);
    await executor.read(2, 0, 4, true, nothing);
    const fault = executor.takeFault();
    expect(fault).toMatchObject({ kind: 'validation', message: expect.stringContaining('the refused kernel') as string });
    expect(executor.takeFault()).toBeNull();
    // A refused command takes its submit with it, and no other.
    submit();
    expect(await executor.read(2, 0, 4, true, (bytes) => new Float32Array(bytes.slice(0, 4).buffer)[0])).toBe(1);
    expect(executor.takeFault()).toBeNull();
    executor.destroy();
  });
});
