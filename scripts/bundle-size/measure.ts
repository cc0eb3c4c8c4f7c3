/** @file Bundles a program with esbuild, on the sources of all packages, and weighs what comes out. */
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

export interface Weight {
  /** Bytes after gzip: what the program itself loads at once, and with it all chunks that it may fetch. */
  readonly first: number;
  readonly all: number;
  /** All, minified, before gzip. */
  readonly minified: number;
  /** Minified bytes by package, the heaviest first. */
  readonly parts: readonly (readonly [string, number])[];
  /** The bundle's files by name; the program is in program.js. */
  readonly files: ReadonlyMap<string, string>;
}

const partOf = (path: string): string => {
  const ours = /(?:^|\/)packages\/([^/]+)\//.exec(path);
  if (ours !== null) return ours[1]!;
  return /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? 'the program';
};

export async function measure(program: string, root: string): Promise<Weight> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: `${root}/packages/tessera`, sourcefile: 'program.js' },
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    // The sources: no build is needed, and their decorators and types are esbuild's to read.
    conditions: ['tessera-source'],
    external: ['node:*', 'webgpu'],
    outdir: 'out',
    entryNames: 'program',
    write: false,
    metafile: true,
    logLevel: 'silent',
    absWorkingDir: root,
  });
  const sizes = new Map(outputFiles.map((file) => [file.path.slice(root.length + 1), gzipSync(file.contents, { level: 9 }).length]));
  const parts = new Map<string, number>();
  let minified = 0;
  const entry = Object.entries(metafile.outputs).find(([, output]) => output.entryPoint?.endsWith('program.js') === true);
  // What the program can reach: esbuild also writes chunks for dynamic imports in code that it dropped.
  const reached = (later: boolean): number => {
    const found = new Set<string>();
    const visit = (path: string): void => {
      if (found.has(path)) return;
      found.add(path);
      for (const { path: next, kind, external } of metafile.outputs[path]!.imports)
        if (external !== true && (later || kind === 'import-statement')) visit(next);
    };
    visit(entry![0]);
    for (const path of found) seen.add(path);
    return [...found].reduce((total, path) => total + sizes.get(path)!, 0);
  };
  const seen = new Set<string>();
  const first = reached(false);
  const all = reached(true);
  for (const path of seen) {
    const output = metafile.outputs[path]!;
    minified += output.bytes;
    for (const [input, { bytesInOutput }] of Object.entries(output.inputs))
      parts.set(partOf(input), (parts.get(partOf(input)) ?? 0) + bytesInOutput);
  }
  const files = new Map(outputFiles.map((file) => [basename(file.path), file.text]));
  return { first, all, minified, parts: [...parts].toSorted((a, b) => b[1] - a[1]), files };
}
