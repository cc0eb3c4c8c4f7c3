/** @file Chromium with a page of these sources in it, cross-origin isolated if nothing else is said, as a bundler would serve it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { createServer, defaultClientConditions, type ViteDevServer } from 'vite';

const root = join(import.meta.dirname, '../../../..');
/** Where a Chromium is; undefined if nowhere. */
export const chromiumPath = [
  process.env['CHROMIUM_PATH'],
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/google-chrome',
].find((file) => file !== undefined && existsSync(file));

/** WebGPU's flag, and what keeps Chromium from the network. */
export const FLAGS = [
  '--enable-unsafe-webgpu',
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Why there is no browser to test in, if there is none: then its tests are skipped, but fail where `TESSERA_REQUIRE` names browser. */
export const noBrowser: string | false = chromiumPath === undefined && 'no Chromium was found; CHROMIUM_PATH says where one is';

if (noBrowser) {
  if ((process.env['TESSERA_REQUIRE'] ?? '').split(',').includes('browser')) throw new Error(`TESSERA_REQUIRE names browser: ${noBrowser}`);
  console.warn(`skipped: ${noBrowser}`);
}

export interface OpenPage {
  /** Calls a function of `module` (a path in the repository) in the page. */
  run<T>(module: string, name: string, ...args: readonly unknown[]): Promise<T>;
  close(): Promise<void>;
}

/** What makes a page cross-origin isolated. */
export const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** @param headers Of the page and of all that it loads. */
export async function openPage(headers: Readonly<Record<string, string>> = ISOLATION): Promise<OpenPage> {
  const server: ViteDevServer = await createServer({
    root,
    configFile: false,
    logLevel: 'error',
    appType: 'custom',
    cacheDir: join(root, 'node_modules/.cache/vite-webgpu-tests'),
    resolve: { conditions: ['tessera-source', ...defaultClientConditions] },
    oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
    server: {
      host: '127.0.0.1',
      port: 0,
      hmr: false,
      watch: null,
      headers,
    },
  });
  server.middlewares.use((request, response, next) => {
    if (request.url !== '/') next();
    else response.writeHead(200, { 'content-type': 'text/html', ...headers }).end('<!doctype html><title>test</title>');
  });
  await server.listen();
  const browser: Browser = await chromium.launch({ executablePath: chromiumPath!, headless: true, args: FLAGS });
  const page: Page = await browser.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  const { port } = server.httpServer!.address() as { port: number };
  await page.goto(`http://127.0.0.1:${port}/`);
  return {
    run: async <T>(module: string, name: string, ...args: readonly unknown[]): Promise<T> => {
      // As text: the test runner rewrites imports in functions.
      const call = `import(${JSON.stringify(`/${module}`)}).then((loaded) => loaded[${JSON.stringify(name)}](...${JSON.stringify(args)}))`;
      try {
        return (await page.evaluate(call)) as T;
      } catch (error) {
        throw new Error([String(error), ...problems].join('\n'), { cause: error });
      }
    },
    close: async () => {
      await browser.close();
      await server.close();
    },
  };
}
