/** @file Weights: saved as PyTorch knows them, loaded again, and refused when they are no good. */
import { readFile } from 'node:fs/promises';
import { io } from 'tessera';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noBrowser } from './support/chromium.js';
import { choose, failure, notice, pause, Playground, trained } from './support/playground.js';

describe.skipIf(noBrowser)('weights', () => {
  let playground: Playground;
  beforeAll(async () => {
    playground = await Playground.start();
  });
  afterAll(() => playground?.stop());

  it('are saved under PyTorch’s names, and give the same accuracy in another page', async () => {
    const page = await playground.open();
    await choose(page, 'wasm');
    await page.getByRole('button', { name: 'Train' }).click();
    await trained(page, 50);
    await pause(page);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save weights' }).click()]);
    expect(download.suggestedFilename()).toBe('digits.safetensors');
    const bytes = await readFile(await download.path());
    const { tensors, metadata } = io.parseSafetensors(bytes);
    expect([...tensors.keys()].toSorted()).toEqual(['conv1.bias', 'conv1.weight', 'conv2.bias', 'conv2.weight', 'fc.bias', 'fc.weight']);
    expect(metadata).toMatchObject({ format: 'pt' });

    const other = await playground.open();
    await choose(other, 'cpu');
    await other.locator('#seed').fill('7');
    await other.getByRole('button', { name: 'One step' }).click();
    await trained(other, 1);
    const load = async (target: typeof page): Promise<string> => {
      await target.locator('#load-file').setInputFiles({ name: 'digits.safetensors', mimeType: 'application/octet-stream', buffer: bytes });
      return notice(target, /Loaded digits\.safetensors/);
    };
    const there = await load(other);
    expect(there).toMatch(/: [6-9]\d\.\d % of the test digits/);
    expect(await load(page)).toBe(there);
    await other.context().close();
    await playground.close(page);
  });

  it('are refused when the file is damaged or belongs to another model', async () => {
    const page = await playground.open();
    await choose(page, 'cpu');
    await page.locator('#model').selectOption('mlp');
    await page.getByRole('button', { name: 'One step' }).click();
    await trained(page, 1);
    const file = page.locator('#load-file');
    await file.setInputFiles({ name: 'x.safetensors', mimeType: 'application/octet-stream', buffer: Buffer.from('no tensors') });
    expect(await failure(page)).toContain('ERR_SAFETENSORS');
    const foreign = io.serializeSafetensors(new Map([['a', { dtype: 'F32', shape: [1], data: new Uint8Array(4) }]]));
    await file.setInputFiles({ name: 'x.safetensors', mimeType: 'application/octet-stream', buffer: Buffer.from(foreign) });
    await page.locator('#failure').filter({ hasText: 'hidden.weight' }).waitFor();
    await playground.close(page);
  });
});
