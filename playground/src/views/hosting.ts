/** @file What the page's host allows: threads, and use without a network. */
import { keptOffline } from '../offline/register.js';
import { byId, messageOf } from '../ui/dom.js';

export function showHosting(): void {
  byId('isolation').hidden = crossOriginIsolated;
  keptOffline().then(
    () => {
      byId('offline').textContent = 'This page is kept in the browser: it works without a network.';
      byId('offline').hidden = false;
      // The service worker adds the headers that the host does not send, from the next load on.
      byId('isolate').hidden = false;
    },
    (error: unknown) => {
      byId('offline').textContent = `This page is not kept for use without a network: ${messageOf(error)}`;
      byId('offline').hidden = false;
    },
  );
  byId('isolate').addEventListener('click', () => location.reload());
}
