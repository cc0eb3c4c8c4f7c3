import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Scorecard } from '../../../conformance-tests/src/index.js';
import { noBrowser, type OpenPage, openPage } from './support/browser.js';

const PAGE = 'packages/backend-webgpu/test/browser/page.ts';

describe.skipIf(noBrowser)('in Chromium', () => {
  let page: OpenPage;
  beforeAll(async () => {
    page = await openPage();
  }, 120_000);
  afterAll(() => page?.close());

  it('encodes directly: reads need an await, and a lost device is reported', async () => {
    expect(await page.run(PAGE, 'directReads')).toEqual({ syncRead: false, value: 2.5, failure: 'ERR_DEVICE_LOST' });
  });

  it('does the same in a module worker', async () => {
    expect(await page.run(PAGE, 'inModuleWorker')).toEqual({ syncRead: false, value: 2.5, failure: 'ERR_DEVICE_LOST' });
  });

  it('tells what the device refuses at the next read, and not later', async () => {
    const said = await page.run<string[]>(PAGE, 'refusedKernels');
    expect(said).toEqual([expect.stringContaining('kernel 0'), 'nothing', expect.stringContaining('kernel 1'), 'nothing']);
  });

  it('reads at once on request, by a worker that owns the device', async () => {
    expect(await page.run(PAGE, 'synchronousReads')).toEqual({ isolated: true, atOnce: 1.5, later: 1.5, failure: 'ERR_DEVICE_LOST' });
  });

  // Each required kernel's part of the conformance suite; the opcodes are one more. All of it: npm run conformance -- --device webgpu --browser
  it.each(['memory', 'pointwise', 'reduce', 'scan', 'matmul', 'gather', 'scatter', 'sort', 'opcode.*'])('conforms: %s', async (only) => {
    const card = await page.run<Scorecard>(PAGE, 'kernels', only);
    expect(card.rows.flatMap(({ failures }) => failures.map(({ id, message }) => `${id}: ${message}`))).toEqual([]);
    expect(card.passed).toBeGreaterThan(0);
  });
});
