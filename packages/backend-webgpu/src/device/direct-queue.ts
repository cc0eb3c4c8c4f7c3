/// <reference types="@webgpu/types" />
/** @file A device in this thread: commands go straight to it, and reads need an await. */
import { createExecutor, type Executor, type ExecutorCounters } from './executor.js';
import { PARTS } from './parts.js';
import { type AdapterFacts, DeviceFault, type DeviceQueue, FLAG_BUFFER } from './queue.js';

export class DirectQueue implements DeviceQueue {
  readonly synchronous = false;
  readonly #executor: Executor;

  constructor(
    device: GPUDevice,
    readonly facts: AdapterFacts,
  ) {
    this.#executor = createExecutor(device, FLAG_BUFFER, PARTS);
  }

  counters(): ExecutorCounters {
    return { ...this.#executor.counters };
  }

  createPipeline(id: number, reads: number, writes: number, label: string, code: string): void {
    this.#executor.createPipeline(id, reads, writes, label, code);
  }

  createBuffer(id: number, bytes: number): void {
    this.#executor.createBuffer(id, bytes);
  }

  destroyBuffer(id: number): void {
    this.#executor.destroyBuffer(id);
  }

  write(id: number, offset: number, bytes: Uint8Array): void {
    this.#executor.write(id, offset, bytes);
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
    this.#executor.dispatch(pipeline, x, y, z, ids, 0, count, words, 0, wordCount);
  }

  flush(): void {
    this.#executor.flush();
  }

  ready(): Promise<void> | null {
    return this.#executor.ready();
  }

  compileAside(on: boolean): void {
    this.#executor.compileAside(on);
  }

  beginTiming(): void {
    this.#executor.beginTiming();
  }

  async endTiming(): Promise<Float64Array> {
    try {
      return await this.#executor.endTiming();
    } catch (error) {
      throw new DeviceFault(this.#executor.takeFault() ?? { kind: 'internal', message: String(error) });
    }
  }

  async read(id: number, offset: number, length: number, flags: boolean): Promise<Uint8Array> {
    const bytes = await this.#executor.read(id, offset, length, flags, (view) => view.slice());
    const fault = this.#executor.takeFault();
    if (fault !== null) throw new DeviceFault(fault);
    return bytes;
  }

  readSync(): never {
    throw new Error('a device in this thread cannot be read at once');
  }

  destroyDevice(): void {
    this.#executor.destroy();
  }

  // oxlint-disable-next-line typescript/require-await -- the interface's other implementation waits for its worker
  async close(): Promise<void> {
    this.#executor.destroy();
  }
}
