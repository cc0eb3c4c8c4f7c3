/// <reference types="@webgpu/types" />
/** @file Layouts of bindings, and the groups that were made for them. Like the executor it travels as source text. */
import type { DeviceBuffer } from './allocator.js';
import type { ExecutorCounters } from './executor.js';

/** One for each count of buffers read and written. */
export interface BindingLayout {
  readonly group: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
  readonly cache: Map<number, unknown>;
}

export interface Bindings {
  /** `reads` read-only storage buffers, then `writes` read-write ones, then the parameters. */
  layout(reads: number, writes: number): BindingLayout;
  /** The group of the buffers whose ids are `ids[at]` and on. */
  group(layout: BindingLayout, ids: Uint32Array, at: number, count: number, buffers: ReadonlyMap<number, DeviceBuffer>): GPUBindGroup;
}

/** @param parameters A uniform buffer, of which a kernel sees `parameterBytes` from a dynamic offset on. */
export function createBindings(device: GPUDevice, parameters: GPUBuffer, parameterBytes: number, counters: ExecutorCounters): Bindings {
  const COMPUTE = 0x04;
  /** Groups kept at most: a loop that is left to the collector uses the buffers of many steps by turns. */
  const MAX_GROUPS = 8192;
  const layouts = new Map<number, BindingLayout>();
  let groupCount = 0;

  function layout(reads: number, writes: number): BindingLayout {
    const key = reads * 64 + writes;
    let found = layouts.get(key);
    if (found === undefined) {
      const entries: GPUBindGroupLayoutEntry[] = [];
      for (let binding = 0; binding < reads + writes; binding++)
        entries.push({ binding, visibility: COMPUTE, buffer: { type: binding < reads ? 'read-only-storage' : 'storage' } });
      entries.push({
        binding: reads + writes,
        visibility: COMPUTE,
        buffer: { type: 'uniform', hasDynamicOffset: true, minBindingSize: parameterBytes },
      });
      const group = device.createBindGroupLayout({ entries });
      found = { group, pipeline: device.createPipelineLayout({ bindGroupLayouts: [group] }), cache: new Map() };
      layouts.set(key, found);
    }
    return found;
  }

  /** Bind groups are found by the ids of their buffers, one level of maps each. */
  function group(of: BindingLayout, ids: Uint32Array, at: number, count: number, buffers: ReadonlyMap<number, DeviceBuffer>): GPUBindGroup {
    let level = of.cache;
    for (let i = 0; i < count - 1; i++) {
      let next = level.get(ids[at + i]) as Map<number, unknown> | undefined;
      if (next === undefined) level.set(ids[at + i], (next = new Map()));
      level = next;
    }
    const last = count === 0 ? -1 : ids[at + count - 1];
    let found = level.get(last) as GPUBindGroup | undefined;
    if (found === undefined) {
      if (++groupCount > MAX_GROUPS) {
        groupCount = 1;
        for (const other of layouts.values()) other.cache.clear();
        return group(of, ids, at, count, buffers);
      }
      counters.groups++;
      const entries: GPUBindGroupEntry[] = [];
      for (let binding = 0; binding < count; binding++)
        entries.push({ binding, resource: { buffer: buffers.get(ids[at + binding])!.gpu } });
      entries.push({ binding: count, resource: { buffer: parameters, size: parameterBytes } });
      found = device.createBindGroup({ layout: of.group, entries });
      level.set(last, found);
    }
    return found;
  }

  return { layout, group };
}
