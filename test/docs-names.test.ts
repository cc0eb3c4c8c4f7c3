/**
 * @file What documents name in passing is there: `nn.Linear`, `optim.Adam`, `x.softmax(1)` in a sentence or a table. Blocks of code are run by
 * docs-code.test.ts; docs/pytorch.md is made from the code.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as tessera from '../packages/tessera/src/index.js';

const root = join(import.meta.dirname, '..');
const in_ = (folder: string): string[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
const documents = ['README.md', 'CONTRIBUTING.md', ...in_('docs'), ...in_('docs/guide')].filter((path) => path !== 'docs/pytorch.md');

/** The spans of code of a document outside of its blocks, with their lines. Of tables with a column of PyTorch's, the others. */
function spans(text: string): { readonly line: number; readonly code: string }[] {
  const found: { line: number; code: string }[] = [];
  let column = -1;
  let inBlock = false;
  text.split('\n').forEach((row, i) => {
    if (/^\s*```/.test(row)) inBlock = !inBlock;
    if (inBlock) return;
    // A bar within code does not end a cell.
    const cells = row.startsWith('|') ? (row.match(/(?:`[^`]*`|[^|`])+/g) ?? []) : [row];
    if (!row.startsWith('|')) column = -1;
    else if (cells.some((cell) => cell.trim() === 'PyTorch')) column = cells.findIndex((cell) => cell.trim() === 'PyTorch');
    cells.forEach((cell, at) => {
      if (at === column) return;
      for (const [, code] of cell.matchAll(/`([^`]+)`/g)) found.push({ line: i + 1, code: code! });
    });
  });
  return found;
}

/** Names of an object and of what it inherits. */
function members(object: unknown): string[] {
  const names: string[] = [];
  for (let at = object; at !== null && at !== undefined; at = Object.getPrototypeOf(at)) names.push(...Object.getOwnPropertyNames(at));
  return names;
}

/** A member, or undefined where there is none: some names, of PyTorch's, throw and say what they are here. */
function valueOf(object: unknown, name: string): unknown {
  try {
    return (object as Record<string, unknown> | undefined)?.[name];
  } catch {
    return undefined;
  }
}

/** Every member of everything that `tessera` shows, to any depth, and of JavaScript's own objects. */
function allMembers(): Set<string> {
  const names = new Set<string>();
  const seen = new Set<unknown>();
  const visit = (value: unknown): void => {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value)) return;
    seen.add(value);
    for (const name of members(value)) names.add(name);
    if (typeof value === 'function') visit(valueOf(value, 'prototype'));
    else
      for (const [name, { enumerable }] of Object.entries(Object.getOwnPropertyDescriptors(value)))
        if (enumerable) visit(valueOf(value, name));
  };
  visit(tessera);
  const { nn, optim, data, zeros } = tessera;
  const layer = new nn.Linear(1, 1);
  [zeros([]), layer, new optim.SGD(layer.parameters(), { lr: 1 }), new data.DataLoader(new data.TensorDataset(zeros(1)))].forEach(visit);
  [Array, Map, Promise, String, Math, Object, JSON, Uint8Array, console].forEach(visit);
  return names;
}
/** Names that are no values of ours: Vitest's, and those of types, which leave nothing to find. */
const OTHERS = ['toEqual', 'toBe', 'ModuleOf', 'Backend.ready', 'AutocastRegion.exit'].map((name) => name.split('.').at(-1)!);
const known = new Set([...allMembers(), ...OTHERS]);
const NAMESPACES = ['nn', 'F', 'optim', 'data', 'io', 'linalg', 'special', 'func', 'amp', 'autograd', 'signal'];
const qualified = new RegExp(`(?<![\\w.'/@])(${NAMESPACES.join('|')})((?:\\.[A-Za-z]\\w*)+)`, 'g');
/** PyTorch's way to write a name; `add_` is ours too. */
const isPython = (name: string): boolean => /[a-z0-9]_[a-z]/.test(name);

/** What a span names that is not there. */
function lacking(code: string): string[] {
  const wrong: string[] = [];
  if (/torch\.|\bself\b/.test(code)) return wrong;
  for (const [whole, first, rest] of code.matchAll(qualified)) {
    const path = rest!.slice(1).split('.');
    if (path.some(isPython)) continue;
    // `data.item()` may be anybody's variable: then the name is known as a member of something.
    const at = path.reduce(valueOf, valueOf(tessera, first!) ?? valueOf(tessera.nn, first!));
    if (at === undefined && !known.has(path.at(-1)!)) wrong.push(whole);
  }
  for (const [, name] of code.matchAll(/[\w)\]]\.([a-z]\w*)\(/g)) if (!isPython(name!) && !known.has(name!)) wrong.push(`.${name}()`);
  return wrong;
}

describe('names in sentences and tables', () => {
  it.each(documents)('of %s', (document) => {
    const wrong = spans(readFileSync(join(root, document), 'utf8')).flatMap(({ line, code }) =>
      lacking(code).map((name) => `${document}:${line}: ${name} in ${code}`),
    );
    expect(wrong).toEqual([]);
  });

  it('one that is not there is found', () => {
    expect(lacking('nn.Linaer(2, 3)')).toEqual(['nn.Linaer']);
    expect(lacking('x.sotfmax(1)')).toEqual(['.sotfmax()']);
    expect(lacking('x.softmax(1).add_(nn.F.relu(y))')).toEqual([]);
    expect(spans('| PyTorch | here |\n| - | - |\n| `a.T` | `a.t()` |').map(({ code }) => code)).toEqual(['a.t()']);
  });
});
