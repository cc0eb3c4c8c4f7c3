/** @file A service worker that trains when asked: Tessera in one file, since import() is not allowed there. */
import { train } from './training.js';

interface Message extends MessageEvent<string> {
  waitUntil(work: Promise<unknown>): void;
}

addEventListener('message', (event) => {
  const { data, source, waitUntil } = event as Message;
  const answer = train(data).catch((error: unknown) => ({ failed: String(error) }));
  waitUntil.call(
    event,
    answer.then((value) => source!.postMessage(value)),
  );
});
