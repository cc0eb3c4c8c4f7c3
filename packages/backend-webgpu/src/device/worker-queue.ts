/** @file The caller's side of the ring: a device that lives in a worker, whose results can be waited for. */
import type { ExecutorCounters } from './executor.js';
import type { Fault } from './faults.js';
import { CONTROL, CONTROL_BYTES, FAULT_BYTES, OP, PROTOCOL, type Shared, STATE } from './protocol.js';
import { type AdapterFacts, DeviceFault, type DeviceQueue, FLAG_BYTES } from './queue.js';

/** What there is to know of a worker, in Node or in a page. */
export interface WorkerHandle {
  /** The process stays alive for a pending read only. */
  ref(): void;
  unref(): void;
  terminate(): void | Promise<unknown>;
  /** Messages of the worker, once it serves. */
  onMessage(listener: (message: WorkerMessage) => void): void;
}

export interface WorkerMessage {
  readonly ticket?: number;
  readonly bytes?: Uint8Array;
  readonly fault?: Fault | null;
  readonly closed?: boolean;
}

interface Waiting {
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

const COUNTERS: readonly (keyof ExecutorCounters)[] = ['dispatches', 'submits', 'pipelines', 'buffers', 'groups', 'writes', 'reads'];
/** How long the end of a worker is waited for, in milliseconds. */
const PATIENCE = 60_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class WorkerQueue implements DeviceQueue {
  readonly synchronous = true;
  readonly #control: Int32Array;
  readonly #faultBytes: Uint8Array;
  readonly #ring: Uint32Array;
  readonly #ringBytes: Uint8Array;
  readonly #result: Uint8Array;
  readonly #mask: number;
  readonly #waiting = new Map<number, Waiting>();
  #head = 0;
  #tail = 0;
  #tickets = 0;
  #closed = false;

  /** @param canBlock May this thread wait in `Atomics.wait`? A page's main thread may not, and spins. */
  constructor(
    shared: Shared,
    readonly facts: AdapterFacts,
    private readonly worker: WorkerHandle,
    private readonly canBlock: boolean,
  ) {
    const { buffer, ringBytes, resultBytes } = shared;
    const header = PROTOCOL.HEADER;
    this.#control = new Int32Array(buffer, 0, CONTROL_BYTES / 4);
    this.#faultBytes = new Uint8Array(buffer, CONTROL_BYTES, FAULT_BYTES);
    this.#ring = new Uint32Array(buffer, header, ringBytes / 4);
    this.#ringBytes = new Uint8Array(buffer, header, ringBytes);
    this.#result = new Uint8Array(buffer, header + ringBytes, resultBytes);
    this.#mask = this.#ring.length - 1;
    worker.onMessage((message) => this.#receive(message));
  }

  counters(): ExecutorCounters {
    return Object.fromEntries(
      COUNTERS.map((name, i) => [name, Atomics.load(this.#control, CONTROL.counters + i)]),
    ) as unknown as ExecutorCounters;
  }

  createPipeline(id: number, reads: number, writes: number, label: string, code: string): void {
    const labelBytes = encoder.encode(label);
    const codeBytes = encoder.encode(code);
    const length = 7 + ((labelBytes.length + codeBytes.length + 3) >> 2);
    const o = this.#begin(OP.createPipeline, length);
    const ring = this.#ring;
    ring[o + 2] = id;
    ring[o + 3] = reads;
    ring[o + 4] = writes;
    ring[o + 5] = labelBytes.length;
    ring[o + 6] = codeBytes.length;
    this.#ringBytes.set(labelBytes, (o + 7) * 4);
    this.#ringBytes.set(codeBytes, (o + 7) * 4 + labelBytes.length);
    this.#publish(length);
  }

  createBuffer(id: number, bytes: number): void {
    this.#send(OP.createBuffer, id, bytes);
  }

  destroyBuffer(id: number): void {
    this.#send(OP.destroyBuffer, id, 0);
  }

  write(id: number, offset: number, bytes: Uint8Array): void {
    // The ring holds four pieces, so that one is copied while another is uploaded.
    const most = this.#ringBytes.length / 4;
    for (let start = 0; start < bytes.length; start += most) {
      const part = bytes.length <= most ? bytes : bytes.subarray(start, start + most);
      const length = 5 + ((part.length + 3) >> 2);
      const o = this.#begin(OP.write, length);
      const ring = this.#ring;
      ring[o + 2] = id;
      ring[o + 3] = offset + start;
      ring[o + 4] = part.length;
      this.#ringBytes.set(part, (o + 5) * 4);
      this.#publish(length);
    }
  }

  dispatch(
    pipeline: number,
    x: number,
    y: number,
    z: number,
    ids: Uint32Array,
    count: number,
    words: Uint32Array,
    wordCount: number,
  ): void {
    const length = 8 + count + wordCount;
    const o = this.#begin(OP.dispatch, length);
    const ring = this.#ring;
    ring[o + 2] = pipeline;
    ring[o + 3] = x;
    ring[o + 4] = y;
    ring[o + 5] = z;
    ring[o + 6] = count;
    ring[o + 7] = wordCount;
    for (let i = 0; i < count; i++) ring[o + 8 + i] = ids[i];
    const at = o + 8 + count;
    for (let i = 0; i < wordCount; i++) ring[at + i] = words[i];
    this.#publish(length);
  }

  flush(): void {
    this.#send(OP.flush, 0, 0);
  }

  ready(): null {
    return null;
  }

  compileAside(on: boolean): void {
    this.#send(OP.compileAside, on ? 1 : 0, 0);
  }

  beginTiming(): void {
    this.#send(OP.beginTiming, 0, 0);
  }

  async endTiming(): Promise<Float64Array> {
    const bytes = await this.#ask((ticket) => this.#send(OP.endTiming, ticket, 0));
    return new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
  }

  read(id: number, offset: number, length: number, flags: boolean): Promise<Uint8Array> {
    return this.#ask((ticket) => {
      const o = this.#begin(OP.readAsync, 7);
      this.#putRead(o, id, offset, length, flags);
      this.#ring[o + 6] = ticket;
      this.#publish(7);
    });
  }

  /** `send` sends a command, whose answer comes as a message with this ticket. */
  #ask(send: (ticket: number) => void): Promise<Uint8Array> {
    const ticket = ++this.#tickets;
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(this.#gone());
        return;
      }
      if (this.#waiting.size === 0) this.worker.ref();
      this.#waiting.set(ticket, { resolve, reject });
      send(ticket);
    });
  }

  readSync(id: number, offset: number, length: number, flags: boolean): Uint8Array {
    const most = this.#result.length - FLAG_BYTES;
    if (length <= most) return this.#readPart(id, offset, length, flags).slice();
    const all = new Uint8Array(length + (flags ? FLAG_BYTES : 0));
    for (let start = 0; start < length; start += most) {
      const size = Math.min(most, length - start);
      all.set(this.#readPart(id, offset + start, size, flags && start + size === length), start);
    }
    return all;
  }

  destroyDevice(): void {
    this.#send(OP.destroyDevice, 0, 0);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    Atomics.store(this.#control, CONTROL.closing, 1);
    this.#send(OP.close, 0, 0);
    this.#closed = true;
    // A worker that is ended while it is inside the driver takes the process with it, so this takes as long as the work that is pending.
    this.worker.ref();
    const end = performance.now() + PATIENCE;
    while (Atomics.load(this.#control, CONTROL.state) !== STATE.closed && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 2));
    for (const { reject } of this.#waiting.values()) reject(this.#gone());
    this.#waiting.clear();
    await this.worker.terminate();
  }

  /** For the end of the process: the worker must not be inside the driver then. Waits until it is parked. */
  park(milliseconds = PATIENCE): void {
    const control = this.#control;
    Atomics.store(control, CONTROL.stop, 1);
    Atomics.notify(control, CONTROL.head);
    const end = performance.now() + milliseconds;
    for (;;) {
      const state = Atomics.load(control, CONTROL.state);
      if (state === STATE.parked || state === STATE.closed || performance.now() > end) return;
      Atomics.wait(control, CONTROL.state, state, 20);
    }
  }

  /** A view on the result area. */
  #readPart(id: number, offset: number, length: number, flags: boolean): Uint8Array {
    const control = this.#control;
    const before = Atomics.load(control, CONTROL.answer);
    const o = this.#begin(OP.read, 6);
    this.#putRead(o, id, offset, length, flags);
    this.#publish(6);
    while (Atomics.load(control, CONTROL.answer) === before) {
      if (this.canBlock) Atomics.wait(control, CONTROL.answer, before, 1000);
      if (Atomics.load(control, CONTROL.state) !== STATE.running) throw this.#gone();
    }
    const size = Atomics.load(control, CONTROL.answerLength);
    if (Atomics.load(control, CONTROL.answerStatus) !== 0) {
      throw new DeviceFault(JSON.parse(decoder.decode(this.#faultBytes.slice(0, size))) as Fault);
    }
    return this.#result.subarray(0, size);
  }

  #putRead(o: number, id: number, offset: number, length: number, flags: boolean): void {
    const ring = this.#ring;
    ring[o + 2] = id;
    ring[o + 3] = offset;
    ring[o + 4] = length;
    ring[o + 5] = flags ? 1 : 0;
  }

  #send(op: number, a: number, b: number): void {
    const o = this.#begin(op, 4);
    this.#ring[o + 2] = a;
    this.#ring[o + 3] = b;
    this.#publish(4);
  }

  /** Room for a command of `length` words in one piece; answers where it begins. */
  #begin(op: number, length: number): number {
    const ring = this.#ring;
    const o = this.#head & this.#mask;
    const left = ring.length - o;
    const need = length > left ? length + left : length;
    if ((this.#head + need - this.#tail) >>> 0 > ring.length) this.#waitForRoom(need);
    let at = o;
    if (length > left) {
      ring[o] = OP.wrap;
      ring[o + 1] = left;
      this.#head = (this.#head + left) >>> 0;
      at = 0;
    }
    ring[at] = op;
    ring[at + 1] = length;
    return at;
  }

  #waitForRoom(need: number): void {
    const control = this.#control;
    for (;;) {
      this.#tail = Atomics.load(control, CONTROL.tail) >>> 0;
      if ((this.#head + need - this.#tail) >>> 0 <= this.#ring.length) return;
      if (Atomics.load(control, CONTROL.state) !== STATE.running) throw this.#gone();
      if (!this.canBlock) continue;
      Atomics.store(control, CONTROL.callerWaits, 1);
      Atomics.wait(control, CONTROL.tail, this.#tail | 0, 50);
      Atomics.store(control, CONTROL.callerWaits, 0);
    }
  }

  #publish(length: number): void {
    this.#head = (this.#head + length) >>> 0;
    Atomics.store(this.#control, CONTROL.head, this.#head | 0);
    if (Atomics.load(this.#control, CONTROL.asleep) === 1) Atomics.notify(this.#control, CONTROL.head, 1);
  }

  #receive({ ticket, bytes, fault }: WorkerMessage): void {
    if (ticket === undefined) return;
    const waiting = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    if (this.#waiting.size === 0) this.worker.unref();
    if (fault) waiting?.reject(new DeviceFault(fault));
    else waiting?.resolve(bytes!);
  }

  #gone(): DeviceFault {
    return new DeviceFault({ kind: 'lost', message: 'the worker that owned the device has ended' });
  }
}
