/// <reference types="@webgpu/types" />
/**
 * @file The executor: what is done with a GPUDevice, call by call. It runs where the device lives: in the page, or in a worker that gets it as
 * source text. For that reason `createExecutor` uses nothing from outside of itself, types aside.
 */

/** Something that went wrong on the device, which the next read reports. */
export interface Fault {
  readonly kind: 'validation' | 'out-of-memory' | 'lost' | 'internal';
  readonly message: string;
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
export function createExecutor(device: GPUDevice, flagBuffer: number): Executor {
  const STORAGE = 0x80;
  const COPY_SRC = 0x04;
  const COPY_DST = 0x08;
  const MAP_READ = 0x01;
  const UNIFORM = 0x40;
  const COMPUTE = 0x04;
  /** A kernel sees this many bytes of parameters; slots begin at multiples of 256 and overlap where a kernel has fewer. */
  const WINDOW = 1024;
  const RING = 1 << 20;
  const FLAG_BYTES = 16;
  const MAX_GROUPS = 8192;
  const SUBMITS_A_HINT = 128;

  interface Layout {
    readonly group: GPUBindGroupLayout;
    readonly pipeline: GPUPipelineLayout;
    readonly cache: Map<number, unknown>;
  }
  interface Pipeline {
    readonly gpu: GPUComputePipeline;
    readonly layout: Layout;
  }
  interface Buffer {
    readonly gpu: GPUBuffer;
    /** The number of the submit that was open when it was last bound. */
    used: number;
  }

  const { queue } = device;
  const counters: ExecutorCounters = { dispatches: 0, submits: 0, pipelines: 0, buffers: 0, groups: 0, writes: 0, reads: 0 };
  const pipelines = new Map<number, Pipeline>();
  const buffers = new Map<number, Buffer>();
  const layouts = new Map<number, Layout>();
  const faults: Fault[] = [];
  let lost: Fault | null = null;
  let destroyed = false;
  let groupCount = 0;

  const ring = device.createBuffer({ label: 'parameters', size: RING + WINDOW, usage: UNIFORM | COPY_DST });
  const ringWords = new Uint32Array(RING / 4);
  /** Where the ring was filled to by the last submit, and where it is now; in bytes. */
  let submitted = 0;
  let filled = 0;

  let encoder: GPUCommandEncoder | null = null;
  let pass: GPUComputePassEncoder | null = null;
  let current = -1;
  const offsets = new Uint32Array(1);
  const staging: GPUBuffer[] = [];

  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault();
    const { error } = event;
    const name = error.constructor.name;
    const kind = name === 'GPUOutOfMemoryError' ? 'out-of-memory' : name === 'GPUValidationError' ? 'validation' : 'internal';
    if (faults.length < 8) faults.push({ kind, message: error.message });
  });
  void device.lost.then((info) => {
    lost = { kind: 'lost', message: `${info.reason}: ${info.message}` };
  });

  function layoutOf(reads: number, writes: number): Layout {
    const key = reads * 64 + writes;
    let layout = layouts.get(key);
    if (layout === undefined) {
      const entries: GPUBindGroupLayoutEntry[] = [];
      for (let binding = 0; binding < reads + writes; binding++)
        entries.push({ binding, visibility: COMPUTE, buffer: { type: binding < reads ? 'read-only-storage' : 'storage' } });
      entries.push({
        binding: reads + writes,
        visibility: COMPUTE,
        buffer: { type: 'uniform', hasDynamicOffset: true, minBindingSize: WINDOW },
      });
      const group = device.createBindGroupLayout({ entries });
      layout = { group, pipeline: device.createPipelineLayout({ bindGroupLayouts: [group] }), cache: new Map() };
      layouts.set(key, layout);
    }
    return layout;
  }

  function createBuffer(id: number, bytes: number): void {
    counters.buffers++;
    buffers.set(id, { gpu: device.createBuffer({ label: `buffer ${id}`, size: bytes, usage: STORAGE | COPY_SRC | COPY_DST }), used: -1 });
  }

  /**
   * Command buffers, passes and dropped groups are a few bytes to the engine and kilobytes to the driver, which frees them when their wrappers are
   * collected; in a worker that does little else nothing would ask for that. The array's size goes on the engine's account of external memory.
   */
  function hintCollector(): void {
    void new (ArrayBuffer as unknown as new (size: number, options: object) => ArrayBuffer)(1 << 26, { maxByteLength: 1 << 26 });
  }

  /** Bind groups are found by the ids of their buffers, one level of maps each. */
  function groupFor(layout: Layout, ids: Uint32Array, at: number, count: number): GPUBindGroup {
    let level = layout.cache;
    for (let i = 0; i < count - 1; i++) {
      let next = level.get(ids[at + i]) as Map<number, unknown> | undefined;
      if (next === undefined) level.set(ids[at + i], (next = new Map()));
      level = next;
    }
    const last = count === 0 ? -1 : ids[at + count - 1];
    let group = level.get(last) as GPUBindGroup | undefined;
    if (group === undefined) {
      if (++groupCount > MAX_GROUPS) {
        groupCount = 1;
        for (const other of layouts.values()) other.cache.clear();
        return groupFor(layout, ids, at, count);
      }
      counters.groups++;
      const entries: GPUBindGroupEntry[] = [];
      for (let binding = 0; binding < count; binding++)
        entries.push({ binding, resource: { buffer: buffers.get(ids[at + binding])!.gpu } });
      entries.push({ binding: count, resource: { buffer: ring, size: WINDOW } });
      group = device.createBindGroup({ layout: layout.group, entries });
      level.set(last, group);
    }
    return group;
  }

  function endPass(): void {
    if (pass !== null) {
      pass.end();
      pass = null;
      current = -1;
    }
  }

  function submit(): void {
    if (encoder === null) return;
    endPass();
    if (filled > submitted) queue.writeBuffer(ring, submitted, ringWords, submitted / 4, (filled - submitted) / 4);
    submitted = filled;
    queue.submit([encoder.finish()]);
    encoder = null;
    counters.submits++;
    if (counters.submits % SUBMITS_A_HINT === 0) hintCollector();
  }

  createBuffer(flagBuffer, FLAG_BYTES);

  return {
    counters,
    createPipeline(id, reads, writes, label, code) {
      counters.pipelines++;
      const layout = layoutOf(reads, writes);
      const module = device.createShaderModule({ label, code });
      pipelines.set(id, {
        layout,
        gpu: device.createComputePipeline({ label, layout: layout.pipeline, compute: { module, entryPoint: 'main' } }),
      });
    },
    createBuffer,
    destroyBuffer(id) {
      const buffer = buffers.get(id);
      if (buffer === undefined) return;
      if (encoder !== null && buffer.used === counters.submits) submit();
      buffer.gpu.destroy();
      buffers.delete(id);
    },
    write(id, offset, bytes) {
      const buffer = buffers.get(id)!;
      if (encoder !== null && buffer.used === counters.submits) submit();
      counters.writes++;
      queue.writeBuffer(buffer.gpu, offset, bytes as Uint8Array<ArrayBuffer>);
    },
    dispatch(pipeline, x, y, z, ids, idsAt, count, words, wordsAt, wordCount) {
      const entry = pipelines.get(pipeline)!;
      const bytes = Math.max(256, ((wordCount + 63) >> 6) << 8);
      if (filled + bytes > RING) {
        submit();
        filled = submitted = 0;
      }
      const group = groupFor(entry.layout, ids, idsAt, count);
      if (pass === null) {
        encoder ??= device.createCommandEncoder();
        pass = encoder.beginComputePass();
      }
      for (let i = 0; i < count; i++) buffers.get(ids[idsAt + i])!.used = counters.submits;
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
    },
    flush: submit,
    async read(id, offset, length, flags, use) {
      if (lost !== null || destroyed) return use(new Uint8Array(length + (flags ? FLAG_BYTES : 0)));
      counters.reads++;
      const size = length + (flags ? FLAG_BYTES : 0);
      let capacity = 4096;
      while (capacity < size) capacity *= 2;
      let at = staging.findIndex((buffer) => buffer.size === capacity);
      const target =
        at >= 0 ? staging.splice(at, 1)[0] : device.createBuffer({ label: 'staging', size: capacity, usage: MAP_READ | COPY_DST });
      encoder ??= device.createCommandEncoder();
      endPass();
      if (length > 0) encoder.copyBufferToBuffer(buffers.get(id)!.gpu, offset, target, 0, length);
      if (flags) {
        const { gpu } = buffers.get(flagBuffer)!;
        encoder.copyBufferToBuffer(gpu, 0, target, length, FLAG_BYTES);
        encoder.clearBuffer(gpu);
      }
      submit();
      try {
        await target.mapAsync(MAP_READ, 0, Math.max(size, 4));
      } catch (error) {
        target.destroy();
        if (lost === null && faults.length === 0) faults.push({ kind: 'internal', message: String(error) });
        return use(new Uint8Array(size));
      }
      const result = use(new Uint8Array(target.getMappedRange(0, Math.max(size, 4)), 0, size));
      target.unmap();
      staging.push(target);
      // Large ones are not kept beyond a few.
      while (staging.length > 8) staging.shift()!.destroy();
      at = staging.reduce((sum, buffer) => sum + buffer.size, 0);
      while (at > 1 << 26 && staging.length > 1) {
        const first = staging.shift()!;
        at -= first.size;
        first.destroy();
      }
      return result;
    },
    takeFault() {
      if (faults.length > 0) {
        const [first] = faults;
        faults.length = 0;
        return first;
      }
      return lost;
    },
    destroy() {
      destroyed = true;
      lost ??= { kind: 'lost', message: 'destroyed: the device was destroyed' };
      encoder = null;
      pass = null;
      device.destroy();
    },
  };
}
