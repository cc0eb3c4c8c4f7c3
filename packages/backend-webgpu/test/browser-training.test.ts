/** @file Training in a real browser: its profile, its warm-up, devices that are lost and pages that are put to sleep. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noBrowser, openPage, type OpenPage, openSleepyPage } from './support/browser.js';
import type * as Training from './browser/training.js';

const PAGE = 'packages/backend-webgpu/test/browser/training.ts';
type Answer<N extends keyof typeof Training> = Awaited<ReturnType<Extract<(typeof Training)[N], (...args: never[]) => unknown>>>;

const falls = (losses: readonly number[]): boolean => losses.every((loss, i) => i === 0 || loss < losses[i - 1] + 1e-6);

describe.skipIf(noBrowser)('training in Chromium', () => {
  let page: OpenPage;
  beforeAll(async () => {
    page = await openPage();
  }, 120_000);
  afterAll(() => page?.close());

  /** While a read waits, which is told too. */
  async function crash(): Promise<void> {
    await page.run(PAGE, 'beginWork');
    await page.crashGpu();
    expect(await page.run<string>(PAGE, 'ofWork')).toBe('ERR_DEVICE_LOST');
  }

  it("profiles with the device's own clock", async () => {
    const { precise, names, deviceTime, wallTime } = await page.run<Answer<'profiled'>>(PAGE, 'profiled');
    expect([precise, names.length > 0]).toEqual([true, true]);
    expect(names[0]).toMatch(/^matmul/);
    expect(deviceTime).toBeGreaterThan(0);
    expect(deviceTime).toBeLessThan(wallTime);
  });

  it('compiles nothing in the steps after a warm-up', async () => {
    const { before, anew, falling } = await page.run<Answer<'warmedUp'>>(PAGE, 'warmedUp');
    expect(before).toBeGreaterThan(5);
    expect([anew, falling]).toEqual([0, true]);
  });

  it('goes on after a kernel for which there is no memory', async () => {
    const { failure, details, losses } = await page.run<Answer<'tooMuch'>>(PAGE, 'tooMuch', 2 ** 28);
    expect([failure, details]).toEqual(['ERR_OUT_OF_MEMORY', expect.objectContaining({ requestedBytes: 2 ** 30, op: 'scan sum' })]);
    expect(falls(losses)).toBe(true);
  });

  it.each([
    ['was given back', () => page.run(PAGE, 'lose')],
    ["is gone with the browser's process for GPUs", () => crash()],
  ])('goes on from a copy on the host when the device %s', async (_, lose) => {
    const before = await page.run<Answer<'begin'>>(PAGE, 'begin');
    await lose();
    const { failure, next, losses } = await page.run<Answer<'goOn'>>(PAGE, 'goOn');
    expect([failure, next]).toEqual(['ERR_DEVICE_LOST', 'ERR_DEVICE_LOST']);
    expect(falls([...before, ...losses])).toBe(true);
  });
});

describe.skipIf(noBrowser)('a page that is put to sleep', () => {
  it('trains on in a worker while it is hidden, not while it is frozen, and goes on when it wakes up', async () => {
    const page = await openSleepyPage();
    const soFar = (): Promise<Answer<'soFar'>> => page.run(PAGE, 'soFar');
    /** Waits until the page says so. */
    const until = async (holds: (progress: Answer<'soFar'>) => boolean): Promise<Answer<'soFar'>> => {
      for (;;) {
        // oxlint-disable-next-line no-await-in-loop -- it is asked again and again
        const progress = await soFar();
        expect(progress.problems).toEqual([]);
        if (holds(progress)) return progress;
        // oxlint-disable-next-line no-await-in-loop -- as above
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    try {
      await page.run(PAGE, 'startEverything');
      await until(({ inPage, inWorker, frames }) => inPage.length > 2 && inWorker.length > 2 && frames > 2);

      await page.hide(true);
      const hidden = await until((progress) => progress.hidden);
      const later = await until(({ inWorker }) => inWorker.length > hidden.inWorker.length + 5);
      expect(later.frames - hidden.frames).toBeLessThan(3);

      await page.freeze(true);
      await new Promise((resolve) => setTimeout(resolve, 500));
      await page.freeze(false);
      await page.hide(false);
      const awake = await until((progress) => !progress.hidden);
      const last = await until(
        ({ inPage, inWorker, frames }) =>
          inPage.length > awake.inPage.length + 2 && inWorker.length > awake.inWorker.length + 2 && frames > awake.frames + 2,
      );
      expect([falls(last.inPage), falls(last.inWorker)]).toEqual([true, true]);
    } finally {
      await page.close();
    }
  });
});
