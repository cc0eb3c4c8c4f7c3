/** @file All published packages as tarballs, as npm would publish them, in a folder of their own. Needs a build. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Packs into `folder`; answers names and files. */
export function pack(folder) {
  mkdirSync(folder, { recursive: true });
  const folders = [...readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name)), join(root, 'conformance-tests')];
  return folders
    .filter((path) => existsSync(join(path, 'package.json')))
    .map((path) => {
      const out = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
        cwd: path,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const [{ filename }] = JSON.parse(out);
      return { name: JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')).name, file: join(folder, filename) };
    });
}

/** Runs a command; its output is shown when it fails. Answers the output. */
export function run(cwd, command, ...args) {
  try {
    return execFileSync(command, args, {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
      timeout: 300_000,
    });
  } catch (error) {
    console.error(`${command} ${args.join(' ')} failed in ${cwd}\n${error.stdout ?? ''}${error.stderr ?? ''}`);
    throw error;
  }
}
