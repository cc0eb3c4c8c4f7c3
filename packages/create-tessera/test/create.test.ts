/** @file What `npm create tessera` makes, what it refuses, and its exit codes. scripts/check-templates.mjs installs and runs what is made. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createProject, templates } from '../src/index.js';
import { main } from '../src/main.node.js';
import { tarballsBeside } from '../src/tarballs.node.js';

let home: string;
beforeEach(() => void (home = mkdtempSync(join(tmpdir(), 'create-tessera-'))));
afterEach(() => rmSync(home, { recursive: true, force: true }));

async function run(...argv: string[]): Promise<{ code: number; out: string; errors: string }> {
  const out: string[] = [];
  const errors: string[] = [];
  const code = await main(
    argv,
    (line) => out.push(line),
    (line) => errors.push(line),
  );
  return { code, out: out.join('\n'), errors: errors.join('\n') };
}

describe.each(Object.keys(templates))('the template %s', (template) => {
  it('is copied, named, and asks for the tessera of this release', async () => {
    const folder = await createProject(join(home, 'My Net!'), { template });
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(['.gitignore', 'README.md', 'package.json', 'src', 'tsconfig.json']));
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      name: string;
      dependencies: Record<string, string>;
    };
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as { version: string };
    expect(manifest).toMatchObject({ name: 'my-net-', dependencies: { tessera: `^${version}` } });
  });
});

describe('before a release', () => {
  const lock = (resolved: string): void =>
    writeFileSync(
      join(home, 'npx/node_modules/.package-lock.json'),
      JSON.stringify({ packages: { 'node_modules/create-tessera': { resolved } } }),
    );
  beforeEach(() => {
    mkdirSync(join(home, 'npx/node_modules/create-tessera'), { recursive: true });
    mkdirSync(join(home, 'packed'));
    for (const name of ['create-tessera', 'tessera', 'tessera-core', 'tessera-backend-cpu', 'tessera-conformance-tests'])
      writeFileSync(join(home, 'packed', `${name}-0.1.0.tgz`), '');
  });
  const beside = (): ReturnType<typeof tarballsBeside> => tarballsBeside(join(home, 'npx/node_modules/create-tessera'), '0.1.0');

  it('one that came from a tarball takes Tessera from those beside it', async () => {
    lock('file:../packed/create-tessera-0.1.0.tgz');
    expect(await beside()).toEqual({
      tessera: `file:${join(home, 'packed/tessera-0.1.0.tgz')}`,
      '@tessera/core': `file:${join(home, 'packed/tessera-core-0.1.0.tgz')}`,
      '@tessera/backend-cpu': `file:${join(home, 'packed/tessera-backend-cpu-0.1.0.tgz')}`,
    });
  });

  it('one from a registry, in a clone, or alone in its folder asks the registry', async () => {
    expect(await beside()).toBeUndefined();
    lock('https://example.org/create-tessera-0.1.0.tgz');
    expect(await beside()).toBeUndefined();
    lock('file:../packed/create-tessera-0.1.0.tgz');
    rmSync(join(home, 'packed/tessera-0.1.0.tgz'));
    expect(await beside()).toBeUndefined();
  });
});

describe('the command line', () => {
  it('says what to do next', async () => {
    const { code, out } = await run(join(home, 'net'));
    expect(code).toBe(0);
    expect(out).toContain('npm install');
  });

  it('--json gives one object', async () => {
    const { out } = await run(join(home, 'net'), '--template', 'vite', '--json');
    expect(JSON.parse(out)).toEqual({ folder: join(home, 'net'), template: 'vite' });
  });

  it('does not write into a folder that is not empty, unless it is told to', async () => {
    writeFileSync(join(home, 'mine.txt'), 'keep me');
    expect(await run(home)).toMatchObject({ code: 1, errors: expect.stringContaining('--force') as string });
    expect(readdirSync(home)).toEqual(['mine.txt']);
    expect((await run(home, '--force')).code).toBe(0);
    expect(readFileSync(join(home, 'mine.txt'), 'utf8')).toBe('keep me');
  });

  it('what is asked for wrongly ends with 2, what cannot be done with 1', async () => {
    expect(await run()).toMatchObject({ code: 2, errors: expect.stringContaining('name one folder') as string });
    expect(await run(home, '--templat', 'vite')).toMatchObject({ code: 2, errors: expect.stringContaining('--help') as string });
    expect(await run(join(home, 'a'), '--template', 'react')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('node, vite') as string,
    });
    expect((await run('--help')).code).toBe(0);
  });
});
