/** @file The playground in Chromium, as tests use it. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { inject } from 'vitest';
import { chromiumPath } from './chromium.js';
import { serveSite, type Site, type SiteOptions } from './site.js';

/** WebGPU's flag, and what keeps Chromium from the network. */
const FLAGS = [
  '--enable-unsafe-webgpu',
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** A shared machine may run at a tenth of its speed. */
const PATIENCE = 60_000;

export interface OpenOptions extends BrowserContextOptions {
  /** '#train', '#conformance', '#benchmarks'. */
  readonly view?: string;
  /** Errors that the test expects in the console. */
  readonly allow?: RegExp;
}

/** A browser and a server; `open` gives pages with nothing in common. */
export class Playground {
  #problems: string[] = [];
  /** Addresses that pages asked for, of any kind. */
  readonly requests: string[] = [];
  /** Those that were answered. */
  readonly answered: string[] = [];

  private constructor(
    readonly browser: Browser,
    readonly site: Site,
  ) {}

  static async start(options: SiteOptions = {}): Promise<Playground> {
    const site = await serveSite(inject('site'), options);
    return new Playground(await chromium.launch({ executablePath: chromiumPath!, headless: true, args: FLAGS }), site);
  }

  async open({ view = '#train', allow, ...options }: OpenOptions = {}): Promise<Page> {
    this.#problems = [];
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    context.setDefaultTimeout(PATIENCE);
    context.on('request', (request) => void this.requests.push(request.url()));
    context.on('requestfinished', (request) => void this.answered.push(request.url()));
    const page = await context.newPage();
    const problem = (text: string): void => {
      if (allow === undefined || !allow.test(text)) this.#problems.push(text);
    };
    page.on('pageerror', (error) => problem(`page error: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error') problem(`console: ${message.text()}`);
    });
    await page.goto(this.site.url + view);
    if (view === '#train') await page.waitForSelector('#backends input');
    return page;
  }

  /** Ends a page; errors that nobody saw fail the test. */
  async close(page: Page): Promise<void> {
    await page.context().close();
    if (this.#problems.length > 0) throw new Error(`the page had errors:\n${this.#problems.join('\n')}`);
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.site.close();
  }
}

export const choose = (page: Page, backend: string): Promise<void> => page.locator(`#backends input[value="${backend}"]`).check();

const textOf = (page: Page, id: string): Promise<string> => page.locator(`#${id}`).innerText();

/** A figure of the Train view as a number; NaN before there is one. */
export const figure = async (page: Page, name: 'loss' | 'accuracy' | 'speed' | 'kernels' | 'step'): Promise<number> =>
  Number.parseFloat((await textOf(page, `figure-${name}`)).replaceAll(',', ''));

/** Waits until so many steps are done, or fails with the error that the page shows. */
export async function trained(page: Page, steps: number): Promise<void> {
  await page.waitForFunction(
    (wanted) =>
      !document.querySelector<HTMLElement>('#failure')!.hidden ||
      Number.parseInt(document.querySelector('#figure-step')!.textContent.replaceAll(',', ''), 10) >= wanted,
    steps,
  );
  const failed = await page.locator('#failure').textContent();
  if (failed !== '') throw new Error(`the page shows an error: ${failed}`);
}

/** Presses Pause, and waits until it stands still. */
export async function pause(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Resume' }).waitFor();
}

/** Waits for the line above the figures to say something. */
export async function notice(page: Page, says: RegExp): Promise<string> {
  await page.locator('#notice').filter({ hasText: says }).waitFor();
  return textOf(page, 'notice');
}

/** Waits for an error to be shown. */
export async function failure(page: Page): Promise<string> {
  await page.locator('#failure').waitFor();
  return textOf(page, 'failure');
}

/** What the Train view says of a backend. */
export const describeBackend = (page: Page, backend: string): Promise<string> => textOf(page, `backend-${backend}`);
