/** @file In real Chromium: what a content security policy has to allow, and training in a service worker. docs/guide/bundlers.md says the same. */
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, FLAGS, ISOLATION, noBrowser } from '../../backend-webgpu/test/support/browser.js';
import { type Outcome, train } from './browser/training.js';
import { bundle, serve, type StaticSite } from './support/static-site.js';

/** Keeps what the policy forbade, from the first script on. */
const VIOLATIONS =
  'globalThis.violations = []; addEventListener("securitypolicyviolation", (e) => violations.push([e.effectiveDirective, e.blockedURI].join(" ")));';

interface Visit {
  readonly outcome: Outcome;
  readonly violations: readonly string[];
}

// Half a minute: where it is asked for, as in continuous integration.
const required = (process.env['TESSERA_REQUIRE'] ?? '').split(',').includes('browser');

describe.skipIf(noBrowser || !required)('a strict page', () => {
  let browser: Browser;
  let scripts: Readonly<Record<string, string>>;
  let expected: readonly number[];
  beforeAll(async () => {
    const folder = join(import.meta.dirname, 'browser');
    const [page, worker] = await Promise.all([bundle(join(folder, 'page.ts')), bundle(join(folder, 'service-worker.ts'), 'iife')]);
    scripts = { 'page.js': page, 'service-worker.js': worker, 'violations.js': VIOLATIONS };
    browser = await chromium.launch({ executablePath: chromiumPath!, headless: true, args: FLAGS });
    expected = (await train('cpu')).losses;
  }, 120_000);
  afterAll(() => browser?.close());

  async function visit(policy: string, call: string): Promise<Visit> {
    const site: StaticSite = await serve(scripts, { ...ISOLATION, 'Content-Security-Policy': policy });
    const page: Page = await browser.newPage();
    try {
      await page.goto(site.url);
      await page.waitForFunction('typeof train === "function"');
      const outcome = await page.evaluate<Outcome>(call);
      return { outcome, violations: await page.evaluate<string[]>('violations') };
    } finally {
      await page.close();
      await site.close();
    }
  }

  const agrees = ({ outcome }: Visit, device: string): void => {
    expect(outcome).toMatchObject({ device });
    expect(outcome.losses).toHaveLength(5);
    for (const [i, loss] of outcome.losses.entries()) expect(loss).toBeCloseTo(expected[i]!, 4);
    expect(outcome.losses[4]!).toBeLessThan(outcome.losses[0]!);
  };

  it("trains on cpu under default-src 'self': its kernels are interpreted there", async () => {
    const seen = await visit("default-src 'self'", 'train("cpu")');
    agrees(seen, 'cpu');
    // Reports of the two questions that were asked: may code be made from text, and (for the list of backends) from WebAssembly?
    expect(seen.violations.toSorted()).toEqual(['script-src eval', 'script-src wasm-eval']);
  });

  it("says under default-src 'self' why wasm cannot be used, and auto takes another", async () => {
    const { outcome } = await visit("default-src 'self'", 'train("auto")');
    expect(['cpu', 'webgpu']).toContain(outcome.device);
    expect(outcome.unavailable['wasm']).toMatch(/Content-Security-Policy.*wasm-unsafe-eval/);
  });

  it("trains on webgpu under default-src 'self'", async () => {
    const seen = await visit("default-src 'self'", 'train("webgpu")');
    agrees(seen, 'webgpu');
    expect(seen.violations.filter((one) => !one.startsWith('script-src'))).toEqual([]);
  });

  it("trains on wasm with threads where 'wasm-unsafe-eval' and workers from blobs are allowed", async () => {
    const seen = await visit("default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:", 'train("wasm")');
    agrees(seen, 'wasm');
    expect(seen.violations).toEqual(['script-src eval']);
  });

  it('trains on wasm where workers from blobs are not allowed', async () => {
    const seen = await visit("default-src 'self'; script-src 'self' 'wasm-unsafe-eval'", 'train("wasm")');
    agrees(seen, 'wasm');
    expect(seen.violations.filter((one) => !one.startsWith('script-src'))).toEqual([]);
  });

  it.each(['cpu', 'wasm', 'webgpu'])('trains on %s in a service worker, under the same policy', async (device) => {
    const seen = await visit("default-src 'self'; script-src 'self' 'wasm-unsafe-eval'", `trainInServiceWorker("${device}")`);
    agrees(seen, device);
    expect(seen.violations.filter((one) => !one.startsWith('script-src'))).toEqual([]);
  });
});
