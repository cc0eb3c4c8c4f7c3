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
  /** Ends the browser's process that owns its devices, as a driver's fault does. */
  crashGpu(): Promise<void>;
  close(): Promise<void>;
}

/** What makes a page cross-origin isolated. */
export const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** Serves an empty page at its root, and these sources. @param headers Of the page and of all that it loads. */
async function serve(headers: Readonly<Record<string, string>>): Promise<{ readonly url: string; readonly server: ViteDevServer }> {
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
      // Vite's client reloads a page that it cannot reach when that becomes visible again.
      ws: false,
      watch: null,
      headers,
    },
  });
  server.middlewares.use((request, response, next) => {
    if (request.url !== '/') next();
    else response.writeHead(200, { 'content-type': 'text/html', ...headers }).end('<!doctype html><title>test</title>');
  });
  await server.listen();
  const { port } = server.httpServer!.address() as { port: number };
  return { url: `http://127.0.0.1:${port}/`, server };
}

// As text: the test runner rewrites imports in functions.
const callOf = (module: string, name: string, args: readonly unknown[]): string =>
  `import(${JSON.stringify(`/${module}`)}).then((loaded) => loaded[${JSON.stringify(name)}](...${JSON.stringify(args)}))`;

/** @param headers Of the page and of all that it loads. */
export async function openPage(headers: Readonly<Record<string, string>> = ISOLATION): Promise<OpenPage> {
  const { url, server } = await serve(headers);
  const browser: Browser = await chromium.launch({ executablePath: chromiumPath!, headless: true, args: FLAGS });
  const page: Page = await browser.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  await page.goto(url);
  return {
    run: async <T>(module: string, name: string, ...args: readonly unknown[]): Promise<T> => {
      try {
        return (await page.evaluate(callOf(module, name, args))) as T;
      } catch (error) {
        throw new Error([String(error), ...problems].join('\n'), { cause: error });
      }
    },
    crashGpu: async () => {
      const session = await browser.newBrowserCDPSession();
      await session.send('Browser.crashGpuProcess');
      await session.detach();
    },
    close: async () => {
      await browser.close();
      await server.close();
    },
  };
}

/** A page that can be put to sleep. */
export interface SleepyPage extends Pick<OpenPage, 'run' | 'close'> {
  /** Hides its window, or shows it again. */
  hide(hidden: boolean): Promise<void>;
  /** Freezes it as a browser does with tabs that were not looked at for long, or wakes it up. */
  freeze(frozen: boolean): Promise<void>;
}

/** What keeps pages awake, which Playwright asks for if it is let. */
const AWAKE = ['--disable-background-timer-throttling', '--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding'];

/** Playwright keeps its own pages visible, so this one is opened and driven by the browser's protocol. */
export async function openSleepyPage(): Promise<SleepyPage> {
  const { url, server } = await serve(ISOLATION);
  const browser = await chromium.launch({ executablePath: chromiumPath!, headless: true, args: FLAGS, ignoreDefaultArgs: AWAKE });
  const session = await browser.newBrowserCDPSession();
  const { targetId } = await session.send('Target.createTarget', { url });
  const { sessionId } = await session.send('Target.attachToTarget', { targetId });
  let last = 0;
  const answers = new Map<number, (answer: { readonly result?: unknown; readonly error?: { readonly message: string } }) => void>();
  session.on('Target.receivedMessageFromTarget', ({ message }) => {
    const answer = JSON.parse(message) as { id?: number; result?: unknown };
    if (answer.id !== undefined) answers.get(answer.id)?.(answer);
  });
  const send = async <T>(method: string, params: object): Promise<T> => {
    const id = ++last;
    const answer = new Promise<T>((resolve, reject) => {
      answers.set(id, ({ result, error }) => (error === undefined ? resolve(result as T) : reject(new Error(error.message))));
    });
    await session.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method, params }) });
    return answer;
  };
  const { windowId } = await session.send('Browser.getWindowForTarget', { targetId });
  return {
    run: async <T>(module: string, name: string, ...args: readonly unknown[]): Promise<T> => {
      const expression = callOf(module, name, args);
      const { result, exceptionDetails } = await send<{
        result: { value: T };
        exceptionDetails?: { exception?: { description?: string } };
      }>('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
      if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? 'the page failed');
      return result.value;
    },
    hide: async (hidden) => {
      await session.send('Browser.setWindowBounds', { windowId, bounds: { windowState: hidden ? 'minimized' : 'normal' } });
    },
    freeze: (frozen) => send('Page.setWebLifecycleState', { state: frozen ? 'frozen' : 'active' }),
    close: async () => {
      await browser.close();
      await server.close();
    },
  };
}
