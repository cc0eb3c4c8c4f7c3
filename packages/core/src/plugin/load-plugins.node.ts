/** @file Plugins by name, in Node: a package as the program's own folder finds it, or a file. */
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Where a name leads: a path from the working folder, or a package that is installed there (and else one beside this package). */
function locate(name: string): string {
  if (name.startsWith('file:')) return name;
  if (/^(\.{1,2}[/\\]|[/\\]|[A-Za-z]:[/\\])/.test(name)) return pathToFileURL(resolve(name)).href;
  try {
    return pathToFileURL(createRequire(resolve('package.json')).resolve(name)).href;
  } catch {
    return name;
  }
}

/** What a module exports. */
export async function importByName(name: string): Promise<Readonly<Record<string, unknown>>> {
  return (await import(/* @vite-ignore */ locate(name))) as Readonly<Record<string, unknown>>;
}
