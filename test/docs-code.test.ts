/**
 * @file Every ```ts block of the documents is right: its types are checked, it is run on the cpu backend, and what it claims that it prints
 * it prints. scripts/docs-code/programs.ts says how blocks are written.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { formatWithOptions, promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keeps, programsOf, withClaims } from '../scripts/docs-code/programs.js';

const root = join(import.meta.dirname, '..');
/** Not under node_modules: Vitest transforms nothing there. */
const out = join(root, 'test', '.docs-code');

const documents = (folder: string): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return ['node_modules', '.vitepress', 'api'].includes(entry.name) ? [] : documents(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
const readmes = ['README.md', ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`)];

const programs = [...readmes.filter((path) => existsSync(join(root, path))), ...documents('docs')].flatMap((document) =>
  programsOf(readFileSync(join(root, document), 'utf8')).map((program) => ({
    ...program,
    document,
    place: `${document}:${program.line}`,
    file: `${document.replaceAll(/[/.]/g, '-')}-${program.line}`,
  })),
);

/** Line 1 of the document is line 1 of the program, so that messages name the right place. */
const placed = (line: number, source: string): string => `${'\n'.repeat(line)}${source}\nexport {};\n`;

beforeAll(() => {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(join(out, 'run'), { recursive: true });
  for (const { file, line, source, run } of programs) {
    writeFileSync(join(out, `${file}.ts`), placed(line, source));
    if (run) writeFileSync(join(out, 'run', `${file}.ts`), placed(line, withClaims(source)));
  }
  writeFileSync(
    join(out, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../tsconfig.check.json',
      compilerOptions: {
        incremental: false,
        rootDir: '../..',
        noUnusedLocals: true,
        noUnusedParameters: true,
        types: ['node', '@webgpu/types'],
      },
      include: ['*.ts'],
      exclude: [],
    }),
  );
});
afterAll(() => rmSync(out, { recursive: true, force: true }));

it('there are programs to check', () => expect(programs.length).toBeGreaterThan(40));

it('every block is typed right', async () => {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', out, '--pretty', 'false'], { cwd: root }).catch(
    (error: { stdout: string }) => error,
  );
  const known = new Map(programs.map(({ file, document }) => [file, document]));
  const errors = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^\S*?([^/\\]+)\.ts\((\d+),/, (_, file: string, at: string) => `${known.get(file) ?? file}:${at} (`));
  expect(errors).toEqual([]);
});

describe('every block does what it says', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tessera-docs-'));
  const was = process.cwd();
  const console_ = { log: console.log, table: console.table, warn: console.warn };
  beforeAll(() => process.chdir(folder));
  afterAll(() => {
    process.chdir(was);
    Object.assign(console, console_);
    rmSync(folder, { recursive: true, force: true });
  });

  for (const { place, file, run } of programs.filter((program) => program.run)) {
    it(`${place}`, async () => {
      const broken: string[] = [];
      const scope = globalThis as unknown as { claim?: (claimed: string, ...values: unknown[]) => void };
      scope.claim = (claimed, ...values) => {
        const printed = formatWithOptions({ colors: false, breakLength: 120 }, ...(values as [unknown]));
        if (!keeps(claimed, printed)) broken.push(`claimed: ${claimed}\nprinted: ${printed}`);
      };
      Object.assign(console, { log() {}, table() {}, warn() {} });
      const tessera = await import('../packages/tessera/src/index.js');
      await tessera.init({ device: 'cpu', eager: false });
      await import(/* @vite-ignore */ pathToFileURL(join(out, 'run', `${file}.ts`)).href);
      expect(broken, `${relative(root, place)} (${basename(file)})`).toEqual([]);
      expect(run).toBe(true);
    });
  }
});

describe('how blocks are read', () => {
  const fence = '```';
  it('a block that continues is one program with that before it, on the lines of the document', () => {
    const [first, second] = programsOf(
      `${fence}ts\nlet a = 1;\n${fence}\ntext\n${fence}ts continue\na++;\n${fence}\n${fence}ts types\nb;\n${fence}`,
    );
    expect(first).toEqual({ line: 1, run: true, source: 'let a = 1;\n\n\n\na++;' });
    expect(second).toMatchObject({ run: false, source: 'b;' });
  });
  it('claims stand beside a console.log or below it', () => {
    expect(withClaims('console.log(1 + 1); // 2')).toBe('claim("2", 1 + 1);');
    expect(withClaims('console.log(x);\n// a\n// b')).toBe('claim("a\\nb", x);\n// a\n// b');
    expect(withClaims('console.log(x);')).toBe('console.log(x);');
  });
  it('a claim that is not kept is told', () => {
    expect(keeps('2', '3')).toBe(false);
    expect(keeps('loss … after 3', 'loss 0.123 after 3')).toBe(true);
    expect(keeps('tensor([1., 2.])', 'tensor([1., 2.])')).toBe(true);
  });
});
