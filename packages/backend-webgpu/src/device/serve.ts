/**
 * @file The worker's side of the ring: takes commands and gives them to an executor. Like the executor it travels as source text, so it uses
 * nothing from outside of itself.
 */
import type { createExecutor, Executor, ExecutorParts } from './executor.js';
import type { Fault } from './faults.js';
import type { Protocol, Shared } from './protocol.js';

/** What the worker is given. */
export interface ServeOptions {
  readonly protocol: Protocol;
  readonly shared: Shared;
  readonly flagBuffer: number;
  /** May the worker's thread block while there is nothing to do? In Node it may; in a browser its promises would never settle. */
  readonly blocking: boolean;
  readonly post: (message: unknown, transfer?: ArrayBuffer[]) => void;
  /** Lets events of the device arrive. */
  readonly tick: () => Promise<void>;
}

/** Runs until the caller closes it. `device` is ready. */
export async function serve(
  device: GPUDevice,
  makeExecutor: typeof createExecutor,
  parts: ExecutorParts,
  options: ServeOptions,
): Promise<void> {
  const { protocol, shared, flagBuffer, blocking, post, tick } = options;
  const { OP, CONTROL, STATE, CONTROL_BYTES, FAULT_BYTES, HEADER } = protocol;
  const control = new Int32Array(shared.buffer, 0, CONTROL_BYTES / 4);
  const faultBytes = new Uint8Array(shared.buffer, CONTROL_BYTES, FAULT_BYTES);
  const ring = new Uint32Array(shared.buffer, HEADER, shared.ringBytes / 4);
  const ringBytes = new Uint8Array(shared.buffer, HEADER, shared.ringBytes);
  const result = new Uint8Array(shared.buffer, HEADER + shared.ringBytes, shared.resultBytes);
  const mask = ring.length - 1;
  const decoder = new TextDecoder();
  const executor: Executor = makeExecutor(device, flagBuffer, parts);
  const counterNames = Object.keys(executor.counters) as (keyof typeof executor.counters)[];
  let tail = 0;
  /** Dawn cannot take a view on shared memory. */
  let bounce = new Uint8Array(1 << 16);
  let thrown: Fault | null = null;

  const text = (at: number, bytes: number): string => decoder.decode(ringBytes.slice(at, at + bytes));
  const fault = (): Fault | null => {
    // What was thrown follows from what the device says, if that says anything.
    const first = executor.takeFault() ?? thrown;
    thrown = null;
    return first;
  };
  const count = (): void => counterNames.forEach((name, i) => Atomics.store(control, CONTROL.counters + i, executor.counters[name]));
  const answer = (length: number): void => {
    count();
    const failed = fault();
    if (failed !== null) {
      const bytes = new TextEncoder().encode(JSON.stringify({ ...failed, message: failed.message.slice(0, 2000) }));
      faultBytes.set(bytes);
      length = bytes.length;
    }
    Atomics.store(control, CONTROL.answerStatus, failed === null ? 0 : 1);
    Atomics.store(control, CONTROL.answerLength, length);
    Atomics.add(control, CONTROL.answer, 1);
    Atomics.notify(control, CONTROL.answer);
  };
  const reply = (ticket: number, bytes: Uint8Array<ArrayBuffer>): void => {
    count();
    post({ ticket, bytes, fault: fault() }, [bytes.buffer]);
  };
  /** A thread that is ended inside Dawn takes the process with it: wait here, in plain JavaScript, to be ended. */
  const park = (): void => {
    Atomics.store(control, CONTROL.state, STATE.parked);
    Atomics.notify(control, CONTROL.state);
    for (;;) Atomics.wait(control, CONTROL.stop, 1);
  };

  /** The end is near: nobody waits for the device any more. */
  const hurry = (): boolean => Atomics.load(control, CONTROL.stop) === 1 || Atomics.load(control, CONTROL.closing) === 1;

  /** True where it was the last command. Only reads take an await. */
  const run = (op: number, o: number): boolean | Promise<boolean> => {
    switch (op) {
      case OP.createPipeline: {
        const [id, reads, writes, label, code] = [ring[o + 2], ring[o + 3], ring[o + 4], ring[o + 5], ring[o + 6]];
        executor.createPipeline(id, reads, writes, text((o + 7) * 4, label), text((o + 7) * 4 + label, code));
        return false;
      }
      case OP.createBuffer:
        executor.createBuffer(ring[o + 2], ring[o + 3]);
        return false;
      case OP.destroyBuffer:
        executor.destroyBuffer(ring[o + 2]);
        return false;
      case OP.write: {
        const bytes = ring[o + 4];
        if (bounce.length < bytes) bounce = new Uint8Array(bytes);
        bounce.set(ringBytes.subarray((o + 5) * 4, (o + 5) * 4 + bytes));
        executor.write(ring[o + 2], ring[o + 3], bounce.subarray(0, bytes));
        return false;
      }
      case OP.dispatch: {
        const count = ring[o + 6];
        executor.dispatch(ring[o + 2], ring[o + 3], ring[o + 4], ring[o + 5], ring, o + 8, count, ring, o + 8 + count, ring[o + 7]);
        return false;
      }
      case OP.read:
        return executor.read(ring[o + 2], ring[o + 3], ring[o + 4], ring[o + 5] === 1, (bytes) => {
          result.set(bytes);
          answer(bytes.length);
          return false;
        });
      case OP.readAsync: {
        const ticket = ring[o + 6];
        return executor.read(ring[o + 2], ring[o + 3], ring[o + 4], ring[o + 5] === 1, (bytes) => {
          reply(ticket, bytes.slice());
          return false;
        });
      }
      case OP.compileAside:
        executor.compileAside(ring[o + 2] === 1);
        return false;
      case OP.beginTiming:
        executor.beginTiming();
        return false;
      case OP.endTiming: {
        const ticket = ring[o + 2];
        return executor.endTiming().then((times) => {
          reply(ticket, new Uint8Array(times.buffer as ArrayBuffer));
          return false;
        });
      }
      case OP.flush:
        executor.flush();
        count();
        return false;
      case OP.destroyDevice:
        executor.destroy();
        return false;
      case OP.close:
        executor.destroy();
        return true;
      default:
        return false;
    }
  };

  for (;;) {
    if (Atomics.load(control, CONTROL.stop) === 1) {
      if (blocking) {
        await Promise.race([executor.settled(), new Promise((resolve) => setTimeout(resolve, 2000))]);
        park();
      }
      return;
    }
    const head = Atomics.load(control, CONTROL.head) >>> 0;
    if (head === tail) {
      Atomics.store(control, CONTROL.asleep, 1);
      if (Atomics.load(control, CONTROL.head) >>> 0 === tail) {
        if (blocking) {
          if (Atomics.wait(control, CONTROL.head, tail | 0, 50) === 'timed-out') await tick();
        } else {
          // Not yet in the library's types that this compiles against.
          const atomics = Atomics as unknown as {
            waitAsync(array: Int32Array, at: number, value: number, ms: number): { async: boolean; value: unknown };
          };
          const waiting = atomics.waitAsync(control, CONTROL.head, tail | 0, 1000);
          if (waiting.async) await waiting.value;
        }
      }
      Atomics.store(control, CONTROL.asleep, 0);
      continue;
    }
    for (let batch = 0; tail !== head && batch < 64; batch++) {
      if (Atomics.load(control, CONTROL.stop) === 1) break;
      const o = tail & mask;
      const op = ring[o];
      const length = ring[o + 1];
      let closed = false;
      try {
        const outcome = run(op, o);
        closed = typeof outcome === 'boolean' ? outcome : await outcome;
      } catch (error) {
        thrown ??= { kind: 'internal', message: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) };
        if (op === OP.read) answer(0);
        if (op === OP.readAsync) reply(ring[o + 6], new Uint8Array(0));
        if (op === OP.endTiming) reply(ring[o + 2], new Uint8Array(0));
      }
      tail = (tail + length) >>> 0;
      if (closed) {
        // Answers that Dawn still owes come before the thread ends: one that comes while it is ended takes the process with it.
        if (blocking) await Promise.race([executor.settled(), new Promise((resolve) => setTimeout(resolve, 500))]);
        Atomics.store(control, CONTROL.tail, tail | 0);
        Atomics.store(control, CONTROL.state, STATE.closed);
        Atomics.notify(control, CONTROL.state);
        post({ closed: true });
        // Until it is ended, outside of Dawn.
        while (blocking) Atomics.wait(control, CONTROL.state, STATE.closed);
        return;
      }
      // Whoever gives work faster than the device does it waits here, or rather: the ring fills, and then the caller waits.
      for (let wait = executor.ready(); wait !== null && !hurry(); wait = executor.ready()) await wait;
    }
    Atomics.store(control, CONTROL.tail, tail | 0);
    if (Atomics.load(control, CONTROL.callerWaits) === 1) Atomics.notify(control, CONTROL.tail);
  }
}
