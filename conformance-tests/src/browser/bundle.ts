/** @file The kit and the modules of the devices as scripts for a page, by esbuild. */
import { existsSync } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DeviceError, isTesseraError } from '@tessera/core';
import type { BuildFailure, Plugin as EsbuildPlugin } from 'esbuild';
import { loadEsbuild } from './optional.js';

/** What esbuild is told that the entry's source is called. */
const STDIN = 'tessera-conformance.js';
/** The first of the scripts. */
export const ENTRY = 'kit.js';

/** This module's folder and the ending of its files: in this repository's tests the sources are bundled, else what is published. */
const HERE = dirname(fileURLToPath(import.meta.url));
const FROM_SOURCES = extname(fileURLToPath(import.meta.url)) === '.ts';

/**
 * Scripts by name, {@link ENTRY} among them.
 * @param modules Packages and files that export plugins.
 * @throws DeviceError `ERR_BROWSER_BUNDLE` where one is not found or does not compile; `ERR_BROWSER_PACKAGE`
 */
export async function bundle(modules: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
  const esbuild = await loadEsbuild();
  const page = resolve(HERE, FROM_SOURCES ? 'page.ts' : 'page.js');
  const lines = [
    `import { start } from ${JSON.stringify(page)};`,
    ...modules.map((name, i) => `import * as m${i} from ${JSON.stringify(`tessera-module:${name}`)};`),
    `start({ ${modules.map((name, i) => `${JSON.stringify(name)}: m${i}`).join(', ')} }, import.meta.url);`,
  ];
  try {
    const { outputFiles } = await esbuild.build({
      stdin: { contents: lines.join('\n'), resolveDir: HERE, sourcefile: STDIN },
      entryNames: basename(ENTRY, '.js'),
      outdir: HERE,
      plugins: [modulesByName],
      bundle: true,
      write: false,
      format: 'esm',
      // What is imported on demand stays apart: the parts for Node import what browsers have not.
      splitting: true,
      external: ['node:*'],
      platform: 'browser',
      target: 'esnext',
      // As Vite and webpack have it, and packages ask for it.
      define: { 'process.env.NODE_ENV': '"production"' },
      ...(FROM_SOURCES && { conditions: ['tessera-source', 'module'] }),
      sourcemap: 'inline',
      logLevel: 'silent',
    });
    return new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
  } catch (error) {
    if (isTesseraError(error)) throw error;
    const [first] = (error as Partial<BuildFailure>).errors ?? [];
    const at = first?.location && basename(first.location.file) !== STDIN ? ` (${first.location.file}:${first.location.line})` : '';
    const why = first === undefined ? String(error) : `${first.text}${at}`;
    throw Object.assign(
      new DeviceError('ERR_BROWSER_BUNDLE', `${modules.map((name) => `'${name}'`).join(', ')} cannot be bundled for a page: ${why}`),
      {
        cause: error,
      },
    );
  } finally {
    await esbuild.stop();
  }
}

/** Finds modules as Node's `--plugin` does: a file, a package of the working folder, or one beside the kit. */
const modulesByName: EsbuildPlugin = {
  name: 'tessera-modules',
  setup(build) {
    build.onResolve({ filter: /^tessera-module:/ }, async ({ path, kind }) => {
      const name = path.slice('tessera-module:'.length);
      const file = name.startsWith('file:') ? fileURLToPath(name) : resolve(name);
      if (/^([./\\]|file:|[A-Za-z]:)/.test(name))
        return existsSync(file) ? { path: file } : { errors: [{ text: `there is no file ${file}` }] };
      const beside = await build.resolve(name, { kind, resolveDir: process.cwd() });
      return beside.errors.length === 0 ? beside : build.resolve(name, { kind, resolveDir: HERE });
    });
  },
};
