/**
 * @file The conformance CLI on the sources of all packages: no build, and types are not checked, so that nobody's work in progress is in
 * anybody's way. Arguments are those of the CLI; the fixtures are this package's.
 *
 *   node conformance-tests/scripts/dev.mjs --only add
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, defaultServerConditions } from 'vite';

const folder = fileURLToPath(new URL('..', import.meta.url));
// Inside the package, so that what stays external is found.
mkdirSync(join(folder, 'node_modules'), { recursive: true });
const outDir = mkdtempSync(join(folder, 'node_modules/.conformance-dev-'));
process.on('exit', () => rmSync(outDir, { recursive: true, force: true }));

await build({
  root: folder,
  configFile: false,
  logLevel: 'error',
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  ssr: { noExternal: [/^@tessera\//], resolve: { conditions: ['tessera-source', ...defaultServerConditions] } },
  build: {
    ssr: 'scripts/dev-entry.ts',
    outDir,
    emptyOutDir: false,
    minify: false,
    target: 'node20',
    sourcemap: 'inline',
    // A name that somebody has not written yet is undefined, and no error.
    rolldownOptions: { shimMissingExports: true, onLog: () => {} },
  },
});
process.setSourceMapsEnabled(true);
const { main } = await import(pathToFileURL(join(outDir, 'dev-entry.js')).href);
const given = process.argv.slice(2);
const argv = given.includes('--fixtures') ? given : [...given, '--fixtures', join(folder, 'fixtures')];
process.exit(await main(argv, 'node conformance-tests/scripts/dev.mjs'));
