/**
 * @file The program of a worker, as text: it needs no file beside the bundle, in Node or in a page. It waits for the control block's word to change,
 * joins the job, and takes blocks of it until there are none. Modules come as bytes in the shared memory, since a waiting worker gets no messages.
 */
import * as control from './control-block.js';

/** Rounds of looking at the word before a worker goes to sleep: some 40 µs. */
const SPINS = 20_000;

export const WORKER_SOURCE = `'use strict';
const C = ${JSON.stringify(control)};
function work({ memory, at, thread }) {
  const c = new Int32Array(memory.buffer, at, C.WORDS);
  const modules = [];
  let seen = 0;
  const load = (id) => {
    // The memory may have grown a moment ago, and this thread may not know yet.
    for (let tries = 0; ; tries++) {
      try {
        const bytes = new Uint8Array(memory.buffer, c[C.MODULE_ADDRESS] >>> 0, c[C.MODULE_LENGTH]).slice();
        const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
        return (modules[id] = Object.values(instance.exports));
      } catch (error) {
        if (!(error instanceof RangeError) || tries === 100) throw error;
        Atomics.wait(c, C.MESSAGE, c[C.MESSAGE], 1);
      }
    }
  };
  const join = () => {
    const id = c[C.MODULE_ID];
    const run = (modules[id] || load(id))[c[C.EXPORT]];
    const count = c[C.COUNT];
    const grain = c[C.GRAIN];
    const args = c[C.ARGUMENTS_AT];
    for (let begin; (begin = Atomics.add(c, C.NEXT, grain)) < count; ) run(args, begin, Math.min(begin + grain, count), thread);
  };
  const fail = (error) => {
    if (Atomics.compareExchange(c, C.FAILED, 0, 1) !== 0) return;
    const text = new TextEncoder().encode(String(error)).slice(0, ${control.MESSAGE_BYTES});
    new Uint8Array(memory.buffer, at + C.MESSAGE * 4, C.MESSAGE_BYTES).set(text);
    Atomics.store(c, C.MESSAGE_LENGTH, text.length);
  };
  Atomics.add(c, C.READY, 1);
  while (Atomics.load(c, C.STOP) === 0) {
    let newest = Atomics.load(c, C.NEWEST);
    for (let spin = 0; newest === seen && spin < ${SPINS}; spin++) newest = Atomics.load(c, C.NEWEST);
    if (newest === seen) {
      Atomics.wait(c, C.NEWEST, seen);
      continue;
    }
    seen = newest;
    Atomics.add(c, C.ACTIVE, 1);
    if (Atomics.load(c, C.OPEN) === seen) {
      try {
        join();
      } catch (error) {
        fail(error);
      }
    }
    if (Atomics.sub(c, C.ACTIVE, 1) === 1) Atomics.notify(c, C.ACTIVE);
  }
}
if (typeof require === 'function') work(require('node:worker_threads').workerData);
else onmessage = ({ data }) => work(data);
`;
