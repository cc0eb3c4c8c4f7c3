/// <reference types="@webgpu/types" />
/**
 * @file The dispatch timer: how long each dispatch took on the device. Where the adapter has timestamps (`timestamp-query`) they are asked for at
 * both ends of a pass, of which each dispatch then gets one of its own. Elsewhere each dispatch is submitted alone, and what is measured is the
 * time to its completion. Like the executor it travels as source text.
 */

export interface DispatchTimer {
  /** Dispatches are timed now. */
  readonly on: boolean;
  /** By the device's own timestamps. */
  readonly precise: boolean;
  begin(): void;
  /** For the pass of the next dispatch. */
  pass(): GPUComputePassDescriptor;
  /** Where it is not precise: call when the dispatch was submitted. Resolves when it is done. */
  submitted(): Promise<void>;
  /** The milliseconds of each dispatch since `begin`. All was submitted. */
  end(): Promise<Float64Array>;
}

export function createDispatchTimer(device: GPUDevice): DispatchTimer {
  const QUERY_RESOLVE = 0x200;
  const COPY_SRC = 0x04;
  const COPY_DST = 0x08;
  const MAP_READ = 0x01;
  /** WebGPU's limit for one set. */
  const QUERIES = 4096;
  const precise = device.features.has('timestamp-query');
  let on = false;
  let count = 0;
  let sets: GPUQuerySet[] = [];
  let times: number[] = [];
  let last = 0;

  async function readSets(): Promise<Float64Array> {
    const result = new Float64Array(count);
    const bytes = QUERIES * 8;
    const resolved = device.createBuffer({ label: 'timestamps', size: bytes, usage: QUERY_RESOLVE | COPY_SRC });
    const staging = device.createBuffer({ label: 'timestamps to read', size: bytes, usage: MAP_READ | COPY_DST });
    for (let set = 0; set < sets.length; set++) {
      const first = (set * QUERIES) / 2;
      const here = Math.min(QUERIES / 2, count - first);
      const encoder = device.createCommandEncoder();
      encoder.resolveQuerySet(sets[set], 0, here * 2, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, here * 16);
      device.queue.submit([encoder.finish()]);
      // oxlint-disable-next-line no-await-in-loop -- one buffer for all, one set after the other
      await staging.mapAsync(MAP_READ, 0, here * 16);
      const stamps = new BigUint64Array(staging.getMappedRange(0, here * 16));
      // Nanoseconds. The specification allows a clock that jumps: no time is negative.
      for (let i = 0; i < here; i++) result[first + i] = Math.max(0, Number(BigInt.asIntN(64, stamps[2 * i + 1] - stamps[2 * i]))) / 1e6;
      staging.unmap();
      sets[set].destroy();
    }
    resolved.destroy();
    staging.destroy();
    return result;
  }

  return {
    get on() {
      return on;
    },
    precise,
    begin() {
      on = true;
      count = 0;
      for (const set of sets) set.destroy();
      sets = [];
      times = [];
    },
    pass() {
      const index = (count++ * 2) % QUERIES;
      if (!precise) return {};
      if (index === 0) sets.push(device.createQuerySet({ type: 'timestamp', count: QUERIES }));
      return { timestampWrites: { querySet: sets[sets.length - 1], beginningOfPassWriteIndex: index, endOfPassWriteIndex: index + 1 } };
    },
    submitted() {
      const index = count - 1;
      const at = performance.now();
      const done = Promise.race([device.queue.onSubmittedWorkDone(), device.lost]);
      return done.then(() => {
        const now = performance.now();
        times[index] = now - Math.max(at, last);
        last = now;
      });
    },
    async end() {
      on = false;
      if (precise) return readSets();
      await Promise.race([device.queue.onSubmittedWorkDone(), device.lost]);
      return Float64Array.from(times);
    },
  };
}
