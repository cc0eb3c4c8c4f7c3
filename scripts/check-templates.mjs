/**
 * @file What a new user meets: packs every package as npm would publish it, makes a project of each template in an empty folder by the command that the
 * documents name, installs, and runs all that the template's README says. Needs a build (`npm run build`). `--keep` leaves the folder there.
 *
 *   npm run check:templates
 *   npm run check:templates -- node@22 node@24    # on these, from the registry
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pack, run as quietly } from './packed.mjs';

const home = mkdtempSync(join(tmpdir(), 'tessera-templates-'));
const keep = process.argv.includes('--keep');
const wanted = process.argv.slice(2).filter((word) => word.startsWith('node'));
const path = process.env.PATH;

/** Puts the Node of a package of the registry, or the one that runs here, before all others. */
function use(node) {
  process.env.PATH = path;
  if (node === 'node') return;
  const [, version] = node.split('@');
  const folder = join(home, node);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  // Its binary comes in a package of its own a platform; that of the same name without it would need an install script.
  const name = `node-${process.platform}-${process.arch}`;
  quietly(folder, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', `${name}@${version}`);
  process.env.PATH = `${join(folder, 'node_modules', name, 'bin')}${delimiter}${path}`;
}

/** Runs a command and says how long it took. */
function run(cwd, command, ...args) {
  const start = Date.now();
  const out = quietly(cwd, command, ...args);
  const words = args.map((word) => word.replace(/^.*\//, '')).filter((word) => !word.startsWith('--no-') && word !== '--prefer-offline');
  console.log(`  ${[command, ...words].join(' ')}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
  return out;
}

try {
  const packed = pack(join(home, 'tarballs'));
  const create = packed.find(({ name }) => name === 'create-tessera').file;
  for (const node of wanted.length > 0 ? wanted : ['node']) {
    use(node);
    for (const template of ['node', 'vite']) {
      console.log(`template ${template}, Node ${quietly(home, 'node', '--version').trim()}`);
      const folder = join(home, `my-${template}-${node}`);
      run(home, 'npx', '-y', '--package', create, 'create-tessera', folder, '--template', template);
      run(folder, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline');
      if (template === 'node') {
        const { losses, accuracy, device } = JSON.parse(run(folder, 'npm', 'start', '--silent', '--', '--json').trim().split('\n').at(-1));
        if (!(accuracy > 0.9 && losses.at(-1) < losses[0])) throw new Error(`it did not learn: accuracy ${accuracy}`);
        console.log(`    on ${device}: accuracy ${accuracy}`);
      } else {
        run(folder, 'npm', 'run', 'build');
        const files = readdirSync(join(folder, 'dist'), { recursive: true, encoding: 'utf8' });
        if (!files.some((name) => name.endsWith('.html')) || !files.some((name) => /train\.worker.*\.js$/.test(name)))
          throw new Error(`the build lacks files: ${files.join(', ')}`);
        if (/(?:src|href)="\//.test(readFileSync(join(folder, 'dist/index.html'), 'utf8')))
          throw new Error('the page would not work from a sub-path');
      }
      run(folder, 'npm', 'test');
    }
  }
  console.log(`ok${keep ? `: ${home}` : ''}`);
} finally {
  if (!keep) rmSync(home, { recursive: true, force: true });
}
