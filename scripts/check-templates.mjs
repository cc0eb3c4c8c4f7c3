/**
 * @file What a new user meets: packs every package as npm would publish it, makes a project of each template in an empty folder, installs the
 * tarballs, and runs all that the template's README says. Needs a build (`npm run build`). `--keep` leaves the folder there.
 *
 *   npm run check:templates
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack, run as quietly } from './packed.mjs';

const home = mkdtempSync(join(tmpdir(), 'tessera-templates-'));
const keep = process.argv.includes('--keep');

/** Runs a command and says how long it took. */
function run(cwd, command, ...args) {
  const start = Date.now();
  const out = quietly(cwd, command, ...args);
  const words = args.filter((word) => !word.includes('/') && !word.startsWith('--no-'));
  console.log(`  ${[command, ...words].join(' ')}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
  return out;
}

try {
  const packed = pack(join(home, 'tarballs'));
  const create = packed.find(({ name }) => name === 'create-tessera').file;
  const libraries = packed.filter(({ name }) => name !== 'create-tessera' && name !== '@tessera/conformance-tests');
  const tessera = libraries.find(({ name }) => name === 'tessera').file;

  // The command itself comes from its tarball too.
  run(home, 'npm', 'init', '-y');
  run(home, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', create);
  for (const template of ['node', 'vite']) {
    console.log(`template ${template}`);
    const folder = join(home, `my-${template}`);
    run(home, 'npx', 'create-tessera', folder, '--template', template, '--tessera', `file:${tessera}`);
    run(folder, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', ...libraries.map(({ file }) => file));
    if (template === 'node') {
      const { losses, accuracy, device } = JSON.parse(run(folder, 'npm', 'start', '--silent', '--', '--json').trim().split('\n').at(-1));
      if (!(accuracy > 0.9 && losses.at(-1) < losses[0])) throw new Error(`it did not learn: accuracy ${accuracy}`);
      console.log(`    on ${device}: accuracy ${accuracy}`);
      run(folder, 'npm', 'test');
    } else {
      run(folder, 'npm', 'run', 'build');
      const files = readdirSync(join(folder, 'dist'), { recursive: true, encoding: 'utf8' });
      if (!files.some((name) => name.endsWith('.html')) || !files.some((name) => /train\.worker.*\.js$/.test(name)))
        throw new Error(`the build lacks files: ${files.join(', ')}`);
      if (/(?:src|href)="\//.test(readFileSync(join(folder, 'dist/index.html'), 'utf8')))
        throw new Error('the page would not work from a sub-path');
    }
  }
  console.log(`ok${keep ? `: ${home}` : ''}`);
} finally {
  if (!keep) rmSync(home, { recursive: true, force: true });
}
