/**
 * @file The service worker of the built site: keeps the page for use without a network, and makes it cross-origin isolated on hosts that cannot
 * send headers (threads in WebAssembly need it). The build writes the two constants: build/offline.ts.
 *
 * A version of the site has a cache of its own. A new one is filled while pages of the old one are open, takes over when they are closed, and
 * then removes the old.
 */

/** What the page needs to train, relative to it. */
declare const PRECACHE: readonly string[];
/** A hash of all files. */
declare const VERSION: string;

interface Lifetime extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetch extends Lifetime {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
interface Scope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  addEventListener(type: 'install' | 'activate', listener: (event: Lifetime) => void): void;
  addEventListener(type: 'fetch', listener: (event: Fetch) => void): void;
}

const worker = globalThis as unknown as Scope;
const { scope } = worker.registration;
const FAMILY = `tessera-playground ${scope} `;
const NAME = FAMILY + VERSION;
const PAGE = new URL('index.html', scope).href;

worker.addEventListener('install', (event) => {
  const files = PRECACHE.map((file) => new Request(new URL(file, scope), { cache: 'reload' }));
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(files)));
});

worker.addEventListener('activate', (event) => {
  const clean = async (): Promise<void> => {
    for (const name of await caches.keys()) if (name.startsWith(FAMILY) && name !== NAME) await caches.delete(name);
    await worker.clients.claim();
  };
  event.waitUntil(clean());
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  // Others' addresses and other methods go their way.
  if (request.method === 'GET' && request.url.startsWith(scope)) event.respondWith(answer(event).then(isolated));
});

/** Names under assets/ change with what they hold: those are taken from the cache first. All else is asked for, and kept for later. */
async function answer(event: Fetch): Promise<Response> {
  const { request } = event;
  const cache = await caches.open(NAME);
  const name = request.mode === 'navigate' ? PAGE : request.url;
  if (request.url.startsWith(`${scope}assets/`)) {
    const kept = await cache.match(name, { ignoreVary: true });
    if (kept !== undefined) return kept;
  }
  try {
    const response = await fetch(request);
    if (response.status === 200) event.waitUntil(cache.put(name, response.clone()));
    return response;
  } catch (error) {
    const kept = await cache.match(name, { ignoreVary: true });
    if (kept === undefined) throw error;
    return kept;
  }
}

/** The same response with the headers of isolation. */
function isolated(response: Response): Response {
  if (response.status === 0) return response;
  const headers = new Headers(response.headers);
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  headers.set('Cross-Origin-Resource-Policy', 'same-origin');
  const empty = response.status === 204 || response.status === 304;
  return new Response(empty ? null : response.body, { status: response.status, statusText: response.statusText, headers });
}
