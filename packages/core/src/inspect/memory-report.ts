/** @file What lives on the devices, and where it was made. PyTorch: torch.cuda.memory_stats, memory_summary. */
import type { MemoryStats } from '../backend/contract.js';
import { type DeviceLike, runtimes, toDevice } from '../plugin/runtime.js';
import type { DType } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import type { Storage } from '../tensor/storage.js';
import { alignTable } from './text-table.js';
import { liveTensors, tensorTracking } from './tensor-tracking.js';
import { checkOptions, type OptionNames } from '../options.js';

const MEMORY_REPORT_OPTIONS: OptionNames<{ readonly minAgeMs?: number; readonly limit?: number }> = { minAgeMs: true, limit: true };

/** Tensors that were made at one place in the code and still live. */
export interface TensorOrigin {
  /** The innermost line of the caller's code. */
  readonly at: string;
  /** All of its lines, the innermost first; none of the framework's own. */
  readonly stack: readonly string[];
  readonly count: number;
  /** Of their storages; one that several tensors share is counted at the first. Deferred values take none yet. */
  readonly bytes: number;
  readonly tensors: readonly {
    readonly shape: Shape;
    readonly dtype: DType;
    readonly device: string;
    readonly requiresGrad: boolean;
    readonly ageMs: number;
  }[];
}

export interface MemoryReport {
  readonly devices: readonly { readonly id: string; readonly memory: MemoryStats }[];
  /** The largest first. Empty unless `debug.tensors` was on when they were made. */
  readonly origins: readonly TensorOrigin[];
  /** As a table. */
  toString(): string;
}

/**
 * Bytes, buffers and peak of a device (by default the one that tensors are made on). PyTorch: torch.cuda.memory_stats.
 * @example memoryStats().bytes
 */
export const memoryStats = (device?: DeviceLike): MemoryStats => toDevice(device).memory();

const OWN = /[/\\](?:packages|node_modules[/\\]@tessera)[/\\](?:core|layers|optim|data|io|backend-[a-z]+)[/\\](?:src|dist)[/\\]/;

/** The lines of a stack that are not the framework's; all of them where nothing else is there. */
function callersOf(stack: string): string[] {
  const lines = stack
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^at |@/.test(line));
  const foreign = lines.filter((line) => !OWN.test(line) && !line.includes('node:internal'));
  return foreign.length > 0 ? foreign : lines;
}

/**
 * What lives now: each device's memory, and, for tensors that were made while `debug.tensors` was on, the places in the code that made them. What
 * should be gone and is not, is a leak: in a loop, `minAgeMs` leaves out what is in use.
 *
 * @example
 * debug.tensors = true;
 * for (let i = 0; i < 10; i++) await trainStep();
 * console.log(String(memoryReport({ minAgeMs: 1000 })));
 */
export function memoryReport(options: { readonly minAgeMs?: number; readonly limit?: number } = {}): MemoryReport {
  const { minAgeMs = 0, limit = 20 } = checkOptions('memoryReport', options, MEMORY_REPORT_OPTIONS);
  const devices = runtimes.current.devices.map((d) => ({ id: d.id, memory: d.memory() }));
  const now = performance.now();
  const groups = new Map<string, { stack: string[]; tensors: TensorOrigin['tensors'][number][]; bytes: number }>();
  const counted = new Set<Storage>();
  for (const { tensor, record } of liveTensors()) {
    const ageMs = now - record.time;
    if (ageMs < minAgeMs) continue;
    const stack = callersOf(record.stack);
    const key = stack.join('\n');
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { stack, tensors: [], bytes: 0 }));
    const { storage } = tensor;
    if (!counted.has(storage) && !tensor.isDeferred) group.bytes += storage.memory().bytes;
    counted.add(storage);
    group.tensors.push({ shape: tensor.shape, dtype: tensor.dtype, device: tensor.device.id, requiresGrad: tensor.requiresGrad, ageMs });
  }
  const origins = [...groups.values()]
    .map(({ stack, tensors, bytes }): TensorOrigin => ({ at: stack[0] ?? '(unknown)', stack, count: tensors.length, bytes, tensors }))
    .sort((a, b) => b.bytes - a.bytes || b.count - a.count);
  return { devices, origins, toString: () => reportText(devices, origins, limit) };
}

function reportText(devices: MemoryReport['devices'], origins: readonly TensorOrigin[], limit: number): string {
  const parts = [
    alignTable(
      ['Device', 'Bytes', 'Buffers', 'Pooled', 'Peak'],
      devices.map(({ id, memory }) => [id, ...[memory.bytes, memory.buffers, memory.pooledBytes, memory.peakBytes].map(String)]),
    ),
  ];
  if (origins.length > 0) {
    const total = origins.reduce((sum, o) => sum + o.count, 0);
    parts.push(
      `${total} live tensors, by where they were made:`,
      alignTable(
        ['Bytes', 'Tensors', 'The first', 'Made'],
        origins
          .slice(0, limit)
          .map((o) => [String(o.bytes), String(o.count), `${o.tensors[0]!.dtype}[${o.tensors[0]!.shape.join(', ')}]`, o.at]),
        4,
      ),
    );
    if (origins.length > limit) parts.push(`… and ${origins.length - limit} more places`);
  } else if (!tensorTracking.on) parts.push('Set debug.tensors = true before tensors are made, to see where they come from.');
  return parts.join('\n');
}
