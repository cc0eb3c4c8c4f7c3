// node check-links.mjs: every link inside of the built site leads to a page that is there, and to a heading of it. After `npm run build`.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const site = join(import.meta.dirname, '.vitepress/dist');
const base = (process.env.DOCS_BASE ?? '/').replace(/^\/|\/$/g, '');
const pages = readdirSync(site, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.html'));
const headings = new Map();

function headingsOf(path) {
  if (!headings.has(path)) headings.set(path, new Set([...readFileSync(path, 'utf8').matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id)));
  return headings.get(path);
}

/** The file behind an address, as a static host finds it. */
function fileOf(pathname) {
  const path = join(site, decodeURIComponent(pathname).replace(new RegExp(`^/${base}`), '/'));
  return [path, join(path, 'index.html'), `${path}.html`].find((file) => existsSync(file) && statSync(file).isFile());
}

let count = 0;
const broken = new Set();
for (const page of pages) {
  for (const [, href] of readFileSync(join(site, page), 'utf8').matchAll(/<a\b[^>]*\bhref="([^"]+)"/g)) {
    if (/^[a-z]+:/.test(href)) continue;
    count++;
    const { pathname, hash } = new URL(
      href.replaceAll('&amp;', '&'),
      `http://site/${base === '' ? '' : `${base}/`}${page.replaceAll('\\', '/')}`,
    );
    const file = fileOf(pathname);
    const anchor = decodeURIComponent(hash.slice(1));
    if (file === undefined || (anchor !== '' && file.endsWith('.html') && !headingsOf(file).has(anchor))) broken.add(`${page}: ${href}`);
  }
}
console.log(`${pages.length} pages, ${count} links, ${broken.size} of them broken`);
for (const link of broken) console.log(link);
process.exit(broken.size > 0 || count === 0 ? 1 : 0);
