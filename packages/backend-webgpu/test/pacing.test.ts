/** @file A caller that never reads is not far ahead of the device: what waits in the driver takes memory. */
import { describe, expect, it } from 'vitest';
import { noAdapter } from './support/device.js';
import { executorHere } from './support/executor.js';

describe.skipIf(noAdapter)('pacing', () => {
  it('says when the device is far behind, and the wait ends; nothing is lost', async () => {
    const { device, executor, submit } = await executorHere();
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
    const { device, executor, submit } = await executorHere();
    for (let i = 0; i < 100; i++) submit();
    expect(executor.ready()).not.toBeNull();
    executor.destroy();
    await device.lost;
    for (let wait = executor.ready(); wait !== null; wait = executor.ready()) await wait; // oxlint-disable-line no-await-in-loop
    expect(executor.takeFault()).toMatchObject({ kind: 'lost' });
  });
});
