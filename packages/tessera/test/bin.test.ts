/** @file The programs before anything is built: in a fresh clone npm links what is in the repository, and it says what to do. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');

it.each([
  ['packages/tessera', 'tessera'],
  ['packages/create-tessera', 'create-tessera'],
  ['conformance-tests', 'tessera-conformance'],
])('%s: %s without a build', (folder, name) => {
  const clone = mkdtempSync(join(tmpdir(), 'tessera-bin-'));
  try {
    mkdirSync(join(clone, 'bin'));
    copyFileSync(join(root, folder, `bin/${name}.js`), join(clone, `bin/${name}.mjs`));
    const { status, stderr } = spawnSync(process.execPath, [join(clone, `bin/${name}.mjs`), 'devices'], { encoding: 'utf8' });
    expect(stderr).toBe(`error: ${name} is not built yet; run: npm run build\n`);
    expect(status).toBe(1);
  } finally {
    rmSync(clone, { recursive: true });
  }
});
