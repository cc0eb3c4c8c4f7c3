/** @file A service worker that trains when asked: Tessera in one file, since import() is not allowed there. */
import { train } from './training.js';

interface Message extends MessageEvent<string> {
  waitUntil(work: Promise<unknown>): void;
}

addEventListener('message', (event) => {
  const message = event as Message;
  const answer = train(message.data).catch((error: unknown) => ({ failed: String(error) }));
  message.waitUntil(answer.then((value) => message.source!.postMessage(value)));
});
