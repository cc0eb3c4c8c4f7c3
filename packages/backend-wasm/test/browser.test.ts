/** @file In real Chromium: the kernels, and threads in isolated pages, in others, in workers, and where a policy forbids workers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Scorecard } from '../../../conformance-tests/src/index.js';
import { ISOLATION, noBrowser, type OpenPage, openPage } from '../../backend-webgpu/test/support/browser.js';

const PAGE = 'packages/backend-wasm/test/browser/page.ts';

/** Opens a page for the tests of a block. */
function pageWith(headers: Readonly<Record<string, string>>): () => OpenPage {
  let page: OpenPage | undefined;
  beforeAll(async () => {
    page = await openPage(headers);
  }, 120_000);
  afterAll(() => page?.close());
  return () => page!;
}

describe.skipIf(noBrowser)('an isolated page', () => {
  const page = pageWith(ISOLATION);

  it.each([[{ threads: 1 }], [{ threads: 2 }], [{ threads: 2, deterministic: true }]])('conforms with %j', async (options) => {
    const card = await page().run<Scorecard>(PAGE, 'kernels', options);
    expect(card.rows.flatMap(({ failures }) => failures.map(({ id, message }) => `${id}: ${message}`))).toEqual([]);
    expect(card.passed).toBeGreaterThan(1000);
  });

  it('shares work with a worker, while its main thread spins', async () => {
    const shares = await page().run(PAGE, 'sharedWork');
    expect(shares).toEqual({ isolated: true, inWorker: false, ready: 1, done: 50 * 101, helped: true });
  });

  it('does so from a module worker, which may sleep', async () => {
    const shares = await page().run(PAGE, 'sharedWorkInModuleWorker');
    expect(shares).toEqual({ isolated: true, inWorker: true, ready: 1, done: 50 * 101, helped: true });
  });

  it('computes products on two threads', async () => {
    expect(await page().run(PAGE, 'products')).toEqual({ isolated: true, right: true, rounds: true });
  });
});

describe.skipIf(noBrowser)('a page without isolation', () => {
  const page = pageWith({});

  it('computes on one thread when asked for two, and no error', async () => {
    expect(await page().run(PAGE, 'products')).toEqual({ isolated: false, right: true, rounds: true });
  });
});

describe.skipIf(noBrowser)('a page whose policy forbids workers from blobs', () => {
  const page = pageWith({ ...ISOLATION, 'Content-Security-Policy': "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'" });

  it('computes on one thread, and no error', async () => {
    expect(await page().run(PAGE, 'products')).toEqual({ isolated: true, right: true, rounds: true });
  });
});
