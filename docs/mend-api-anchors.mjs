// Links of the API reference to headings. typedoc numbers headings of one name (`#tensordata-1`) before typedoc-own-members.mjs removes members, and
// with them headings: a link whose number is gone leads to the heading that is left. Run after typedoc.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, normalize } from 'node:path';

const folder = join(import.meta.dirname, 'api');
const pages = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.md'));

/** The anchors of a page: GitHub's, as .vitepress/config.ts makes them. */
function anchorsOf(file) {
  const found = new Set();
  for (const [, heading] of readFileSync(join(folder, file), 'utf8').matchAll(/^#{1,6} +(.*)$/gm)) {
    const slug = heading
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
const anchors = new Map(pages.map((file) => [normalize(file), anchorsOf(file)]));

let mended = 0;
for (const file of pages) {
  const text = readFileSync(join(folder, file), 'utf8');
  const better = text.replaceAll(/\]\(([^)#\s]*)#([\w-]+)-(\d+)\)/g, (link, path, name, number) => {
    const target = path === '' ? file : normalize(join(file, '..', path.endsWith('/') ? `${path}index.md` : path));
    const known = anchors.get(normalize(target));
    if (known === undefined || known.has(`${name}-${number}`) || !known.has(name)) return link;
    mended++;
    return `](${path}#${name})`;
  });
  if (better !== text) writeFileSync(join(folder, file), better);
}
console.log(`${mended} links to numbered headings mended`);
