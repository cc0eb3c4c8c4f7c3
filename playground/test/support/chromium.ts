/**
 * @file Where a Chromium is, or why there is none: then tests are skipped, but fail where `TESSERA_REQUIRE` names browser. They take minutes, and
 * run where they are asked for: in continuous integration, and with TESSERA_REQUIRE=browser.
 */
import { existsSync } from 'node:fs';

export const chromiumPath = [
  process.env['CHROMIUM_PATH'],
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/google-chrome',
].find((file) => file !== undefined && existsSync(file));

const required = (process.env['TESSERA_REQUIRE'] ?? '').split(',').includes('browser');

export const noBrowser: string | false =
  chromiumPath === undefined
    ? 'no Chromium was found; CHROMIUM_PATH says where one is'
    : !required && 'the end-to-end tests of the playground run with TESSERA_REQUIRE=browser';

if (noBrowser) {
  if (required) throw new Error(`TESSERA_REQUIRE names browser: ${noBrowser}`);
  console.warn(`skipped: ${noBrowser}`);
}
