/** @file A Vite plugin: the declarations that the editor checks models against, as the module `virtual:editor-types`. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Plugin } from 'vite';

const ID = 'virtual:editor-types';
const root = join(import.meta.dirname, '../..');
const PACKAGES = ['core', 'layers', 'optim', 'data', 'io', 'backend-cpu', 'backend-wasm', 'backend-webgpu', 'tessera'];
/** The language of the editor's programs. They run in a worker, but need nothing of its API. */
const LIBRARIES = ['es2023', 'esnext.disposable'];

/** A library of TypeScript and all that it refers to. */
function addLibrary(name: string, folder: string, files: Map<string, string>): void {
  const path = `/lib.${name}.d.ts`;
  if (files.has(path)) return;
  const text = readFileSync(join(folder, `lib.${name}.d.ts`), 'utf8');
  files.set(path, text);
  for (const [, reference] of text.matchAll(/<reference lib="([^"]+)"/g)) addLibrary(reference!, folder, files);
}

/** What `tsc -b` declared of our packages, as an editor would find them in node_modules. */
function addPackage(folder: string, files: Map<string, string>): void {
  const at = join(root, 'packages', folder);
  const manifest = readFileSync(join(at, 'package.json'), 'utf8');
  const target = `/node_modules/${(JSON.parse(manifest) as { name: string }).name}`;
  files.set(`${target}/package.json`, manifest);
  for (const file of readdirSync(join(at, 'dist'), { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.d.ts')) continue;
    const text = readFileSync(join(at, 'dist', file), 'utf8').replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n');
    files.set(`${target}/dist/${file.replaceAll('\\', '/')}`, text);
  }
}

/** In a fresh clone nothing is declared yet. What is there is taken as it is: others may read it at this moment. */
function declare(): void {
  if (PACKAGES.every((folder) => existsSync(join(root, 'packages', folder, 'dist/index.d.ts')))) return;
  const compiler = join(dirname(createRequire(join(root, 'package.json')).resolve('typescript/package.json')), 'bin/tsc');
  execFileSync(process.execPath, [compiler, '-b', 'packages/tessera'], { cwd: root, stdio: 'inherit' });
}

function collect(): Record<string, string> {
  declare();
  const files = new Map<string, string>();
  const libraries = dirname(createRequire(import.meta.url).resolve('typescript'));
  for (const name of LIBRARIES) addLibrary(name, libraries, files);
  for (const name of PACKAGES) addPackage(name, files);
  return Object.fromEntries(files);
}

export function editorTypes(): Plugin {
  let text: string | undefined;
  return {
    name: 'tessera-editor-types',
    resolveId: (id) => (id === ID ? `\0${ID}` : undefined),
    load(id) {
      if (id !== `\0${ID}`) return undefined;
      text ??= `export default JSON.parse(${JSON.stringify(JSON.stringify(collect()))});`;
      return text;
    },
  };
}
