/** @file A caller that never reads is not far ahead of the device: what waits in the driver takes memory. */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openDevice } from '../src/device/adapter.js';
import { createExecutor, type Executor } from '../src/device/executor.js';
import { PARTS } from '../src/device/parts.js';
import { noAdapter } from './support/device.js';

const CODE = `
@group(0) @binding(0) var<storage, read_write> sums: array<f32>;
@group(0) @binding(1) var<uniform> words: array<vec4u, 64>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { sums[id.x] += f32(words[0].x); }`;

/** A device in this thread, as in a page, with one kernel; a call of the answer launches and submits it. */
async function launching(): Promise<{ device: GPUDevice; executor: Executor; submit: () => void }> {
  const { create, globals } = (await import(pathToFileURL(createRequire(import.meta.url).resolve('webgpu')).href)) as {
    readonly create: (options: string[]) => GPU;
    readonly globals: object;
  };
  Object.assign(globalThis, globals);
  const opened = await openDevice(Object.assign(globalThis, { heldGpu: create([]) }).heldGpu, undefined, true, false);
  const { device } = opened as { device: GPUDevice };
  const executor = createExecutor(device, 1, PARTS);
  executor.createPipeline(0, 0, 1, 'sums', CODE);
  executor.createBuffer(2, 256);
  const submit = (): void => {
    executor.dispatch(0, 1, 1, 1, Uint32Array.of(2), 0, 1, Uint32Array.of(1), 0, 1);
    executor.flush();
  };
  return { device, executor, submit };
}

describe.skipIf(noAdapter)('pacing', () => {
  it('says when the device is far behind, and the wait ends; nothing is lost', async () => {
    const { device, executor, submit } = await launching();
    let done = 0;
    let most = 0;
    for (let submits = 1; submits <= 400; submits++) {
      submit();
      void device.queue.onSubmittedWorkDone().then(() => done++);
      // oxlint-disable-next-line no-await-in-loop -- what is tested
      for (let wait = executor.ready(); wait !== null; wait = executor.ready()) await wait;
      most = Math.max(most, submits - done);
    }
    expect(most).toBeGreaterThan(32);
    expect(most).toBeLessThan(80);
    const sums = await executor.read(2, 0, 256, false, (bytes) => new Float32Array(bytes.slice().buffer));
    expect([...sums]).toEqual(Array.from({ length: 64 }, () => 400));
    executor.destroy();
  });

  it('waits for nothing once the device is lost', async () => {
    const { device, executor, submit } = await launching();
    for (let i = 0; i < 100; i++) submit();
    expect(executor.ready()).not.toBeNull();
    executor.destroy();
    await device.lost;
    for (let wait = executor.ready(); wait !== null; wait = executor.ready()) await wait; // oxlint-disable-line no-await-in-loop
    expect(executor.takeFault()).toMatchObject({ kind: 'lost' });
  });
});
