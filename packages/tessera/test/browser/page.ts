/** @file What the page of policies.test.ts runs. */
import { train } from './training.js';

Object.assign(globalThis, {
  train,
  /** Asks the service worker. */
  async trainInServiceWorker(device: string): Promise<unknown> {
    await navigator.serviceWorker.register('/service-worker.js');
    const { active } = await navigator.serviceWorker.ready;
    return new Promise((resolve) => {
      navigator.serviceWorker.addEventListener('message', ({ data }) => resolve(data), { once: true });
      active!.postMessage(device);
    });
  },
});
