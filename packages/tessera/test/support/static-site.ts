/** @file Modules of this repository bundled for browsers, each into one file, and served by a plain server with the headers that a test gives. */
import { createServer, type Server } from 'node:http';
import { build, defaultClientConditions, type Rolldown } from 'vite';

/** @param entry A module's path. @param format `iife` for a classic script. */
export async function bundle(entry: string, format: 'es' | 'iife' = 'es'): Promise<string> {
  const [{ output }] = (await build({
    configFile: false,
    logLevel: 'silent',
    resolve: { conditions: ['tessera-source', ...defaultClientConditions] },
    oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
    build: {
      write: false,
      rolldownOptions: { output: { codeSplitting: false } },
      lib: { entry, formats: [format], name: 'bundle', fileName: 'bundle' },
    },
  })) as [Rolldown.RolldownOutput];
  return output[0].code;
}

export interface StaticSite {
  readonly url: string;
  close(): Promise<void>;
}

/** @param scripts By name, beside an empty page that loads `page.js`; `headers` of all answers. */
export async function serve(scripts: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>>): Promise<StaticSite> {
  const server: Server = createServer((request, response) => {
    const name = request.url!.slice(1);
    if (name === '') response.writeHead(200, { 'Content-Type': 'text/html', ...headers }).end(PAGE);
    else if (Object.hasOwn(scripts, name)) response.writeHead(200, { 'Content-Type': 'text/javascript', ...headers }).end(scripts[name]);
    else response.writeHead(404, headers).end();
  });
  server.unref();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

const PAGE = `<!doctype html>
<title>test</title>
<script src="/violations.js"></script>
<script type="module" src="/page.js"></script>`;
