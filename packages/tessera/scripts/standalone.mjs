/**
 * @file Builds `tessera/standalone`: all of it in one file and a chunk for each backend, for pages without a bundler and for CDNs. Run after tsc.
 */
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
rmSync(`${dist}standalone`, { recursive: true, force: true });
await build({
  entryPoints: { index: `${dist}index.js` },
  outdir: `${dist}standalone`,
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  keepNames: true,
  sourcemap: true,
  sourcesContent: false,
  external: ['node:*', 'webgpu'],
  logLevel: 'warning',
});
