/** @file The built site, served on the loopback address from a folder of its own, as a static host would. It stops by itself. */
import { createServer } from 'node:http';
import { readFile, stat } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** What the page needs of a content security policy, and nothing else: workers and plugins from blobs, and the editor's models as functions. */
export const POLICY =
  "default-src 'none'; script-src 'self' blob: 'unsafe-eval'; worker-src 'self' blob:; connect-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'";

const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

export interface Site {
  /** The page's address, in a sub-folder. */
  readonly url: string;
  /** Serves another text under a name from now on: a new version of the site. */
  replace(name: string, change: (text: string) => string): void;
  close(): Promise<void>;
}

export interface SiteOptions {
  /** Send what makes a page cross-origin isolated. Default true. */
  readonly isolated?: boolean;
  /** Files besides the site's, by name: plugins. */
  readonly files?: Readonly<Record<string, string>>;
}

const FOLDER = '/some/where/playground/';
/** A test that dies leaves nothing behind: the server ends after so long without a request, and never holds a process. */
const IDLE = 5 * 60_000;

export async function serveSite(folder: string, { isolated = true, files = {} }: SiteOptions = {}): Promise<Site> {
  const changes = new Map<string, (text: string) => string>();
  const server = createServer((request, response) => {
    idle.refresh();
    const answer = async (): Promise<void> => {
      const { pathname } = new URL(request.url!, 'http://localhost');
      const name = pathname.startsWith(FOLDER) ? normalize(decodeURIComponent(pathname.slice(FOLDER.length))) : undefined;
      if (name === undefined || name.startsWith('..')) return void response.writeHead(404).end();
      const path = join(folder, name === '.' || name === '' ? 'index.html' : name);
      const known = Object.hasOwn(files, name);
      if (!known && !(await stat(path).catch(() => undefined))?.isFile()) return void response.writeHead(404).end();
      const found = known ? files[name]! : await readFile(path);
      const body = changes.get(name)?.(found.toString()) ?? found;
      const type = TYPES[extname(known ? name : path)] ?? 'application/octet-stream';
      response.writeHead(200, { 'Content-Type': type, 'Content-Security-Policy': POLICY, ...(isolated && ISOLATION) }).end(body);
    };
    answer().catch(() => response.writeHead(500).end());
  });
  const idle = setTimeout(() => server.close(), IDLE);
  idle.unref();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}${FOLDER}`,
    replace: (name, change) => void changes.set(name, change),
    close: () =>
      new Promise((resolve) => {
        clearTimeout(idle);
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
