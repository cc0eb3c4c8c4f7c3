/** @file What Node loads of a package, a bundle after `npm run build`, is what its modules export. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly node?: string; readonly default: string }>>;
}

const root = join(import.meta.dirname, '../packages');
const entries = readdirSync(root).flatMap((folder) => {
  const { name, exports } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest & { name: string };
  return Object.entries(exports).flatMap(([path, target]) =>
    typeof target === 'string' || target.node === undefined
      ? []
      : [{ name: join(name, path), node: join(root, folder, target.node), modules: join(root, folder, target.default) }],
  );
});

/** Exported names with their kinds and, of classes and functions, their own names: as Node alone sees them. */
function exportsOf(file: string): string[] {
  const list = `console.log(JSON.stringify(Object.entries(await import(${JSON.stringify(pathToFileURL(file).href)}))
    .map(([key, value]) => [key, typeof value, typeof value === 'function' ? value.name : ''].join(' '))))`;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', list], { encoding: 'utf8' })) as string[];
}

describe.each(entries)('$name', ({ node, modules }) => {
  // Built by `npm test`; `npm run check` may run before any build.
  it.skipIf(!existsSync(node))('exports the same from its bundle as from its modules', () => {
    expect(exportsOf(node)).toEqual(exportsOf(modules));
  });
});

it('all entries of a package have one, or none: else its modules would be there twice', () => {
  const mixed = readdirSync(root).filter((folder) => {
    const { exports } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest;
    const bundled = Object.values(exports).flatMap((target) => (typeof target === 'string' ? [] : [target.node !== undefined]));
    return new Set(bundled).size > 1;
  });
  expect(mixed).toEqual([]);
});

it.skipIf(!entries.every(({ node }) => existsSync(node)))('entries of one package share its modules', () => {
  const same = `const [a, b] = await Promise.all(['index', 'functional'].map((entry) => import('${pathToFileURL(join(root, 'core/dist')).href}/' + entry + '.node.js')));
    console.log(a.TesseraError === b.TesseraError && a.runtimes === b.runtimes);`;
  expect(execFileSync(process.execPath, ['--input-type=module', '-e', same], { encoding: 'utf8' })).toBe('true\n');
});
