/** @file The page: a static site that works from any folder of any server, and a development server over the sources. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultClientConditions, defineConfig } from 'vite';
import { editorTypes } from './build/editor-types.js';
import { offline } from './build/offline.js';
import { referenceData } from './build/reference-data.js';
import { tfjsThreads } from './build/tfjs-threads.js';

/** The version of a package that is installed. */
function versionOf(name: string): string {
  let folder = dirname(fileURLToPath(import.meta.resolve(name)));
  while (dirname(folder) !== folder) {
    try {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: string; version?: string };
      if (manifest.name === name) return manifest.version!;
    } catch {
      // The manifest lies higher.
    }
    folder = dirname(folder);
  }
  throw new Error(`${name} is not installed`);
}
const VERSIONS = Object.fromEntries(['tessera', '@tensorflow/tfjs-core', '@jax-js/jax'].map((name) => [name, versionOf(name)]));

/** What makes the page cross-origin isolated: threads in WebAssembly need it. Without them it works with one. */
const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

export default defineConfig(({ command }) => ({
  root: import.meta.dirname,
  base: './',
  cacheDir: join(import.meta.dirname, '../node_modules/.cache/vite-playground'),
  resolve: { conditions: ['tessera-source', ...defaultClientConditions] },
  define: { VERSIONS: JSON.stringify(VERSIONS), BUILT: JSON.stringify(command === 'build') },
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  plugins: [editorTypes(), referenceData(), tfjsThreads(), offline()],
  // Names of classes are shown: those of models are not shortened.
  worker: { format: 'es', plugins: () => [editorTypes(), tfjsThreads()], rolldownOptions: { output: { keepNames: true } } },
  server: { host: '127.0.0.1', headers: ISOLATION, fs: { allow: ['..'] } },
  preview: { host: '127.0.0.1', headers: ISOLATION },
  build: { outDir: 'dist', target: 'es2022', chunkSizeWarningLimit: 8000 },
}));
