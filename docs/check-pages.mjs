/**
 * @file node check-pages.mjs: every page of the built site in Chromium, wide and narrow, light and dark: axe-core finds no violation, nothing needs
 * sideways scrolling of the page, nothing is asked of another server, nothing is complained of in the console. After `npm run build`; takes
 * playwright-core and axe-core from the repository's node_modules, and the Chromium that CHROMIUM_PATH names.
 *
 *   node check-pages.mjs [part of a page's name …]      # --pictures FOLDER keeps a picture of each
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { chromium } from 'playwright-core';

const site = join(import.meta.dirname, '.vitepress/dist');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};
const SIZES = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };

const words = process.argv.slice(2);
const at = words.indexOf('--pictures');
const [, pictures] = at < 0 ? [] : words.splice(at, 2);
if (pictures !== undefined) mkdirSync(pictures, { recursive: true });

const executablePath = [process.env.CHROMIUM_PATH, '/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (file) => file !== undefined && existsSync(file),
);
if (executablePath === undefined || !existsSync(site)) {
  console.error(
    executablePath === undefined ? 'error: no Chromium was found; CHROMIUM_PATH says where one is' : 'error: npm run build comes first',
  );
  process.exit(2);
}
const pages = readdirSync(site, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.html') && (words.length === 0 || words.some((word) => file.includes(word))))
  .sort();

const server = createServer((request, response) => {
  const path = join(site, decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
  const file = existsSync(path) && statSync(path).isDirectory() ? join(path, 'index.html') : path;
  if (!existsSync(file)) return void response.writeHead(404).end();
  response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file));
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = `http://127.0.0.1:${server.address().port}/`;

/** What is wrong with the page as it stands there: sentences. Runs in the page. */
const faults = async () => {
  const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
  const found = violations.flatMap(({ id, nodes }) =>
    nodes.slice(0, 5).map(({ html, any }) => `${id}: ${html.slice(0, 160)} ${any[0]?.message ?? ''}`),
  );
  const sideways = document.documentElement.scrollWidth - innerWidth;
  if (sideways > 0) found.push(`scrolls sideways by ${sideways} px`);
  // What is cut: wider than the box that hides it, or than the window, with nothing around it that scrolls.
  for (const element of document.querySelectorAll(
    '.vp-doc table, .vp-doc pre, .vp-doc img, .vp-doc p, .vp-doc li, .vp-doc h1, .vp-doc h2, .vp-doc h3, .vp-doc h4',
  )) {
    if (element.getBoundingClientRect().right > innerWidth + 1 && element.closest('table, pre') === element)
      found.push(`${element.tagName} ends beyond the window: ${element.textContent.slice(0, 60)}`);
  }
  return found;
};

const browser = await chromium.launch({ executablePath, headless: true, args: ['--no-sandbox', '--disable-background-networking'] });
let faulty = 0;
try {
  const page = await browser.newPage({ reducedMotion: 'reduce' });
  let said = [];
  page.on('console', (message) => message.type() === 'error' && said.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => said.push(`error: ${error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(address) && !/^(data|blob):/.test(request.url())) said.push(`asks for ${request.url()}`);
  });
  for (const file of pages) {
    said = [];
    await page.goto(address + file);
    // The switch of colours has its name once the page lives.
    await page.waitForFunction(() => [...document.querySelectorAll('.VPSwitchAppearance')].every(({ title }) => title !== ''));
    await page.evaluate(axe);
    // Pages of the reference have thousands of paragraphs of the same make, of which some hundreds are looked at.
    await page.evaluate(() => [...document.querySelectorAll('.vp-doc > div > *')].slice(300).forEach((element) => element.remove()));
    await page.evaluate(() => [...document.querySelectorAll('.VPDocAsideOutline li')].slice(100).forEach((element) => element.remove()));
    const wrong = said.map((line) => `everywhere: ${line}`);
    for (const [size, viewport] of Object.entries(SIZES))
      for (const colorScheme of ['light', 'dark']) {
        await page.setViewportSize(viewport);
        await page.emulateMedia({ colorScheme });
        if (pictures !== undefined)
          await page.screenshot({ path: join(pictures, `${file.replaceAll('/', '-')}-${size}-${colorScheme}.png`) });
        wrong.push(...(await page.evaluate(faults)).map((fault) => `${size}, ${colorScheme}: ${fault}`));
      }
    if (wrong.length === 0) continue;
    faulty++;
    console.log(`${file}:\n  ${wrong.join('\n  ')}`);
  }
} finally {
  await browser.close();
  server.close();
}
console.log(`${pages.length} pages, four ways each: ${faulty === 0 ? 'nothing is wrong' : `${faulty} have faults`}`);
process.exitCode = faulty > 0 || pages.length === 0 ? 1 : 0;
