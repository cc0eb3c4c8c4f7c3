/** @file The licences of all that an installation of the published packages brings along, read from the installed packages themselves. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Dependency {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** Who asks for it. */
  readonly by: readonly string[];
  readonly optional: boolean;
}

/** Licences that put no duty on an application but to keep their text. */
export const ALLOWED: readonly string[] = ['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0'];

const read = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
const ours = (name: string): boolean => name === 'tessera' || name.startsWith('@tessera/');

/** All dependencies from outside of the packages that are published, and theirs. */
export function dependencies(root: string): Dependency[] {
  const found = new Map<string, { version: string; licence: string; by: Set<string>; optional: boolean }>();
  const visit = (folder: string, manifest: Manifest): void => {
    const all = { ...manifest.dependencies, ...manifest.optionalDependencies };
    for (const name of Object.keys(all)) {
      if (ours(name)) continue;
      const place = [join(folder, 'node_modules', name), join(root, 'node_modules', name)].find((path) => existsSync(path));
      if (place === undefined) throw new Error(`${manifest.name} needs ${name}, which is not installed`);
      const { version, license, ...rest } = read(place);
      const known = found.get(name);
      const optional = Object.hasOwn(manifest.optionalDependencies ?? {}, name);
      if (known !== undefined) known.by.add(manifest.name);
      else {
        found.set(name, { version, licence: license ?? 'unknown', by: new Set([manifest.name]), optional });
        visit(place, { ...rest, version, license });
      }
    }
  };
  for (const folder of [
    ...readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name)),
    join(root, 'conformance-tests'),
  ]) {
    if (!existsSync(join(folder, 'package.json'))) continue;
    const manifest = read(folder);
    if (manifest.private !== true) visit(folder, manifest);
  }
  return [...found]
    .map(([name, { by, ...rest }]) => ({ name, ...rest, by: [...by].toSorted() }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

export function licencesPage(list: readonly Dependency[]): string {
  const rows = list.map((d) => `| ${d.name} | ${d.version} | ${d.licence} | ${d.by.join(', ')}${d.optional ? ' (optional)' : ''} |`);
  return `# Licences

Tessera is under the MIT licence. An installation of it brings these packages of others along; the list is made from what is installed, by \`npm run docs:licences\`.

| package | version | licence | asked for by |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}
