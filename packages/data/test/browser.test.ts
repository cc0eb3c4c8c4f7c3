/** @file Workers in real Chromium: samples in order, reproducibly, with errors that say where they come from. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noBrowser, type OpenPage, openPage } from '../../backend-webgpu/test/support/browser.js';

const PAGE = 'packages/data/test/browser/page.ts';

describe.skipIf(noBrowser)('workers in a page', () => {
  let page: OpenPage;
  beforeAll(async () => {
    page = await openPage({});
  }, 120_000);
  afterAll(() => page?.close());

  it('give batches in order, the same for the same seed', async () => {
    const options = { numWorkers: 2, batchSize: 3, shuffle: true };
    const first = await page.run<{ numbers: number[]; noise: number[]; names: string[] }>(PAGE, 'pass', options);
    expect(first.numbers.toSorted((a, b) => a - b)).toEqual([0, 1, 4, 9, 16, 25, 36, 49, 64, 81]);
    expect(first.numbers).not.toEqual(first.numbers.toSorted((a, b) => a - b));
    // Batches of three, one worker after the other.
    expect(first.names.map((name) => name.slice(-1)).join('')).toBe('0001110001');
    expect(new Set(first.noise).size).toBe(10);
    expect(await page.run(PAGE, 'pass', { ...options, prefetchFactor: 1 })).toEqual(first);
  });

  it('are kept from pass to pass', async () => {
    const { numbers, noise } = await page.run<{ numbers: number[]; noise: number[] }>(
      PAGE,
      'pass',
      { numWorkers: 1, persistentWorkers: true },
      2,
    );
    expect(numbers.slice(10)).toEqual(numbers.slice(0, 10));
    expect(new Set(noise).size).toBe(20);
  });

  it('pass errors on with their stack', async () => {
    const error = await page.run<{ code: string; message: string }>(PAGE, 'failure', 'broken');
    expect(error.code).toBe('ERR_WORKER');
    expect(error.message).toMatch(/RangeError in DataLoader worker 0: sample 2 is rotten[\s\S]*broken\.worker\.ts/);
  });

  it('that hang, or have no module, are errors too', async () => {
    const sampler = [3];
    expect(await page.run(PAGE, 'failure', 'broken', { timeout: 300, sampler })).toMatchObject({ code: 'ERR_WORKER_TIMEOUT' });
    const missing = await page.run<{ code: string; message: string }>(PAGE, 'failure', 'missing');
    expect(missing.code).toBe('ERR_WORKER_DIED');
    expect(missing.message).toContain('there-is-none');
  });
});
