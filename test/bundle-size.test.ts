/** @file No bundle is heavier than its limit. `npm run size` also writes docs/bundle-size.md anew. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BUNDLES } from '../scripts/bundle-size/bundles.js';
import { measure, type Weight } from '../scripts/bundle-size/measure.js';
import { table } from '../scripts/bundle-size/table.js';

const root = join(import.meta.dirname, '..');
const file = join(root, 'docs/bundle-size.md');

describe('bundles', () => {
  const weights = new Map<string, Weight>();

  it.each(BUNDLES)('$name: at most $limit bytes after gzip', async ({ name, program, limit }) => {
    const weight = await measure(program, root);
    weights.set(name, weight);
    expect(weight.all).toBeLessThanOrEqual(limit);
  });

  it.each(BUNDLES.filter(({ prints }) => prints !== undefined))('$name: what is left of it runs', ({ name, prints }) => {
    const folder = mkdtempSync(join(tmpdir(), 'tessera-bundle-'));
    try {
      for (const [file, text] of weights.get(name)!.files)
        writeFileSync(join(folder, file.replace(/js$/, 'mjs')), text.replaceAll(/(\.\/[\w.-]+)\.js/g, '$1.mjs'));
      const out = execFileSync(process.execPath, ['program.mjs'], {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, NO_COLOR: '1' },
      });
      expect(out.trim()).toBe(prints);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('a bundle of one op holds no other op, no layer, no other backend', () => {
    const { parts } = weights.get('one op, functional, cpu')!;
    expect(parts.map(([name]) => name).toSorted()).toEqual(['backend-cpu', 'core', 'tessera']);
    expect(
      weights
        .get('one op, functional, wasm')!
        .parts.map(([name]) => name)
        .toSorted(),
    ).toEqual(['backend-wasm', 'core', 'tessera']);
    // Of the file of `add`, and of in-place writing.
    const text = [...weights.get('one op, functional, wasm')!.files.values()].join('');
    expect(text).toContain('alpha must not be');
    for (const left of ['divFloor', 'CopySlices', 'rounding_mode']) expect(text).not.toContain(left);
    const ofCore = (name: string): number => weights.get(name)!.parts.find(([part]) => part === 'core')![1];
    expect(ofCore('one op, functional, cpu')).toBeLessThan(0.3 * ofCore('one op, all methods, cpu'));
  });

  it('the table names each of them', () => {
    if (process.env.npm_lifecycle_event === 'size')
      writeFileSync(file, table(BUNDLES.map((bundle) => ({ bundle, weight: weights.get(bundle.name)! }))));
    const text = readFileSync(file, 'utf8');
    for (const { name } of BUNDLES) expect(text).toContain(`| ${name} |`);
  });
});
