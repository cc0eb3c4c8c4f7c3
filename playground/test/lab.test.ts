/** @file The Conformance and Benchmarks views. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noBrowser } from './support/chromium.js';
import { Playground } from './support/playground.js';

describe.skipIf(noBrowser)('the laboratory', () => {
  let playground: Playground;
  beforeAll(async () => {
    playground = await Playground.start();
  });
  afterAll(() => playground?.stop());

  it('runs kernels of the conformance kit on cpu and wasm', async () => {
    const page = await playground.open({ view: '#conformance' });
    await page.locator('#conformance-backends input[value=cpu]').waitFor();
    await page.getByLabel('Only').fill('scan,gather');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.locator('#conformance-status').filter({ hasText: 'Done.' }).waitFor();
    for (const device of ['cpu', 'wasm']) {
      const total = await page.locator(`[data-device=${device}] .total`).innerText();
      expect(total).toMatch(/^[1-9]\d+ passed, 0 failed/);
      expect(await page.locator(`[data-device=${device}] tbody`).innerText()).toMatch(/scan\s+[1-9]/);
    }
    await playground.close(page);
  });

  it('compares ops with PyTorch’s answers, from the reference data beside the page', async () => {
    const page = await playground.open({ view: '#conformance' });
    await page.locator('#conformance-backends input[value=wasm]').uncheck();
    await page.getByLabel('A sample of each op').check();
    await page.getByLabel('Only').fill('add,softmax,T');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.locator('#conformance-status').filter({ hasText: 'Done.' }).waitFor();
    expect(await page.locator('[data-device=cpu] .total').innerText()).toMatch(/^[1-9]\d* passed, 0 failed/);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save as JSON' }).click()]);
    const card = JSON.parse(await readFile(await download.path(), 'utf8')) as { device: string; passed: number; failed: number };
    expect(card).toMatchObject({ device: 'cpu', failed: 0 });
    await playground.close(page);
  });

  it('stops a run at once', async () => {
    const page = await playground.open({ view: '#conformance' });
    await page.locator('#conformance-backends input[value=cpu]').waitFor();
    await page.getByRole('button', { name: 'Run' }).click();
    await page.locator('[data-device=cpu] tbody tr').first().waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.locator('#conformance-status').filter({ hasText: 'Stopped.' }).waitFor();
    expect(await page.getByRole('button', { name: 'Run' }).isEnabled()).toBe(true);
    await playground.close(page);
  });

  it('times cases whose results are right', async () => {
    const page = await playground.open({ view: '#benchmarks' });
    await page.locator('#benchmarks-backends input[value=cpu]').waitFor();
    for (const input of await page.locator('#benchmarks-cases input').all())
      await input.setChecked(['add1m', 'mlp_train'].includes(await input.inputValue()));
    await page.getByRole('button', { name: 'Run' }).click();
    await page.locator('#benchmarks-status').filter({ hasText: 'Done.' }).waitFor();
    const table = await page.locator('#benchmarks-table').innerText();
    expect(table).toMatch(/Sum of 1 M elements/);
    expect(table.match(/[\d.]+ ms/g)).toHaveLength(4);
    expect(table).not.toMatch(/wrong|failed/);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save as JSON' }).click()]);
    const report = JSON.parse(await readFile(await download.path(), 'utf8')) as { timings: { status: string }[] };
    expect(report.timings.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok', 'ok']);
    await playground.close(page);
  });

  it('times other libraries beside Tessera, and fetches them only then', async () => {
    const page = await playground.open({ view: '#benchmarks' });
    await page.locator('#benchmarks-peers input').first().waitFor();
    const parts = (): string[] => playground.requests.filter((url) => /peer-|tfjs|jax/.test(url));
    expect(parts()).toEqual([]);
    for (const peer of ['tfjs-cpu', 'tfjs-wasm', 'jax-wasm']) await page.locator(`#benchmarks-peers input[value=${peer}]`).check();
    for (const input of await page.locator('#benchmarks-cases input').all())
      await input.setChecked(['add1m', 'matmul256'].includes(await input.inputValue()));
    await page.getByRole('button', { name: 'Run' }).click();
    await page.locator('#benchmarks-status').filter({ hasText: 'Done.' }).waitFor();
    const table = await page.locator('#benchmarks-table').innerText();
    expect(table.split('\n')[0]!.split('\t').slice(1)).toEqual(
      expect.arrayContaining(['cpu', 'wasm', 'tfjs-cpu', 'tfjs-wasm', 'jax-wasm']),
    );
    expect(table).not.toMatch(/wrong|failed|Infinity/);
    // Threads too: of what lies beside the page.
    expect(parts().some((url) => /threaded-simd-[\w-]+\.wasm$/.test(url))).toBe(true);
    expect(parts().filter((url) => !url.startsWith(playground.site.url))).toEqual([]);
    await playground.close(page);
  });

  it('goes on when a library has no kernel for a case, and says so', async () => {
    const page = await playground.open({ view: '#benchmarks', allow: /Conv2DBackpropFilter/ });
    await page.locator('#benchmarks-peers input').first().waitFor();
    await page.locator('#benchmarks-backends input[value=cpu]').uncheck();
    await page.locator('#benchmarks-peers input[value=tfjs-wasm]').check();
    for (const input of await page.locator('#benchmarks-cases input').all())
      await input.setChecked((await input.inputValue()) === 'cnn_train');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.locator('#benchmarks-status').filter({ hasText: 'Done.' }).waitFor();
    const table = await page.locator('#benchmarks-table').innerText();
    expect(table).toMatch(/failed\s+Kernel 'Conv2DBackpropFilter' not registered/);
    expect(table.match(/[\d.]+ ms/g)).toHaveLength(1);
    await playground.close(page);
  });
});
