/** @file Any static host will do: a sub-folder, no isolation headers, no network, a strict content security policy. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noBrowser } from './support/chromium.js';
import { choose, describeBackend, Playground, trained } from './support/playground.js';

describe.skipIf(noBrowser)('hosting', () => {
  let playground: Playground;
  beforeAll(async () => {
    playground = await Playground.start();
  });
  afterAll(() => playground?.stop());

  it('asks no other server for anything, in any view, with the editor open', async () => {
    const page = await playground.open();
    await page.getByRole('button', { name: 'Edit its source' }).click();
    await page.locator('#editor-status').filter({ hasText: 'No errors.' }).waitFor();
    await choose(page, 'wasm');
    await page.getByRole('button', { name: 'One step' }).click();
    await trained(page, 1);
    for (const view of ['Conformance', 'Benchmarks']) await page.getByRole('link', { name: view }).click();
    await page.locator('#benchmarks-backends input').first().waitFor();
    const elsewhere = playground.requests.filter((url) => !url.startsWith(playground.site.url) && !/^(blob|data):/.test(url));
    expect(elsewhere).toEqual([]);
    await playground.close(page);
  });

  it('trains on without a network, once it is loaded', async () => {
    const page = await playground.open();
    await expect.poll(() => playground.answered.some((url) => /digits-[\w-]+\.safetensors$/.test(url)), { timeout: 60_000 }).toBe(true);
    await page.context().setOffline(true);
    for (const backend of ['cpu', 'wasm']) {
      await choose(page, backend);
      await page.getByRole('button', { name: /^(One step)$/ }).click();
      await trained(page, backend === 'cpu' ? 1 : 2);
    }
    await page.getByRole('button', { name: 'A test digit' }).click();
    await page
      .locator('#prediction')
      .filter({ hasText: /^\d with/ })
      .waitFor();
    await playground.close(page);
  });

  it('works without isolation headers: one thread, and it says so', async () => {
    const plain = await Playground.start({ isolated: false });
    try {
      const page = await plain.open();
      expect(await page.locator('#isolation').innerText()).toMatch(/not cross-origin isolated/);
      expect(await describeBackend(page, 'wasm')).toMatch(/^WebAssembly SIMD, 1 thread \(more need cross-origin isolation\)$/);
      await choose(page, 'wasm');
      await page.getByRole('button', { name: 'One step' }).click();
      await trained(page, 1);
      await plain.close(page);
    } finally {
      await plain.stop();
    }
  });
});
