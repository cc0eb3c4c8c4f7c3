/**
 * @file The arrows between the packages: tessera → { layers, optim, data, io, backend-* } → core.
 *
 * Lint says the same about imports while one types; this holds it also for what package.json and tsconfig.json declare.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly sideEffects?: boolean | readonly string[];
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
}

const root = join(import.meta.dirname, '..');
const read = <T>(...path: string[]): T => JSON.parse(readFileSync(join(root, ...path), 'utf8')) as T;

const folders = [...readdirSync(join(root, 'packages')).map((name) => `packages/${name}`), 'conformance-tests'].filter((folder) =>
  existsSync(join(root, folder, 'package.json')),
);
const packages = folders.map((folder) => ({ folder, manifest: read<Manifest>(folder, 'package.json') }));
const isOurs = (name: string): boolean => name === 'tessera' || name.startsWith('@tessera/');

/** What the package in a folder may stand on. */
function allowed(folder: string): (name: string) => boolean {
  if (folder === 'packages/core') return () => false;
  if (folder === 'packages/tessera') return (name) => name !== '@tessera/conformance-tests';
  if (folder === 'conformance-tests') return () => true;
  return (name) => name === '@tessera/core';
}

/** The packages that a folder's sources import, static or dynamic. A relative path that leaves the folder counts under that path. */
function importsOf(folder: string): Set<string> {
  const found = new Set<string>();
  const files = readdirSync(join(root, folder, 'src'), { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))) {
    const text = readFileSync(join(root, folder, 'src', file), 'utf8').replaceAll(/^\s*(\/?\*|\/\/).*$/gm, ''); // docstrings show user code
    for (const [, specifier] of text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)['"]([^'"\n]+)['"]/g)) {
      if (isOurs(specifier!)) found.add(/^(@tessera\/)?[^/]+/.exec(specifier!)![0]);
      else if (specifier!.startsWith('.') && normalize(join('src', file, '..', specifier!)).startsWith('..')) found.add(specifier!);
    }
  }
  return found;
}

describe.each(packages)('$folder', ({ folder, manifest }) => {
  const declared = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.peerDependencies };
  const ours = Object.keys(declared).filter(isOurs);

  it('declares no package against the arrows', () => {
    expect(ours.filter((name) => !allowed(folder)(name))).toEqual([]);
  });

  it('imports no package against the arrows, and none that it does not declare', () => {
    const imports = [...importsOf(folder)];
    expect(imports.filter((name) => !allowed(folder)(name))).toEqual([]);
    expect(imports.filter((name) => !ours.includes(name))).toEqual([]);
  });

  it('is built after what it declares', () => {
    const { references = [] } = read<{ references?: { path: string }[] }>(folder, 'tsconfig.json');
    const names = references.map(({ path }) => read<Manifest>(folder, path, 'package.json').name);
    expect(names.toSorted()).toEqual(ours.toSorted());
  });

  it('keeps, when it is bundled, every module that is imported for its effect alone', () => {
    const { sideEffects = true } = manifest;
    const keeps = (file: string): boolean =>
      sideEffects === true ||
      (sideEffects !== false &&
        sideEffects.some((pattern) => (pattern.endsWith('/**') ? file.startsWith(pattern.slice(0, -2)) : file === pattern)));
    const source = join(root, folder, 'src');
    const modules = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const effects = modules
      .map((name) => join(source, name))
      .flatMap((file) =>
        [...readFileSync(file, 'utf8').matchAll(/^import '(\.[^']+)';/gm)].map(
          ([, path]) => `./${relative(join(root, folder), join(dirname(file), path!)).replaceAll('\\', '/')}`,
        ),
      );
    const files = effects.flatMap((file) => [file.replace(/\.js$/, '.ts'), file.replace('./src/', './dist/')]);
    expect(files.filter((file) => !keeps(file))).toEqual([]);
  });

  it('has the version and licence of the others, and takes its siblings at that version', () => {
    const version = read<{ version: string }>('lerna.json').version;
    expect(manifest).toMatchObject({ version, license: 'MIT' });
    for (const name of ours) {
      expect([version, undefined]).toContain({ ...manifest.dependencies, ...manifest.devDependencies }[name]);
      expect([`^${version}`, undefined]).toContain(manifest.peerDependencies?.[name]);
    }
  });
});
