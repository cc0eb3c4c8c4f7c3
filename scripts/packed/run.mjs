/**
 * @file What strangers do, outside of the repository: packs every package as npm would publish it, builds and tests the example plugins on these
 * tarballs, packs them too, and installs all of it into an empty project, where it runs.
 *
 *   npm run build && npm run test:packed [-- --keep]
 *
 * Needs a registry for what the packages depend on. `CONFORMANCE=full` runs the whole kit on the plugins.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'tessera-packed-'));
const tarballs = join(work, 'tarballs');
mkdirSync(tarballs);
const keep = process.argv.includes('--keep');

/** The environment of a stranger: not that of the npm which runs this. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_(?!config_(registry|cafile|userconfig))|NODE_PATH|INIT_CWD)/.test(name)),
);

function run(folder, command, ...args) {
  console.log(`\n$ ${command} ${args.map((arg) => basename(arg)).join(' ')}    (${basename(folder)})`);
  return execFileSync(command, args, { cwd: folder, env: environment, stdio: ['ignore', 'inherit', 'inherit'] });
}
function output(folder, command, ...args) {
  const text = execFileSync(command, args, { cwd: folder, env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  console.log(text.trimEnd());
  return text;
}
/** What a command that must end with 2 says. */
function refusal(folder, command, ...args) {
  const { status, stderr } = spawnSync(command, args, { cwd: folder, env: environment, encoding: 'utf8' });
  console.log(stderr.trimEnd());
  return status === 2 ? stderr : '';
}
function check(what, holds) {
  if (!holds) throw new Error(`not so: ${what}`);
  console.log(`ok: ${what}`);
}
const pack = (folder) => execFileSync('npm', ['pack', '--silent', '--pack-destination', tarballs], { cwd: folder, env: environment });
const packed = () => readdirSync(tarballs).map((name) => join(tarballs, name));
const install = (folder) =>
  run(folder, 'npm', 'install', '--no-audit', '--no-fund', '--no-progress', '--prefer-offline', '--loglevel=error', ...packed());

try {
  for (const folder of [
    ...readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name)),
    join(root, 'conformance-tests'),
  ]) {
    if (!existsSync(join(folder, 'package.json'))) continue;
    if (!existsSync(join(folder, 'dist'))) throw new Error(`${folder} is not built: npm run build`);
    pack(folder);
  }

  // Each plugin in a folder of its own, with its own dependencies, built and tested there.
  const own = packed();
  const plugins = readdirSync(join(root, 'examples')).filter((name) => name.startsWith('plugin-'));
  for (const name of plugins) {
    const folder = join(work, name);
    cpSync(join(root, 'examples', name), folder, { recursive: true, filter: (path) => !/[/\\](node_modules|dist)$/.test(path) });
    run(folder, 'npm', 'install', '--no-save', '--no-audit', '--no-fund', '--no-progress', '--prefer-offline', '--loglevel=error', ...own);
    run(folder, 'npm', 'test');
    pack(folder);
  }

  // An empty project, with nothing but tarballs.
  const app = join(work, 'app');
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  install(app);
  cpSync(join(root, 'scripts/packed/app.mjs'), join(app, 'app.mjs'));
  const devices = output(
    app,
    'npx',
    '--no-install',
    'tessera',
    'devices',
    '--plugin',
    'tessera-backend-openblas',
    '--plugin',
    'tessera-backend-blocks',
  );
  check('tessera devices lists both plugins', /openblas +0\.1\.0 +40/.test(devices) && /blocks +0\.1\.0/.test(devices));
  run(app, 'node', 'app.mjs', 'cpu');
  run(app, 'node', 'app.mjs', 'blocks');
  if (/openblas +0\.1\.0 +40 +yes/.test(devices)) run(app, 'node', 'app.mjs', 'openblas');
  else check('openblas says why it cannot run', /openblas +0\.1\.0 +40 +no: .*OpenBLAS/.test(devices));
  const card = output(
    app,
    'npx',
    '--no-install',
    'tessera-conformance',
    'tessera-backend-blocks',
    '--level',
    'kernels',
    '--quiet',
    '--report',
    'report',
  );
  check('tessera-conformance passes the plugin', / 0 failed/.test(card) && existsSync(join(app, 'report', 'scorecard.html')));
  const against = output(
    app,
    'npx',
    '--no-install',
    'tessera-conformance',
    'tessera-backend-blocks',
    '--against',
    'cpu',
    '--runs',
    '30',
    '--quiet',
  );
  check('it agrees with the cpu backend', / 0 failed/.test(against));
  // What --browser needs is not installed with the kit.
  const lacking = refusal(app, 'npx', '--no-install', 'tessera-conformance', 'tessera-backend-blocks', '--browser');
  check('it says what --browser needs', /ERR_BROWSER_PACKAGE.*npm install/.test(lacking));
  console.log(`\n${plugins.length} plugins were built, tested, packed, and run in an empty project`);
} finally {
  if (keep) console.log(`kept: ${work}`);
  else rmSync(work, { recursive: true, force: true });
}
