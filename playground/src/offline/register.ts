/** @file Starts the service worker of the built site, once the page is loaded. */

/** Is this a site that can be kept? A development server changes under the page, and a page without https has no service workers. */
const possible = BUILT && 'serviceWorker' in navigator;

/** Resolves when the page is kept for use without a network; never where that cannot be. */
export async function keptOffline(): Promise<void> {
  if (!possible) return new Promise(() => {});
  if (document.readyState !== 'complete') await new Promise((resolve) => addEventListener('load', resolve, { once: true }));
  await navigator.serviceWorker.register(new URL('service-worker.js', document.baseURI), { updateViaCache: 'none' });
  await navigator.serviceWorker.ready;
}
