/** @file Training in the page, on each backend of ours, and from one to another. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noBrowser } from './support/chromium.js';
import { choose, describeBackend, figure, notice, pause, Playground, trained } from './support/playground.js';

describe.skipIf(noBrowser)('training', () => {
  let playground: Playground;
  beforeAll(async () => {
    playground = await Playground.start();
  });
  afterAll(() => playground?.stop());

  it('shows what each backend is here', async () => {
    const page = await playground.open();
    expect(await describeBackend(page, 'cpu')).toBe('Plain TypeScript, one thread');
    expect(await describeBackend(page, 'wasm')).toMatch(/^WebAssembly SIMD, \d+ threads?$/);
    expect(await describeBackend(page, 'webgpu')).toMatch(/WebGPU|Slow here: |Not available: /);
    await playground.close(page);
  });

  // Without a GPU, WebGPU computes in software: a few steps have to do. An epoch is 45 steps of 32 images.
  it.each([
    ['cpu', 60],
    ['wasm', 60],
    ['webgpu', 12],
  ] as const)('brings the loss down on %s', async (backend, steps) => {
    const page = await playground.open();
    if (await page.locator(`#backends input[value=${backend}]`).isDisabled()) {
      const reason = await describeBackend(page, backend);
      if ((process.env['TESSERA_REQUIRE'] ?? '').split(',').includes(backend))
        throw new Error(`TESSERA_REQUIRE names ${backend}: ${reason}`);
      console.warn(`not trained on ${backend}: ${reason}`);
      await playground.close(page);
      return;
    }
    await choose(page, backend);
    await page.getByRole('button', { name: 'One step' }).click();
    await trained(page, 1);
    const first = await figure(page, 'loss');
    // Ten classes, and nothing learnt yet.
    expect(first).toBeCloseTo(Math.log(10), 0);
    await page.getByRole('button', { name: 'Resume' }).click();
    await trained(page, steps);
    await pause(page);
    expect(await figure(page, 'loss')).toBeLessThan(steps > 45 ? first / 2 : first - 0.1);
    if (steps > 45) expect(await figure(page, 'accuracy')).toBeGreaterThan(50);
    expect(await figure(page, 'speed')).toBeGreaterThan(0);
    expect(await figure(page, 'kernels')).toBeGreaterThan(5);
    expect(await page.locator('#memory tbody').innerText()).toMatch(new RegExp(`${backend}\\s+[\\d.]+ [KM]iB`));
    await playground.close(page);
  });

  it('gives the same first loss on cpu and wasm: PyTorch’s weights for the seed', async () => {
    const losses: number[] = [];
    for (const backend of ['cpu', 'wasm']) {
      const page = await playground.open();
      await choose(page, backend);
      await page.getByRole('button', { name: 'One step' }).click();
      await trained(page, 1);
      losses.push(await figure(page, 'loss'));
      await playground.close(page);
    }
    expect(losses[1]).toBeCloseTo(losses[0]!, 3);
  });

  it('answers the page while it trains', async () => {
    const page = await playground.open();
    await choose(page, 'cpu');
    await page.getByRole('button', { name: 'Train' }).click();
    await trained(page, 2);
    // Steps on cpu take tens of milliseconds and more: a page that computed them itself would draw no frame between.
    const longest = await page.evaluate(async () => {
      const gaps: number[] = [];
      let last = performance.now();
      for (let i = 0; i < 40; i++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        gaps.push(performance.now() - last);
        last = performance.now();
      }
      return gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)]!;
    });
    expect(longest).toBeLessThan(100);
    await pause(page);
    await playground.close(page);
  });

  it('stands still when it is paused, and goes on from there', async () => {
    const page = await playground.open();
    await choose(page, 'wasm');
    await page.getByRole('button', { name: 'Train' }).click();
    await trained(page, 5);
    await pause(page);
    const step = await figure(page, 'step');
    await page.waitForTimeout(300);
    expect(await figure(page, 'step')).toBe(step);
    await page.getByRole('button', { name: 'Resume' }).click();
    await trained(page, step + 3);
    await playground.close(page);
  });

  it('moves to another backend in the middle, with the same loss, and goes on', async () => {
    const page = await playground.open();
    await choose(page, 'wasm');
    await page.getByRole('button', { name: 'Train' }).click();
    await trained(page, 20);
    await choose(page, 'cpu');
    const [, before, after] = /was (\d+\.\d+) and is (\d+\.\d+)/.exec(await notice(page, /Moved from wasm to cpu/))!.map(Number);
    expect(after).toBeCloseTo(before!, 4);
    const step = await figure(page, 'step');
    await trained(page, step + 5);
    await pause(page);
    expect(await figure(page, 'loss')).toBeLessThan(2 * before! + 0.5);
    await playground.close(page);
  });

  it('keeps options in their bounds, and says so at the field', async () => {
    const page = await playground.open();
    await page.locator('#batch-size').fill('0');
    await page.getByRole('button', { name: 'Train' }).click();
    expect(await page.locator('#batch-size').evaluate((input: HTMLInputElement) => input.validationMessage)).not.toBe('');
    expect(await page.locator('#figure-step').innerText()).toBe('–');
    await playground.close(page);
  });

  it('stops with a reason when the loss is no number any more', async () => {
    const page = await playground.open();
    await choose(page, 'wasm');
    await page.locator('#optimizer').selectOption('SGD');
    await page.locator('#option-lr').fill('100');
    await page.locator('#option-weightDecay').fill('10');
    await page.getByRole('button', { name: 'Train' }).click();
    await page.locator('#failure').waitFor();
    expect(await page.locator('#failure').innerText()).toMatch(/the loss became (NaN|Infinity) in step \d+: try a smaller learning rate/);
    await page.getByRole('button', { name: 'Resume' }).waitFor();
    await playground.close(page);
  });
});
