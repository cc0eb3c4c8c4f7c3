/** @file What only a run in a browser needs, and is not installed with the kit: Playwright, which drives Chromium, esbuild, which bundles, and Chromium itself. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DeviceError } from '@tessera/core';
import type { chromium as Chromium } from 'playwright-core';

/** @throws DeviceError `ERR_BROWSER_PACKAGE` */
export const loadEsbuild = (): Promise<typeof import('esbuild')> => optional('esbuild', () => import('esbuild'));

/** @throws DeviceError `ERR_BROWSER_PACKAGE` */
export const loadPlaywright = async (): Promise<typeof Chromium> =>
  (await optional('playwright-core', () => import('playwright-core'))).chromium;

/** A package beside the kit, or else beside the program of the working folder. */
async function optional<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    try {
      const loaded = (await import(/* @vite-ignore */ pathToFileURL(createRequire(resolve('package.json')).resolve(name)).href)) as
        | T
        | { readonly default: T };
      return typeof loaded === 'object' && loaded !== null && 'default' in loaded ? loaded.default : loaded;
    } catch {
      const why = (error as { code?: string }).code === 'ERR_MODULE_NOT_FOUND' ? '' : ` (${String(error)})`;
      throw Object.assign(
        new DeviceError('ERR_BROWSER_PACKAGE', `--browser needs the package ${name}${why}: npm install --save-dev playwright-core esbuild`),
        { cause: error },
      );
    }
  }
}

const PLACES = [
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
];

/**
 * The program of Chromium or Chrome: that which CHROMIUM_PATH names, or where it usually is, or Playwright's own.
 * @throws DeviceError `ERR_BROWSER_MISSING`
 */
export function chromiumPath(playwright: typeof Chromium): string {
  const install = 'install Chromium or Chrome (npx playwright-core install chromium-headless-shell) or say where it is by CHROMIUM_PATH';
  const given = process.env['CHROMIUM_PATH'];
  if (given !== undefined && given !== '') {
    if (existsSync(given)) return given;
    throw new DeviceError('ERR_BROWSER_MISSING', `there is no ${given}, which CHROMIUM_PATH names: ${install}`);
  }
  const found = [...PLACES, playwright.executablePath()].find((path) => path !== '' && existsSync(path));
  if (found === undefined) throw new DeviceError('ERR_BROWSER_MISSING', `no Chromium was found: ${install}`);
  return found;
}
