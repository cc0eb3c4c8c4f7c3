/** @file Backends and layers from plugins, by address and by file; and those that fail. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noBrowser } from './support/chromium.js';
import { choose, describeBackend, failure, figure, Playground, trained } from './support/playground.js';
import { BROKEN_BACKENDS, plainBackend, SWISH_LAYER } from './support/plugins.js';

async function add(page: Page, address: string): Promise<string> {
  await page.getByText('Add a plugin').click();
  await page.getByLabel('Address').fill(address);
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.locator('#plugin-status').filter({ hasNotText: 'Loading' }).filter({ hasText: /./ }).waitFor();
  return page.locator('#plugin-status').innerText();
}

describe.skipIf(noBrowser)('plugins', () => {
  let playground: Playground;
  beforeAll(async () => {
    playground = await Playground.start({
      files: {
        'plugins/plain.js': await plainBackend(),
        'plugins/broken.js': BROKEN_BACKENDS,
        'plugins/none.js': 'export const nothing = 1;',
      },
    });
  });
  afterAll(() => playground?.stop());

  it('trains on a backend that a plugin brings, with a core of its own', async () => {
    const page = await playground.open();
    expect(await add(page, 'plugins/plain.js')).toMatch(/^Added .*plain/);
    await choose(page, 'plain');
    await page.locator('#model').selectOption('mlp');
    await page.getByRole('button', { name: 'One step' }).click();
    await trained(page, 1);
    expect(await figure(page, 'loss')).toBeCloseTo(Math.log(10), 0);
    expect(await page.locator('#memory tbody').innerText()).toContain('plain');
    await playground.close(page);
  });

  it('puts a backend from a plugin through the conformance kit', async () => {
    const page = await playground.open();
    await add(page, 'plugins/plain.js');
    await page.getByRole('link', { name: 'Conformance' }).click();
    await page.locator('#conformance-backends input[value=plain]').check();
    for (const other of ['cpu', 'wasm']) await page.locator(`#conformance-backends input[value=${other}]`).uncheck();
    await page.getByLabel('Only').fill('scan');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.locator('#conformance-status').filter({ hasText: 'Done.' }).waitFor();
    expect(await page.locator('[data-device=plain] .total').innerText()).toMatch(/^[1-9]\d* passed, 0 failed/);
    await playground.close(page);
  });

  it('says why a backend cannot be used here', async () => {
    const page = await playground.open();
    await add(page, 'plugins/broken.js');
    expect(await describeBackend(page, 'absent')).toBe('Not available: this machine has no abacus');
    expect(await page.locator('#backends input[value=absent]').isDisabled()).toBe(true);
    await playground.close(page);
  });

  it('stays where it is when another backend fails to start', async () => {
    const page = await playground.open();
    await add(page, 'plugins/broken.js');
    await choose(page, 'wasm');
    await page.getByRole('button', { name: 'Train' }).click();
    await trained(page, 3);
    await page.locator('#backends input[value=failing]').click();
    expect(await failure(page)).toContain('the abacus fell down');
    expect(await page.locator('#notice').innerText()).toBe('Still on wasm.');
    expect(await page.locator('#backends input[value=wasm]').isChecked()).toBe(true);
    await page.waitForFunction((at) => Number(document.querySelector('#figure-step')!.textContent) > at, await figure(page, 'step'));
    await playground.close(page);
  });

  it('starts nothing on a backend that fails, and says why', async () => {
    const page = await playground.open();
    await add(page, 'plugins/broken.js');
    await choose(page, 'failing');
    await page.getByRole('button', { name: 'Train' }).click();
    expect(await failure(page)).toContain('the abacus fell down');
    await choose(page, 'wasm');
    await page.getByRole('button', { name: 'Train' }).click();
    await trained(page, 1);
    await playground.close(page);
  });

  it('takes a layer from a file into a model of the editor', async () => {
    const page = await playground.open();
    await page.getByText('Add a plugin').click();
    await page.getByLabel('Or a file').setInputFiles({ name: 'swish.js', mimeType: 'text/javascript', buffer: Buffer.from(SWISH_LAYER) });
    await page.locator('#plugin-status').filter({ hasText: 'Added swish 2.1.0' }).waitFor();
    await page.locator('#model').selectOption('mlp');
    await page.getByRole('button', { name: 'Edit its source' }).click();
    await page
      .locator('.cm-content')
      .fill(
        [
          "import { nn, type Tensor } from 'tessera';",
          "import { layer } from 'playground';",
          'export class Net extends nn.Module {',
          '  hidden = new nn.Linear(784, 32);',
          "  swish = new (layer('Swish'))();",
          '  out = new nn.Linear(32, 10);',
          '  forward(x: Tensor): Tensor { return this.out(this.swish(this.hidden(x.flatten(1)))); }',
          '}',
        ].join('\n'),
      );
    await page.getByRole('button', { name: 'One step' }).click();
    await trained(page, 1);
    expect(await page.locator('#layers tbody').innerText()).toContain('swish Swish');
    await playground.close(page);
  });

  it('says what is wrong with an address', async () => {
    const page = await playground.open({ allow: /404/ });
    expect(await add(page, 'plugins/absent.js')).toContain('could not be loaded');
    await page.getByLabel('Address').fill('plugins/none.js');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.locator('#plugin-status').filter({ hasText: 'exports no plugin' }).waitFor();
    await playground.close(page);
  });
});
