/** @file Before there is a release: `create-tessera` that came from a tarball takes Tessera from the tarballs that lie beside it. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';

/** Packages by name, and what package.json asks for as each. */
export type Dependencies = Readonly<Record<string, string>>;

/** The tarball that the package in `home` was installed from, as npm noted it; undefined for one from a registry, or in a clone. */
async function origin(home: string): Promise<string | undefined> {
  const modules = dirname(home);
  try {
    const lock = JSON.parse(await readFile(resolve(modules, '.package-lock.json'), 'utf8')) as {
      packages?: Record<string, { resolved?: string } | undefined>;
    };
    const resolved = lock.packages?.[`node_modules/${basename(home)}`]?.resolved;
    return resolved?.startsWith('file:') === true ? resolve(modules, '..', resolved.slice('file:'.length)) : undefined;
  } catch {
    return undefined; // No note of npm's: pnpm, yarn, a clone.
  }
}

/**
 * Tessera's packages as `file:…`, if the package in `home` came from a tarball beside which theirs lie; else undefined. All of them: npm would ask
 * the registry for those that `tessera` depends on.
 */
export async function tarballsBeside(home: string, version: string): Promise<Dependencies | undefined> {
  const file = await origin(home);
  if (file === undefined) return undefined;
  const folder = dirname(file);
  const suffix = `-${version}.tgz`;
  // npm packs `@tessera/core` as tessera-core-0.1.0.tgz.
  const found = (await readdir(folder).catch(() => []))
    .filter((name) => name.startsWith('tessera-') && name.endsWith(suffix) && !name.startsWith('tessera-conformance-tests-'))
    .map((name): [string, string] => [name.slice(0, -suffix.length).replace('tessera-', '@tessera/'), `file:${resolve(folder, name)}`]);
  return found.some(([name]) => name === 'tessera') ? Object.fromEntries(found) : undefined;
}
