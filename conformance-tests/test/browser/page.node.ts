/** @file A plain page with the kit in it, built by a bundler and served as files: it runs, and shows its scorecard. */
import { readFile } from 'node:fs/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { type Browser, chromium } from 'playwright';
import { build, defaultClientConditions } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CHROMIUM } from './chromium.js';

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.json': 'application/json' };
const outDir = mkdtempSync(join(tmpdir(), 'conformance-page-'));
let server: Server;
let browser: Browser;

beforeAll(async () => {
  await build({
    root: join(import.meta.dirname, 'page'),
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['tessera-source', ...defaultClientConditions] },
    oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
    build: { outDir, emptyOutDir: true, target: 'esnext', minify: true, chunkSizeWarningLimit: 10_000 },
  });
  server = createServer((request, response) => {
    const path = normalize(new URL(request.url!, 'http://localhost').pathname);
    const file = path.startsWith('/fixtures/')
      ? join(import.meta.dirname, '../..', path)
      : join(outDir, path === '/' ? 'index.html' : path);
    readFile(file).then(
      (bytes) => response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  browser = await chromium.launch({ headless: true, ...CHROMIUM });
});
afterAll(async () => {
  await browser?.close();
  server?.close();
  rmSync(outDir, { recursive: true, force: true });
});

it('runs the kit on cpu and wasm, and shows what passed', async () => {
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  const { port } = server.address() as { port: number };
  await page.goto(`http://127.0.0.1:${port}/?device=cpu,wasm&only=scan,log_softmax/,nn.Softmax,Adagrad,simple_model`);
  await page.waitForFunction(() => document.title === 'done', undefined, { timeout: 100_000 });
  expect(problems).toEqual([]);
  const lines = (await page.locator('#progress').innerText()).trim().split('\n');
  for (const device of ['cpu', 'wasm']) {
    expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^${device}: [1-9]\\d+ passed, 0 failed, 0 skipped$`)));
    for (const level of ['kernels', 'ops', 'modules', 'optimizers', 'training'])
      expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^${device} \\d+/\\d+ ${level} \\S+: [1-9]\\d* passed$`)));
  }
  expect(await page.frameLocator('#scorecard').locator('body').innerText()).toContain('log_softmax');
});
