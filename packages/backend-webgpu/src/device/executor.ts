/// <reference types="@webgpu/types" />
/**
 * @file The executor: what is done with a GPUDevice, call by call. It runs where the device lives: in the page, or in a worker that gets it as
 * source text. For that reason `createExecutor` uses nothing from outside of itself, types aside; its parts are handed to it.
 */
import type { createAllocator, DeviceBuffer } from './allocator.js';
import type { createBindings } from './bindings.js';
import type { createCompiler } from './compiler.js';
import type { createDispatchTimer } from './dispatch-timer.js';
import type { createFaults, Fault } from './faults.js';
import type { createPacer } from './pacer.js';
import type { createStaging } from './staging.js';

/** What an executor is made of besides; see parts.ts. */
export interface ExecutorParts {
  readonly createAllocator: typeof createAllocator;
  readonly createBindings: typeof createBindings;
  readonly createCompiler: typeof createCompiler;
  readonly createFaults: typeof createFaults;
  readonly createStaging: typeof createStaging;
  readonly createPacer: typeof createPacer;
  readonly createDispatchTimer: typeof createDispatchTimer;
}

/** What was done so far. */
export interface ExecutorCounters {
  dispatches: number;
  submits: number;
  pipelines: number;
  buffers: number;
  groups: number;
  writes: number;
  reads: number;
}

export interface Executor {
  readonly counters: ExecutorCounters;
  /** Its bindings: `reads` read-only storage buffers, then `writes` read-write ones, then the parameters. */
  createPipeline(id: number, reads: number, writes: number, label: string, code: string): void;
  createBuffer(id: number, bytes: number): void;
  destroyBuffer(id: number): void;
  /** Offset and length are multiples of 4. Takes effect after all that was dispatched before. */
  write(id: number, offset: number, bytes: Uint8Array): void;
  /** `ids` and `words` are read from `idsAt` and `wordsAt` on and not kept. */
  dispatch(
    pipeline: number,
    x: number,
    y: number,
    z: number,
    ids: Uint32Array,
    idsAt: number,
    count: number,
    words: Uint32Array,
    wordsAt: number,
    wordCount: number,
  ): void;
  /** Submits what was dispatched. */
  flush(): void;
  /** Null where the device keeps up; else a promise of some progress, after which to ask again. Who can wait, waits before giving more. */
  ready(): Promise<void> | null;
  /** Resolves when the questions to the device about its progress are answered. */
  settled(): Promise<unknown>;
  /** From now on pipelines are compiled aside, several at a time; what comes after in the order of commands waits until all are there. */
  compileAside(on: boolean): void;
  /** From now on each dispatch is timed. */
  beginTiming(): void;
  /** Ends that: the milliseconds of each dispatch. */
  endTiming(): Promise<Float64Array>;
  /** `length` bytes of a buffer, and after them the 16 bytes of the flags when `flags` is set, which are cleared. `use` may not keep the view. */
  read<T>(id: number, offset: number, length: number, flags: boolean, use: (bytes: Uint8Array) => T): Promise<T>;
  /** The first fault since the last call, if any. A lost device stays lost. */
  takeFault(): Fault | null;
  destroy(): void;
}

/**
 * Many dispatches go into one pass and one submit; parameters go through a ring of uniforms with dynamic offsets, written once a submit;
 * bind groups and staging buffers are kept.
 *
 * @param flagBuffer The id of the buffer (made here) in which kernels raise flags.
 */
export function createExecutor(device: GPUDevice, flagBuffer: number, parts: ExecutorParts): Executor {
  const COPY_DST = 0x08;
  const MAP_READ = 0x01;
  const UNIFORM = 0x40;
  /** A kernel sees this many bytes of parameters; slots begin at multiples of 256 and overlap where a kernel has fewer. */
  const WINDOW = 1024;
  const RING = 1 << 20;
  const FLAG_BYTES = 16;

  const { queue } = device;
  const counters: ExecutorCounters = { dispatches: 0, submits: 0, pipelines: 0, buffers: 0, groups: 0, writes: 0, reads: 0 };
  const buffers = new Map<number, DeviceBuffer>();
  let destroyed = false;

  const ring = device.createBuffer({ label: 'parameters', size: RING + WINDOW, usage: UNIFORM | COPY_DST });
  const ringWords = new Uint32Array(RING / 4);
  /** Where the ring was filled to by the last submit, and where it is now; in bytes. */
  let submitted = 0;
  let filled = 0;

  const faults = parts.createFaults(device);
  const compiler = parts.createCompiler(device, faults);
  const inOrder = (command: () => void): void => compiler.inOrder(command);
  const allocator = parts.createAllocator(device);
  const bindings = parts.createBindings(device, ring, WINDOW, counters);
  const staging = parts.createStaging(device);
  const pacer = parts.createPacer(device);
  const timer = parts.createDispatchTimer(device);
  let timing: Promise<void> | null = null;

  let encoder: GPUCommandEncoder | null = null;
  let pass: GPUComputePassEncoder | null = null;
  let current = -1;
  const offsets = new Uint32Array(1);

  function createBuffer(id: number, bytes: number): void {
    counters.buffers++;
    buffers.set(id, allocator.create(id, bytes));
  }

  function endPass(): void {
    if (pass !== null) {
      pass.end();
      pass = null;
      current = -1;
    }
  }

  /** What it gets up to its submit is asked about. */
  function openEncoder(): GPUCommandEncoder {
    if (encoder !== null) return encoder;
    faults.begin();
    return (encoder = device.createCommandEncoder());
  }

  function submit(): void {
    if (encoder === null) return;
    endPass();
    if (filled > submitted) queue.writeBuffer(ring, submitted, ringWords, submitted / 4, (filled - submitted) / 4);
    submitted = filled;
    queue.submit([encoder.finish()]);
    faults.end();
    encoder = null;
    counters.submits++;
    pacer.submitted(counters.submits);
  }

  function dispatch(
    pipeline: number,
    x: number,
    y: number,
    z: number,
    ids: Uint32Array,
    idsAt: number,
    count: number,
    words: Uint32Array,
    wordsAt: number,
    wordCount: number,
  ): void {
    const entry = compiler.find(pipeline);
    if (entry === undefined) return;
    const bytes = Math.max(256, ((wordCount + 63) >> 6) << 8);
    if (filled + bytes > RING) {
      submit();
      filled = submitted = 0;
    }
    const commands = openEncoder();
    const group = bindings.group(entry.layout, ids, idsAt, count, buffers);
    if (timer.on) endPass();
    pass ??= timer.on ? commands.beginComputePass(timer.pass()) : commands.beginComputePass();
    for (let i = 0; i < count; i++) {
      const buffer = buffers.get(ids[idsAt + i])!;
      buffer.used = counters.submits;
      buffer.user ??= entry.label;
    }
    const at = filled >> 2;
    for (let i = 0; i < wordCount; i++) ringWords[at + i] = words[wordsAt + i];
    if (current !== pipeline) {
      pass.setPipeline(entry.gpu);
      current = pipeline;
    }
    offsets[0] = filled;
    pass.setBindGroup(0, group, offsets, 0, 1);
    pass.dispatchWorkgroups(x, y, z);
    filled += bytes;
    counters.dispatches++;
    if (timer.on) {
      endPass();
      if (!timer.precise) {
        submit();
        timing = timer.submitted().then(() => {
          timing = null;
        });
      }
    }
  }

  /** Encodes and submits the copy to a staging buffer. */
  function copyOut(id: number, offset: number, length: number, flags: boolean): GPUBuffer {
    const size = length + (flags ? FLAG_BYTES : 0);
    const target = staging.take(size);
    const commands = openEncoder();
    endPass();
    if (length > 0) commands.copyBufferToBuffer(buffers.get(id)!.gpu, offset, target, 0, length);
    if (flags) {
      const { gpu } = buffers.get(flagBuffer)!;
      commands.copyBufferToBuffer(gpu, 0, target, length, FLAG_BYTES);
      commands.clearBuffer(gpu);
    }
    submit();
    return target;
  }

  /** When what was asked so far is answered. */
  async function settled(): Promise<void> {
    await faults.settled();
    await allocator.settled();
  }

  createBuffer(flagBuffer, FLAG_BYTES);

  return {
    counters,
    createPipeline(id, reads, writes, label, code) {
      counters.pipelines++;
      compiler.create(id, bindings.layout(reads, writes), label, code);
    },
    createBuffer,
    destroyBuffer(id) {
      inOrder(() => {
        const buffer = buffers.get(id);
        if (buffer === undefined) return;
        if (encoder !== null && buffer.used === counters.submits) submit();
        buffer.gpu.destroy();
        buffers.delete(id);
      });
    },
    write(id, offset, bytes) {
      const data = compiler.pending === 0 ? bytes : bytes.slice();
      inOrder(() => {
        const buffer = buffers.get(id)!;
        if (encoder !== null && buffer.used === counters.submits) submit();
        counters.writes++;
        buffer.user ??= 'a write';
        queue.writeBuffer(buffer.gpu, offset, data as Uint8Array<ArrayBuffer>);
      });
    },
    dispatch(pipeline, x, y, z, ids, idsAt, count, words, wordsAt, wordCount) {
      if (compiler.pending === 0) {
        dispatch(pipeline, x, y, z, ids, idsAt, count, words, wordsAt, wordCount);
        return;
      }
      const [ownIds, ownWords] = [ids.slice(idsAt, idsAt + count), words.slice(wordsAt, wordsAt + wordCount)];
      inOrder(() => dispatch(pipeline, x, y, z, ownIds, 0, count, ownWords, 0, wordCount));
    },
    flush: () => inOrder(submit),
    ready: () => timing ?? pacer.ready(counters.submits),
    settled: () => Promise.all([pacer.settled(), settled()]),
    compileAside(on) {
      compiler.aside = on;
    },
    beginTiming() {
      inOrder(() => {
        endPass();
        timer.begin();
      });
    },
    async endTiming() {
      await new Promise<void>((resolve) => inOrder(resolve));
      submit();
      if (faults.isLost()) throw new Error('the device is lost');
      return timer.end();
    },
    async read(id, offset, length, flags, use) {
      const size = length + (flags ? FLAG_BYTES : 0);
      if (faults.isLost() || destroyed) return use(new Uint8Array(size));
      counters.reads++;
      const target =
        compiler.pending === 0
          ? copyOut(id, offset, length, flags)
          : await new Promise<GPUBuffer>((resolve) => inOrder(() => resolve(copyOut(id, offset, length, flags))));
      try {
        await target.mapAsync(MAP_READ, 0, Math.max(size, 4));
        await settled();
      } catch (error) {
        target.destroy();
        await settled();
        // A device that is lost says so before or after what waits for it fails.
        if (faults.none()) await Promise.race([device.lost, new Promise((resolve) => setTimeout(resolve, 100))]);
        if (faults.none()) faults.add({ kind: 'internal', message: String(error) });
        return use(new Uint8Array(size));
      }
      const result = use(new Uint8Array(target.getMappedRange(0, Math.max(size, 4)), 0, size));
      target.unmap();
      staging.give(target);
      return result;
    },
    takeFault() {
      // What fails for want of memory fails again wherever it is used.
      const first = faults.take();
      return allocator.takeFault() ?? first;
    },
    destroy() {
      destroyed = true;
      faults.lose('destroyed: the device was destroyed');
      encoder = null;
      pass = null;
      device.destroy();
    },
  };
}
