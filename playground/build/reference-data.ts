/** @file A Vite plugin: the reference data of the conformance kit and of the benchmarks, beside the page under `reference/`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

const root = join(import.meta.dirname, '../..');
/** Under which name each folder is served. The page runs the levels kernels and ops: it needs no other data. */
const FOLDERS: Readonly<Record<string, string>> = {
  'fixtures/ops': 'conformance-tests/fixtures/ops',
  'fixtures/extra_ops': 'conformance-tests/fixtures/extra_ops',
  benchmarks: 'benchmarks/refs',
};
const FILES: Readonly<Record<string, string>> = { 'fixtures/contents.json': 'conformance-tests/fixtures/contents.json' };

function fileOf(path: string): string | undefined {
  if (Object.hasOwn(FILES, path)) return join(root, FILES[path]!);
  const folder = Object.keys(FOLDERS).find((name) => path.startsWith(`${name}/`));
  const rest = folder === undefined ? '' : path.slice(folder.length + 1);
  return /^[\w.=-]+$/.test(rest) ? join(root, FOLDERS[folder!]!, rest) : undefined;
}

export function referenceData(): Plugin {
  return {
    name: 'tessera-reference-data',
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const path = /\/reference\/([^?]*)/.exec(decodeURIComponent(request.url ?? ''))?.[1];
        const file = path === undefined ? undefined : fileOf(path);
        if (file === undefined) return next();
        try {
          response.end(readFileSync(file));
        } catch {
          next();
        }
      });
    },
    generateBundle() {
      const emit = (fileName: string, file: string): void => void this.emitFile({ type: 'asset', fileName, source: readFileSync(file) });
      for (const [name, file] of Object.entries(FILES)) emit(`reference/${name}`, join(root, file));
      for (const [name, folder] of Object.entries(FOLDERS))
        for (const file of readdirSync(join(root, folder))) emit(`reference/${name}/${file}`, join(root, folder, file));
    },
  };
}
