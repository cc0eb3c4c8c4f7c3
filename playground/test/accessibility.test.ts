/**
 * @file For everybody: axe-core finds no violation, wide and narrow, light and dark; everything can be reached by keys; nothing needs
 * sideways scrolling. `TESSERA_SCREENSHOTS=docs/images` keeps the pictures that the documents show.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noBrowser } from './support/chromium.js';
import { choose, pause, Playground, trained } from './support/playground.js';

const SIZES = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } } as const;
const cases = (['desktop', 'phone'] as const).flatMap((size) => (['light', 'dark'] as const).map((colours) => ({ size, colours })));

async function violations(page: Page): Promise<string[]> {
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.evaluate(axe);
  const results = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as AxeResults;
  return results.violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
}

async function check(page: Page, name: string): Promise<void> {
  const folder = process.env['TESSERA_SCREENSHOTS'];
  // Before axe: it scrolls.
  if (folder !== undefined)
    await page.screenshot({ path: join(import.meta.dirname, '../..', folder, `playground-${name}.png`), fullPage: true });
  expect(await violations(page), name).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), `${name} scrolls sideways`).toBeLessThanOrEqual(0);
}

describe.skipIf(noBrowser)('accessibility', () => {
  let playground: Playground;
  beforeAll(async () => {
    playground = await Playground.start();
  });
  afterAll(() => playground?.stop());

  it.each(cases)('has no violation on a $size in $colours colours', async ({ size, colours }) => {
    const page = await playground.open({ viewport: SIZES[size], colorScheme: colours, reducedMotion: 'reduce' });
    await choose(page, 'wasm');
    await page.getByRole('button', { name: 'Train' }).click();
    await trained(page, 100);
    await pause(page);
    await page.getByRole('button', { name: 'A test digit' }).click();
    await page
      .locator('#prediction')
      .filter({ hasText: /^\d with/ })
      .waitFor();
    await check(page, `train-${size}-${colours}`);

    await page.getByText('Add a plugin').click();
    await page.getByRole('button', { name: 'Edit its source' }).click();
    await page.locator('#editor-status').filter({ hasText: 'No errors.' }).waitFor();
    await page.locator('.cm-content').press('Control+End');
    await page.keyboard.type('const x: number = "";');
    await page.locator('#editor-status').filter({ hasText: '1 error' }).waitFor();
    await check(page, `editor-${size}-${colours}`);

    await page.getByRole('link', { name: 'Conformance' }).click();
    await page.locator('#conformance-backends input').first().waitFor();
    await page.getByLabel('Only').fill('memory,reduce,scan');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.locator('#conformance-status').filter({ hasText: 'Done.' }).waitFor();
    await check(page, `conformance-${size}-${colours}`);

    await page.getByRole('link', { name: 'Benchmarks' }).click();
    await page.locator('#benchmarks-backends input').first().waitFor();
    for (const input of await page.locator('#benchmarks-cases input').all())
      await input.setChecked(['add1m', 'matmul256', 'mlp_train'].includes(await input.inputValue()));
    await page.getByRole('button', { name: 'Run' }).click();
    await page.locator('#benchmarks-status').filter({ hasText: 'Done.' }).waitFor();
    await check(page, `benchmarks-${size}-${colours}`);
    await playground.close(page);
  });

  it('trains and pauses by keys alone, and keeps the focus', async () => {
    const page = await playground.open();
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement!.textContent)).toBe('Skip to content');
    for (let i = 0; i < 60 && (await page.evaluate(() => document.activeElement!.id)) !== 'run'; i++) await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement!.id)).toBe('run');
    await page.keyboard.press('Enter');
    await trained(page, 2);
    expect(await page.evaluate(() => document.activeElement!.id)).toBe('run');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Resume' }).waitFor();
    await playground.close(page);
  });

  it('leaves the editor by Escape and Tab', async () => {
    const page = await playground.open();
    await page.getByRole('button', { name: 'Edit its source' }).click();
    await page.locator('#editor-status').filter({ hasText: 'No errors.' }).waitFor();
    await page.locator('.cm-content').focus();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement!.closest('.cm-editor'))).toBeNull();
    await playground.close(page);
  });

  it('keeps the colours that a person chose', async () => {
    const page = await playground.open({ colorScheme: 'light' });
    const ground = (): Promise<string> => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await ground();
    await page.getByLabel('Colours').selectOption('dark');
    expect(await ground()).not.toBe(light);
    await page.reload();
    expect(await page.getByLabel('Colours').inputValue()).toBe('dark');
    expect(await ground()).not.toBe(light);
    await playground.close(page);
  });
});
