/** @file What Node loads of a package, a bundle after `npm run build`, is what its modules export. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';

interface Manifest {
  readonly exports: { readonly '.': { readonly node?: string; readonly default: string } };
}

const root = join(import.meta.dirname, '../packages');
const packages = readdirSync(root).flatMap((name) => {
  const { node, default: modules } = (JSON.parse(readFileSync(join(root, name, 'package.json'), 'utf8')) as Manifest).exports['.'];
  return node === undefined ? [] : [{ name, node: join(root, name, node), modules: join(root, name, modules) }];
});

/** Exported names with their kinds and, of classes and functions, their own names: as Node alone sees them. */
function exportsOf(file: string): string[] {
  const list = `console.log(JSON.stringify(Object.entries(await import(${JSON.stringify(pathToFileURL(file).href)}))
    .map(([key, value]) => [key, typeof value, typeof value === 'function' ? value.name : ''].join(' '))))`;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', list], { encoding: 'utf8' })) as string[];
}

describe.each(packages)('$name', ({ node, modules }) => {
  // Built by `npm test`; `npm run check` may run before any build.
  it.skipIf(!existsSync(node))('exports the same from its bundle as from its modules', () => {
    expect(exportsOf(node)).toEqual(exportsOf(modules));
  });
});
