/** @file A model written on the page: errors of types in place, errors of a run in place, and a run. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noBrowser } from './support/chromium.js';
import { choose, failure, notice, Playground, trained } from './support/playground.js';

async function edit(page: Page, replace: (source: string) => string): Promise<void> {
  const source = await readFile(join(import.meta.dirname, '../src/models/mlp.ts'), 'utf8');
  await page.locator('#model').selectOption('mlp');
  await page.getByRole('button', { name: 'Edit its source' }).click();
  await page.locator('.cm-content').fill(replace(source));
}

const status = (page: Page, says: RegExp): Promise<void> => page.locator('#editor-status').filter({ hasText: says }).waitFor();

describe.skipIf(noBrowser)('the editor', () => {
  let playground: Playground;
  beforeAll(async () => {
    playground = await Playground.start();
  });
  afterAll(() => playground?.stop());

  it.each(['cnn', 'mlp', 'rnn', 'shared', 'regularized'])('finds no error in %s', async (model) => {
    const page = await playground.open();
    await page.locator('#model').selectOption(model);
    await page.getByRole('button', { name: 'Edit its source' }).click();
    await status(page, /^No errors\.$/);
    expect(await page.locator('.cm-lintRange').count()).toBe(0);
    await playground.close(page);
  });

  it('shows an error of types where it is, and does not run', async () => {
    const page = await playground.open();
    await edit(page, (source) => source.replace('new nn.Linear(64, 10)', "new nn.Linear('64', 10)"));
    await status(page, /^1 error/);
    expect(await page.locator('.cm-lintRange-error').innerText()).toBe("'64'");
    await page.getByRole('button', { name: 'Train' }).click();
    expect(await failure(page)).toMatch(/in line 8: Argument of type 'string' is not assignable to parameter of type 'number'/);
    await playground.close(page);
  });

  it('trains what was written', async () => {
    const page = await playground.open();
    await choose(page, 'wasm');
    await edit(page, (source) => source.replace('relu = new nn.ReLU()', 'relu = new nn.Tanh()').replaceAll('64', '24'));
    await page.getByRole('button', { name: 'Train' }).click();
    await trained(page, 5);
    const layers = await page.locator('#layers tbody').innerText();
    expect(layers).toContain('relu Tanh');
    expect(layers).toContain('(1, 24)');
    expect(layers).toMatch(/All parameters\s+19,090/);
    await playground.close(page);
  });

  it('shows an error of a run in the line that it came from', async () => {
    const page = await playground.open();
    await edit(page, (source) => source.replace('new nn.Linear(64, 10)', 'new nn.Linear(65, 10)'));
    await page.getByRole('button', { name: 'Train' }).click();
    expect(await failure(page)).toMatch(/65/);
    await page.locator('.cm-lintRange-error').first().waitFor();
    expect(await page.locator('.cm-lintRange-error').first().innerText()).toContain('return this.out');
    await playground.close(page);
  });

  it('stops a model that never comes to an end, and goes on with a mended one', async () => {
    const page = await playground.open();
    await choose(page, 'cpu');
    await edit(page, (source) => source.replace('Tensor {', 'Tensor { while (x.numel() > 0) {}'));
    await status(page, /^No errors\.$/);
    await page.getByRole('button', { name: 'Train' }).click();
    await page.getByRole('button', { name: 'Stop' }).click();
    await notice(page, /^Stopped\./);
    await page.locator('.cm-content').fill(await readFile(join(import.meta.dirname, '../src/models/mlp.ts'), 'utf8'));
    await page.getByRole('button', { name: 'Train' }).click();
    await trained(page, 3);
    expect(await page.locator('#failure').isHidden()).toBe(true);
    await playground.close(page);
  });

  it('offers what Tessera has', async () => {
    const page = await playground.open();
    await edit(page, (source) => source);
    await page.locator('.cm-content').press('Control+End');
    await page.keyboard.type('nn.Conv');
    await page.locator('.cm-tooltip-autocomplete').waitFor();
    expect(await page.locator('.cm-tooltip-autocomplete').innerText()).toMatch(/Conv2d/);
    await playground.close(page);
  });
});
