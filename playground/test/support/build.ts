/** @file Builds the site once for all test files. Where there is no Chromium nothing is built: the tests are skipped, with the reason. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import type { TestProject } from 'vitest/node';
import { noBrowser } from './chromium.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the built site. */
    site: string;
  }
}

export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (noBrowser) {
    project.provide('site', '');
    return undefined;
  }
  const outDir = await mkdtemp(join(tmpdir(), 'tessera-playground-'));
  const root = join(import.meta.dirname, '../..');
  await build({
    root,
    configFile: join(root, 'vite.config.ts'),
    logLevel: 'error',
    mode: 'production',
    build: { outDir, emptyOutDir: true },
  });
  project.provide('site', outDir);
  return () => rm(outDir, { recursive: true, force: true });
}
