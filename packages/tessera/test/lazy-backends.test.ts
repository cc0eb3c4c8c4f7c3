/** @file A program that imports tessera pays for the CPU backend only: the others are chunks of their own, which a bundler leaves until they are wanted. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, defaultServerConditions, type Rolldown } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** The program that is bundled. */
const program = (tessera: string): string => `
import { init, tensor } from ${JSON.stringify(tessera)};
export async function run(device) {
  const { id } = await init({ device });
  return [id, tensor([1, 2]).mul(2).toArray()];
}
`;

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'tessera-bundle-'))));
afterAll(() => rm(folder, { recursive: true }));

describe('import "tessera", bundled', () => {
  it('has wasm and webgpu in other chunks, and runs on each that can run', async () => {
    const entry = join(folder, 'program.ts');
    await writeFile(entry, program(join(import.meta.dirname, '../src/index.ts')));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    const result = (await build({
      configFile: false,
      logLevel: 'error',
      root: import.meta.dirname,
      resolve: { conditions: ['tessera-source', ...defaultServerConditions] },
      ssr: { noExternal: true, external: ['webgpu'], resolve: { conditions: ['tessera-source', ...defaultServerConditions] } },
      build: { ssr: entry, outDir: folder, emptyOutDir: false, minify: false, rolldownOptions: { output: { entryFileNames: 'entry.js' } } },
    })) as Rolldown.RolldownOutput;
    const chunks = result.output.filter((one) => one.type === 'chunk');
    const first = chunks.find(({ isEntry }) => isEntry)!;
    const known = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
    const atOnce = new Set<string>();
    const visit = (name: string): void => {
      const chunk = known.get(name);
      if (chunk === undefined || atOnce.has(name)) return;
      atOnce.add(name);
      chunk.imports.forEach(visit);
    };
    visit(first.fileName);
    const modules = [...atOnce].flatMap((name) => known.get(name)!.moduleIds.map((id) => id.replaceAll('\\', '/')));
    expect(modules.some((id) => id.includes('/backend-cpu/src/'))).toBe(true);
    expect(modules.filter((id) => id.includes('/backend-wasm/src/'))).toEqual([]);
    // The plugin alone: what it registers loads the rest.
    expect(modules.filter((id) => id.includes('/backend-webgpu/src/') && !id.endsWith('/plugin.ts'))).toEqual([]);
    expect(chunks.flatMap(({ moduleIds }) => moduleIds).some((id) => id.includes('backend-wasm'))).toBe(true);

    const { run } = (await import(/* @vite-ignore */ pathToFileURL(join(folder, 'entry.js')).href)) as {
      run: (device: string) => Promise<[device: string, values: unknown]>;
    };
    expect(await run('cpu')).toEqual(['cpu', [2, 4]]);
    expect(await run('wasm')).toEqual(['wasm', [2, 4]]);
  });
});
