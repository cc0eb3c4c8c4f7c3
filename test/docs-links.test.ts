/**
 * @file Links in documents lead somewhere: to files that are in the repository, and to headings that are in them. Pages of the site link only to
 * pages of the site. `npm run build` in docs/ checks the built site, API reference included, once more.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const documents = execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' })
  .trim()
  .split('\n')
  .filter((path) => existsSync(join(root, path)));

/** Without blocks of code, in which brackets are no links. */
const prose = (path: string): string =>
  readFileSync(join(root, path), 'utf8')
    .replaceAll(/^```[^]*?^```/gm, '')
    .replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, ' '));

/** GitHub's anchors of a document. */
function anchors(path: string): Set<string> {
  const found = new Set<string>();
  const text = readFileSync(join(root, path), 'utf8').replaceAll(/^```[^]*?^```/gm, '');
  for (const [, heading] of text.matchAll(/^#{1,6} +(.*)$/gm)) {
    const slug = heading!
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-');
    let name = slug;
    for (let i = 1; found.has(name); i++) name = `${slug}-${i}`;
    found.add(name);
  }
  return found;
}

describe('links', () => {
  it.each(documents)('of %s', (document) => {
    const broken: string[] = [];
    for (const [, target] of prose(document).matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      const [path, anchor] = target!.split('#') as [string, string?];
      // Absolute ones are the site's: /api/… is written by typedoc.
      if (path.startsWith('/')) continue;
      const file = path === '' ? document : normalize(join(dirname(document), decodeURIComponent(path)));
      const page = file.endsWith('/') ? join(file, 'index.md') : file;
      if (!existsSync(join(root, file))) broken.push(`${target}: there is no ${file}`);
      else if (anchor !== undefined && page.endsWith('.md') && !anchors(page).has(anchor))
        broken.push(`${target}: ${page} has no such heading`);
      else if (document.startsWith('docs/') && relative('docs', file).startsWith('..')) broken.push(`${target}: not on the site`);
    }
    expect(broken).toEqual([]);
  });

  it('there are many of them', () => expect(documents.length).toBeGreaterThan(30));
});

it('nobody is sent to the package of others that has our name on npm', () => {
  const wrong =
    /^\s*(?:npm (?:install|i|add)|npx|bunx?|deno add|pnpm add|yarn add) (?:.* )?(?:npm:)?tessera(?:@[\w.]+)?\s*$|\/\/[\w.]+\/(?:npm\/)?tessera@|npm:tessera/m;
  expect(documents.filter((path) => wrong.test(readFileSync(join(root, path), 'utf8')))).toEqual([]);
  expect(wrong.test('npm install tessera')).toBe(true);
  expect(wrong.test('"https://esm.sh/tessera@0.1.0"')).toBe(true);
});
