/** @file The page: a static site that works from any folder of any server, and a development server over the sources. */
import { join } from 'node:path';
import { defaultClientConditions, defineConfig } from 'vite';
import { editorTypes } from './build/editor-types.js';
import { referenceData } from './build/reference-data.js';

/** What makes the page cross-origin isolated: threads in WebAssembly need it. Without them it works with one. */
const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  cacheDir: join(import.meta.dirname, '../node_modules/.cache/vite-playground'),
  resolve: { conditions: ['tessera-source', ...defaultClientConditions] },
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  plugins: [editorTypes(), referenceData()],
  // Names of classes are shown: those of models are not shortened.
  worker: { format: 'es', plugins: () => [editorTypes()], rolldownOptions: { output: { keepNames: true } } },
  server: { host: '127.0.0.1', headers: ISOLATION, fs: { allow: ['..'] } },
  preview: { host: '127.0.0.1', headers: ISOLATION },
  build: { outDir: 'dist', target: 'es2022', chunkSizeWarningLimit: 8000 },
});
