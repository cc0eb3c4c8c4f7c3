/** @file Drawing a digit, by mouse and by keys, and looking inside the network. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toDigit } from '../src/views/to-digit.js';
import { noBrowser } from './support/chromium.js';
import { choose, pause, Playground, trained } from './support/playground.js';

/** Strokes in shares of the pad's size. */
type Strokes = readonly (readonly (readonly [number, number])[])[];
const ONE: Strokes = [
  [
    [0.5, 0.15],
    [0.5, 0.85],
  ],
];
const circle = (x: number, y: number, rx: number, ry: number): [number, number][] =>
  Array.from({ length: 25 }, (_, i) => [x + rx * Math.sin((i * Math.PI) / 12), y - ry * Math.cos((i * Math.PI) / 12)]);
const ZERO: Strokes = [circle(0.5, 0.5, 0.24, 0.34)];

async function draw(page: Page, strokes: Strokes): Promise<void> {
  await page.getByRole('button', { name: 'Clear' }).click();
  const pad = page.locator('#pad');
  await pad.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await pad.boundingBox())!;
  for (const [first, ...rest] of strokes) {
    await page.mouse.move(x + first![0] * width, y + first![1] * height);
    await page.mouse.down();
    for (const [u, v] of rest) await page.mouse.move(x + u * width, y + v * height);
    await page.mouse.up();
  }
}

const answer = async (page: Page, says: RegExp): Promise<void> => page.locator('#prediction').filter({ hasText: says }).waitFor();

describe.skipIf(noBrowser)('drawing', () => {
  let playground: Playground;
  let page: Page;
  beforeAll(async () => {
    playground = await Playground.start();
    page = await playground.open();
    await choose(page, 'wasm');
    await page.getByRole('button', { name: 'Train' }).click();
    await trained(page, 180);
    await pause(page);
  });
  afterAll(() => playground?.stop());

  it('recognises a one and a zero drawn with the mouse', async () => {
    await draw(page, ONE);
    await answer(page, /^1 with/);
    expect(await page.locator('#bars .best').innerText()).toMatch(/^1/);
    await draw(page, ZERO);
    await answer(page, /^0 with/);
    expect(await page.locator('#pad').getAttribute('aria-label')).toBe('Drawing pad, with a drawing');
  });

  it('recognises a one drawn with the arrow keys and the space bar', async () => {
    await page.getByRole('button', { name: 'Clear' }).click();
    await answer(page, /^Draw something/);
    await page.locator('#pad').focus();
    for (let i = 0; i < 7; i++) await page.keyboard.press('ArrowUp');
    await page.keyboard.down('Space');
    for (let i = 0; i < 14; i++) await page.keyboard.press('ArrowDown');
    await page.keyboard.up('Space');
    await answer(page, /^1 with/);
    expect(await page.locator('#pad').evaluate((pad) => pad === document.activeElement)).toBe(true);
  });

  it('takes a digit of the test split, and says which it is', async () => {
    await page.getByRole('button', { name: 'A test digit' }).click();
    await page.locator('#pad[aria-label^="A "]').waitFor();
    const label = /^A (\d)/.exec((await page.locator('#pad').getAttribute('aria-label'))!)![1];
    expect(Number(label)).toBeLessThan(10);
    await answer(page, /^\d with [\d.]+ %/);
  });

  it('shows filters, and activations of what is drawn', async () => {
    const layers = page.locator('#inside-layer');
    const titles = await layers.locator('option').allInnerTexts();
    expect(titles).toContain('Filters: conv1 (16×1 of 3×3)');
    expect(titles).toContain('Activations: conv2 (Conv2d)');
    expect(await page.locator('#inside canvas').count()).toBe(16);
    await layers.selectOption({ label: 'Activations: conv2 (Conv2d)' });
    expect(await page.locator('#inside canvas').count()).toBe(32);
    expect(await page.locator('#inside').getAttribute('aria-label')).toMatch(/^Activations of conv2 \(Conv2d\): 32 pictures/);
    await playground.close(page);
  });
});

describe('from a drawing to 8x8 pixels', () => {
  it('gives null for an empty pad', () => {
    expect(toDigit(() => 0, 32)).toBeNull();
  });

  it('fills the height, wherever and however large it was drawn', () => {
    const square = (left: number, top: number, size: number) => (x: number, y: number) =>
      Number(x >= left && x < left + size && y >= top && y < top + size);
    const small = toDigit(square(10, 20, 24), 224)!;
    const large = toDigit(square(60, 40, 96), 224)!;
    expect(small.length).toBe(64);
    for (const [i, value] of small.entries()) expect(value).toBeCloseTo(large[i]!, 0);
    for (const row of [0, 7]) expect(small.slice(8 * row + 3, 8 * row + 5)).toEqual([1, 1]);
  });

  it('keeps a line narrow', () => {
    const line = toDigit((x, y) => Number(Math.abs(x - 112) < 10 && y > 40 && y < 180), 224)!;
    for (let row = 1; row < 7; row++) {
      expect(line[8 * row]).toBe(0);
      expect(line[8 * row + 7]).toBe(0);
      expect(line[8 * row + 3]! + line[8 * row + 4]!).toBeGreaterThan(0.5);
    }
  });
});
