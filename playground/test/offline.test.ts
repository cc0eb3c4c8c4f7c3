/** @file The service worker: the page works without a network after a reload, and is isolated where the host sends no headers. */
import type { Page } from 'playwright-core';
import { afterEach, describe, expect, it } from 'vitest';
import { noBrowser } from './support/chromium.js';
import { choose, describeBackend, Playground, trained } from './support/playground.js';

const kept = (page: Page): Promise<void> => page.locator('#offline').filter({ hasText: 'works without a network' }).waitFor();

const caches = (page: Page): Promise<string[]> => page.evaluate(() => globalThis.caches.keys());

async function step(page: Page, backend: string, steps: number): Promise<void> {
  await choose(page, backend);
  await page.getByRole('button', { name: 'One step' }).click();
  await trained(page, steps);
}

describe.skipIf(noBrowser)('the service worker', () => {
  let playground: Playground;
  afterEach(() => playground?.stop());

  it('keeps the page: it trains after a reload, with the server gone', async () => {
    playground = await Playground.start();
    const page = await playground.open({ allow: /ERR_(CONNECTION_REFUSED|INTERNET_DISCONNECTED)/ });
    await kept(page);
    await playground.site.close();
    await page.context().setOffline(true);
    await page.reload();
    await step(page, 'cpu', 1);
    await step(page, 'wasm', 2);
    await page.getByRole('button', { name: 'A test digit' }).click();
    await page
      .locator('#prediction')
      .filter({ hasText: /^\d with/ })
      .waitFor();
    // Isolated still: the kept page has the headers.
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    // Kernels of the conformance kit need nothing else either.
    await page.getByRole('link', { name: 'Conformance' }).click();
    await page.locator('#conformance-backends input[value=cpu]').waitFor();
    await page.getByLabel('Only').fill('scan');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.locator('#conformance-status').filter({ hasText: 'Done.' }).waitFor();
    await playground.close(page);
  });

  it('isolates the page where the host sends no headers: threads after a reload', async () => {
    playground = await Playground.start({ isolated: false });
    const page = await playground.open();
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
    await page.getByRole('button', { name: 'Reload with threads' }).click();
    await page.waitForFunction(() => crossOriginIsolated);
    expect(await page.locator('#isolation').isHidden()).toBe(true);
    await page.locator('#backends input').first().waitFor();
    expect(await describeBackend(page, 'wasm')).toMatch(/^WebAssembly SIMD, [2-8] threads$/);
    await step(page, 'wasm', 1);
    await playground.close(page);
  });

  it('keeps one version: a new one takes over when the old page is closed', async () => {
    playground = await Playground.start();
    const page = await playground.open();
    await kept(page);
    const [old, ...others] = await caches(page);
    expect(others).toEqual([]);
    playground.site.replace('service-worker.js', (text) => text.replace(/VERSION = '\w+'/, "VERSION = 'the next one'"));
    // While the page is open both are kept: it may still fetch parts of itself.
    await page.evaluate(async () => void (await (await navigator.serviceWorker.getRegistration())!.update()));
    await expect.poll(() => caches(page), { timeout: 60_000 }).toHaveLength(2);
    const context = page.context();
    const next = await context.newPage();
    await page.close();
    // The browser takes a moment to see that the old page is gone.
    const visit = async (): Promise<string[]> => {
      await next.goto('about:blank');
      await new Promise((resolve) => setTimeout(resolve, 500));
      await next.goto(playground.site.url);
      return caches(next);
    };
    await expect.poll(visit, { timeout: 60_000 }).toEqual([old!.replace(/\w+$/, 'the next one')]);
    await step(next, 'cpu', 1);
    await playground.close(next);
  });
});
