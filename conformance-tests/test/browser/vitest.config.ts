/**
 * @file The kit in browsers: in Vitest's browser mode, where `conform` and `checkLayer` declare their tests in a page, and on a plain page, built
 * and served as any site is.
 *
 *   npm run test:browser      # CHROMIUM_PATH says where Chromium is, if it is not where Debian puts it
 */
import { join } from 'node:path';
import { playwright } from '@vitest/browser-playwright';
import { defaultClientConditions } from 'vite';
import { defineConfig } from 'vitest/config';
import { CHROMIUM } from './chromium.js';

const root = join(import.meta.dirname, '../..');

export default defineConfig({
  test: {
    projects: [
      {
        root,
        cacheDir: 'node_modules/.cache/vitest-browser',
        resolve: { conditions: ['tessera-source', ...defaultClientConditions] },
        oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
        // Found when tests run already, these would make Vite load the page anew.
        optimizeDeps: { include: ['tsyringe', 'reflect-metadata', 'fast-check'] },
        // The reference data, which the page fetches, lie beside the sources.
        server: { fs: { allow: [join(root, '..')] } },
        test: {
          name: 'browser mode',
          include: ['test/browser/*.browser.ts'],
          testTimeout: 120_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            instances: [{ browser: 'chromium' }],
            provider: playwright({ launchOptions: CHROMIUM }),
          },
        },
      },
      { root, test: { name: 'plain page', include: ['test/browser/*.node.ts'], testTimeout: 120_000, hookTimeout: 120_000 } },
    ],
  },
});
