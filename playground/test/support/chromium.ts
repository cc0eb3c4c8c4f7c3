/** @file Where a Chromium is, or why there is none: then tests are skipped, but fail where `TESSERA_REQUIRE` names browser. */
import { existsSync } from 'node:fs';

export const chromiumPath = [
  process.env['CHROMIUM_PATH'],
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/google-chrome',
].find((file) => file !== undefined && existsSync(file));

export const noBrowser: string | false = chromiumPath === undefined && 'no Chromium was found; CHROMIUM_PATH says where one is';

if (noBrowser) {
  if ((process.env['TESSERA_REQUIRE'] ?? '').split(',').includes('browser')) throw new Error(`TESSERA_REQUIRE names browser: ${noBrowser}`);
  console.warn(`skipped: ${noBrowser}`);
}
