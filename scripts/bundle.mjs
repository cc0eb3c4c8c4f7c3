/**
 * @file Bundles each package for Node, after `tsc -b`: the last part of `npm run build`. Node spends 0.3 to 0.8 ms on each module that it loads, and the
 * packages are hundreds of small ones. Bundlers for the web go on reading the modules, of which they leave out what a page does not use.
 *
 * A bundle takes the place of `dist/index.node.js`, in which tsc re-exports the modules, and tsc's record of having emitted it is removed: the next
 * `tsc -b` emits it anew, over the bundle. So nothing compiled ever runs with a bundle of older sources.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { build } from 'vite';

const packages = join(import.meta.dirname, '../packages');

/** Only strings and comments have other characters: one of them, and V8 keeps, and scans, the whole bundle as UTF-16. */
const inAscii = (code) => code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Lets the bundle's source map lead to the TypeScript that tsc's own maps name. */
const mapsOfTsc = {
  name: 'maps-of-tsc',
  load: (file) => ({ code: inAscii(readFileSync(file, 'utf8')), map: readFileSync(`${file}.map`, 'utf8') }),
};

/** The entries that Node has a file of its own for: { 'index.node': 'dist/index.js' }. */
function entriesOf(exports) {
  const named = Object.values(exports).filter((target) => target.node !== undefined);
  return Object.fromEntries(named.map((target) => [basename(target.node, '.js'), target.default]));
}

/** Each entry in a file; what several share, or import only on demand, in files beside them: a module is there once. */
async function bundle(folder, entry) {
  const [{ output }] = await build({
    root: folder,
    configFile: false,
    logLevel: 'warn',
    plugins: [mapsOfTsc],
    build: {
      write: false,
      target: 'es2022',
      minify: false,
      sourcemap: true,
      lib: { entry, formats: ['es'] },
      rolldownOptions: {
        // Whatever is no file of the package: other packages, and Node's modules.
        external: /^[^./]/,
        output: {
          entryFileNames: '[name].js',
          chunkFileNames: 'chunks/[name].js',
          keepNames: true,
          comments: { legal: true, annotation: false, jsdoc: false },
        },
      },
    },
  });
  return output;
}

for (const name of readdirSync(packages)) {
  const folder = join(packages, name);
  const dist = join(folder, 'dist');
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const entries = entriesOf(exports);
  // No record: bundled already.
  if (Object.keys(entries).length === 0 || !existsSync(join(dist, '.tsbuildinfo'))) continue;
  const output = await bundle(folder, entries);
  rmSync(join(dist, '.tsbuildinfo'));
  for (const { fileName, code, source } of output) {
    mkdirSync(dirname(join(dist, fileName)), { recursive: true });
    writeFileSync(join(dist, fileName), code ?? source);
  }
}
