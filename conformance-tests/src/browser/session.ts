/** @file A run of the suite in Chromium: starts the server and the browser, hands tasks to pages, and ends both. */
import { constants } from 'node:os';
import { DeviceError } from '@tessera/core';
import type { Browser, Page } from 'playwright-core';
import { directoryFiles, type FixtureFiles } from '../fixtures/index.js';
import { shippedFiles } from '../fixtures/source.js';
import type { Scorecard } from '../report/scorecard.js';
import type { Progress } from '../run.js';
import { digitsFiles } from '../training/digits-suite.js';
import { bundle } from './bundle.js';
import { chromiumPath, loadPlaywright } from './optional.js';
import { type PageServer, servePage } from './server.js';
import type { Answer, PageThread, Report, Task } from './task.js';

export interface SessionOptions {
  /** Packages and files that export plugins. */
  readonly modules: readonly string[];
  /** A folder of reference data. Default: the data that this package ships. */
  readonly fixtures?: string;
  readonly thread: PageThread;
}

/** What a page is asked to run. */
export type BrowserRun = Omit<Extract<Task, { kind: 'run' }>, 'kind'>;

/** WebGPU's flag (on Linux it waits for one), the collector for the check of leaks, and what keeps Chromium from the network. */
const FLAGS = [
  '--enable-unsafe-webgpu',
  '--js-flags=--expose-gc',
  '--no-first-run',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** A busy machine may take its time. */
const START_MS = 120_000;

/** Ctrl-C and its like: as the process exits, Playwright ends Chromium, whatever its pages are at. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const exitOn = (signal: NodeJS.Signals): void => process.exit(128 + constants.signals[signal]);

/**
 * Chromium with pages of its own for each task. It ends with the process, too: by Ctrl-C, or however that comes about.
 *
 * @throws DeviceError `ERR_BROWSER_PACKAGE`, `ERR_BROWSER_MISSING`, `ERR_BROWSER_START`, `ERR_BROWSER_BUNDLE`
 */
export async function startSession({ modules, fixtures, thread }: SessionOptions): Promise<Session> {
  const playwright = await loadPlaywright();
  const executablePath = chromiumPath(playwright);
  const scripts = await bundle(modules);
  const files: FixtureFiles = fixtures === undefined ? shippedFiles() : directoryFiles(fixtures);
  const server = await servePage({ scripts, fixtures: files, digits: digitsFiles() });
  const args = [...FLAGS, ...(process.env['CHROMIUM_FLAGS'] ?? '').split(/\s+/).filter(Boolean)];
  for (const signal of SIGNALS) process.once(signal, exitOn);
  try {
    const handled = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
    return new Session(await playwright.launch({ executablePath, headless: true, args, timeout: START_MS, ...handled }), server, thread);
  } catch (error) {
    for (const signal of SIGNALS) process.off(signal, exitOn);
    await server.close();
    const [why] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw Object.assign(new DeviceError('ERR_BROWSER_START', `Chromium (${executablePath}) does not start: ${why}`), { cause: error });
  }
}

export class Session {
  readonly #browser: Browser;
  readonly #server: PageServer;
  readonly #thread: PageThread;

  constructor(browser: Browser, server: PageServer, thread: PageThread) {
    this.#browser = browser;
    this.#server = server;
    this.#thread = thread;
  }

  /** For the scorecard: `Chromium 150.0.1.2, in a worker`. */
  get name(): string {
    return `Chromium ${this.#browser.version()}, ${this.#thread === 'worker' ? 'in a worker' : 'on the page’s main thread'}`;
  }

  /** The devices that a module brings. @throws DeviceError `ERR_BROWSER_RUN` */
  async devices(module: string): Promise<string[]> {
    const answer = await this.#do({ kind: 'devices', module }, () => {});
    return (answer as { devices: string[] }).devices;
  }

  /**
   * The suite on a device.
   * @throws DeviceError `ERR_BROWSER_CRASHED` where the page or the browser ends before its task, `ERR_BROWSER_RUN` where the kit itself fails there; and as
   *   `runConformance`
   */
  async run(task: BrowserRun, progress: Progress): Promise<Scorecard> {
    const answer = await this.#do({ kind: 'run', ...task }, (report) => {
      if (report.kind === 'case') progress.onCase?.(report.result, report.suite);
      else if (report.kind === 'failure') progress.onFailure?.(report.failure, report.suite);
      else progress.onRow?.(report.row, report.progress);
    });
    return { ...(answer as { card: Scorecard }).card, browser: this.name };
  }

  async close(): Promise<void> {
    for (const signal of SIGNALS) process.off(signal, exitOn);
    await this.#browser.close();
    await this.#server.close();
  }

  /** Does a task in a page of its own. */
  async #do(task: Task, onReport: (report: Report) => void): Promise<Exclude<Answer, { error: unknown }>> {
    let last = 'before the first case';
    const page = await this.#open((report) => {
      if (report.kind === 'case') last = `after the case ${report.result.id} (${report.suite.level})`;
      onReport(report);
    });
    let answer: Answer;
    try {
      answer = await Promise.race([
        page.evaluate(([one, thread]) => globalThis.tesseraRun(one, thread), [task, this.#thread] as const),
        ended(page),
      ]);
    } catch (error) {
      if (error instanceof DeviceError) throw error.note(`It was ${last}.`);
      throw Object.assign(new DeviceError('ERR_BROWSER_RUN', `the page failed ${last}: ${String(error)}`), { cause: error });
    } finally {
      await page.close().catch(() => {}); // one that crashed is closed
    }
    if (!('error' in answer)) return answer;
    const { code, message, stack } = answer.error;
    throw Object.assign(new DeviceError(code ?? 'ERR_BROWSER_RUN', message), stack !== undefined && { cause: stack });
  }

  /** @throws DeviceError `ERR_BROWSER_RUN` where the bundle does not load, `ERR_BROWSER_CRASHED` */
  async #open(onReport: (report: Report) => void): Promise<Page> {
    const page = await this.#browser.newPage();
    const failed = new Promise<never>((_, reject) => {
      page.once('pageerror', (error) => reject(new DeviceError('ERR_BROWSER_RUN', `the page does not load: ${error.message}`)));
    });
    failed.catch(() => {}); // later errors in the page are the task's affair
    await page.exposeFunction('tesseraReport', onReport);
    try {
      await page.goto(this.#server.url, { timeout: START_MS });
      // A module that awaits at its top level is not there when the page is.
      const ready = page.waitForFunction(() => typeof globalThis.tesseraRun === 'function', undefined, { timeout: START_MS });
      await Promise.race([ready, failed, ended(page)]);
      // Else threads and reads at once would be left out without a word.
      if (!(await page.evaluate(() => globalThis.crossOriginIsolated)))
        throw new DeviceError('ERR_BROWSER_RUN', 'the page is not isolated');
      return page;
    } catch (error) {
      await page.close().catch(() => {});
      if (error instanceof DeviceError) throw error;
      throw Object.assign(new DeviceError('ERR_BROWSER_RUN', `the page does not load: ${String(error)}`), { cause: error });
    }
  }
}

/** Rejects where a page ends before its time. */
function ended(page: Page): Promise<never> {
  const crashed = (why: string): DeviceError => new DeviceError('ERR_BROWSER_CRASHED', why);
  return new Promise((_, reject) => {
    page.on('crash', () => reject(crashed('the page crashed: out of memory, or a fault of Chromium')));
    page.on('close', () => reject(crashed('the page was closed')));
    page
      .context()
      .browser()
      ?.on('disconnected', () => reject(crashed('Chromium ended')));
  });
}
