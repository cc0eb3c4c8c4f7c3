/** @file The command's server, for one page: the bundle, and the reference data as the command reads them. On the loopback device alone. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isTesseraError } from '@tessera/core';
import type { FixtureFiles } from '../fixtures/index.js';
import { ENTRY } from './bundle.js';

export interface PageServer {
  readonly url: string;
  close(): Promise<void>;
}

export interface Served {
  /** Under /dist/browser/, as in the package. */
  readonly scripts: ReadonlyMap<string, Uint8Array>;
  /** Under /fixtures/. */
  readonly fixtures: FixtureFiles;
  /** Under /examples/data/digits/. */
  readonly digits: FixtureFiles;
}

/** The page is isolated: it may share memory with its workers, and its clocks are fine. */
const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};
const SCRIPTS = '/dist/browser/';
const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>Conformance</title><script type="module" src="${SCRIPTS}${ENTRY}"></script></html>`;

export async function servePage(served: Served): Promise<PageServer> {
  let host = '';
  const server = createServer((request, response) => {
    // Under another name it would be another site's page that asks.
    if (request.headers.host === host) void answer(request, response, served);
    else response.writeHead(403, HEADERS).end();
  });
  await new Promise<void>((done, fail) => server.once('error', fail).listen(0, '127.0.0.1', done));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}/`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, { scripts, fixtures, digits }: Served): Promise<void> {
  const path = decodeURIComponent(new URL(request.url ?? '/', 'http://page').pathname);
  const send = (type: string, body: string | Uint8Array, status = 200): void =>
    void response.writeHead(status, { ...HEADERS, 'Content-Type': type }).end(body);
  const json = (value: unknown, status?: number): void => send('application/json', JSON.stringify(value), status);
  if (path === '/') return send('text/html', PAGE);
  if (path.startsWith(SCRIPTS)) {
    const script = scripts.get(path.slice(SCRIPTS.length));
    if (script !== undefined) return send('text/javascript', script);
  }
  const [, folder, file] = /^\/(fixtures|examples\/data\/digits)\/(.*)$/.exec(path) ?? [];
  if (folder === undefined || file === undefined || file.split(/[/\\]/).includes('..')) return json({}, 404);
  const files = folder === 'fixtures' ? fixtures : digits;
  try {
    if (file.endsWith('/')) json(await files.list!(file.slice(0, -1)));
    else send('application/octet-stream', await files.read(file));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    json({ code: isTesseraError(error) ? error.code : 'ERR_FIXTURE_MISSING', message }, 404);
  }
}
