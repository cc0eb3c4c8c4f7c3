/** @file What a profiler found: sums by name and by module, a table, and a trace file for Chrome. */
import type { MemoryStats } from '../backend/contract.js';
import type { SpanKind } from './observing.js';
import type { MemorySample, Span } from './spans.js';
import { alignTable } from './text-table.js';

/** All spans of one name, or of one module, summed. Times in milliseconds. */
export interface ProfileRow {
  readonly name: string;
  readonly kind: SpanKind;
  readonly calls: number;
  /** In these spans and in nothing within them. All rows' `self` together are the wall time. */
  readonly self: number;
  /** In these spans with all within them; of spans within others of their name, only the outer ones count. */
  readonly total: number;
  /** Kernels launched in them, and the time of those. */
  readonly kernels: number;
  readonly kernelTime: number;
  /** On the device's own clock; null where it tells none. */
  readonly deviceTime: number | null;
  /** Bytes of buffers made and freed in them. */
  readonly allocated: number;
  readonly freed: number;
  /** Floating point operations of products and convolutions. */
  readonly flops: number;
}

export interface TableOptions {
  /** 'op' (kernels, nodes, modules by class, each a row), or 'module' (each module by its path, forward and backward together). Default 'op'. */
  readonly groupBy?: 'op' | 'module';
  /** Default 'self'. */
  readonly sortBy?: 'self' | 'total' | 'kernelTime' | 'calls' | 'kernels' | 'allocated' | 'flops' | 'name';
  /** How many rows. Default 30. */
  readonly limit?: number;
}

/** Sums that grow. */
type Sums = { -readonly [K in keyof ProfileRow]: ProfileRow[K] };

export class Profile {
  constructor(
    /** The whole time; what is in no other span is in it. */
    readonly root: Span,
    /** In the order of their ends. */
    readonly spans: readonly Span[],
    readonly memory: readonly MemorySample[],
    readonly devices: readonly { readonly id: string; readonly memory: MemoryStats }[],
  ) {}

  /** Milliseconds from start to stop. */
  get wallTime(): number {
    return this.root.total;
  }

  /** Milliseconds in kernels. On a device that computes later, the time that launching took. */
  get kernelTime(): number {
    return this.kernels.reduce((sum, s) => sum + s.total, 0);
  }

  /** The launches. */
  get kernels(): readonly Span[] {
    return this.spans.filter((s) => s.kind === 'kernel');
  }

  /** By name: kernels, nodes of the graph, classes of modules, and what was named with `recordFunction`. */
  byOp(): ProfileRow[] {
    return this.#sum((s) => `${s.kind} ${rowName(s)}`, rowName);
  }

  /** By module, each with the kernels of its forward and of the backward of what that made. */
  byModule(): ProfileRow[] {
    return this.#sum(
      (s) => s.path,
      (s) => (s.path === '' ? 'outside of modules' : s.path),
    );
  }

  #sum(keyOf: (s: Span) => string, nameOf: (s: Span) => string): ProfileRow[] {
    const rows = new Map<string, Sums>();
    for (const span of [...this.spans, this.root]) {
      const key = keyOf(span);
      let row = rows.get(key);
      if (row === undefined) {
        row = {
          name: nameOf(span),
          kind: key === span.path ? (key === '' ? 'user' : 'module') : span.kind,
          calls: 0,
          self: 0,
          total: 0,
          kernels: 0,
          kernelTime: 0,
          deviceTime: null,
          allocated: 0,
          freed: 0,
          flops: 0,
        };
        rows.set(key, row);
      }
      let outer = true;
      for (let p = span.parent; p !== null && outer; p = p.parent) outer = keyOf(p) !== key;
      if (outer) {
        row.calls++;
        row.total += span.total;
      }
      row.self += span.self;
      row.allocated += span.allocated;
      row.freed += span.freed;
      row.flops += span.flops;
    }
    for (const kernel of this.kernels) {
      // Each row once, though several spans of it are around the kernel.
      const around = new Set<string>();
      for (let s: Span | null = kernel; s !== null; s = s.parent) around.add(keyOf(s));
      for (const key of around) {
        const row = rows.get(key)!;
        row.kernels++;
        row.kernelTime += kernel.total;
        if (kernel.deviceTime !== null) row.deviceTime = (row.deviceTime ?? 0) + kernel.deviceTime;
      }
    }
    return [...rows.values()];
  }

  /** For a person to read. PyTorch: prof.key_averages().table(). */
  table({ groupBy = 'op', sortBy = 'self', limit = 30 }: TableOptions = {}): string {
    const rows = groupBy === 'op' ? this.byOp() : this.byModule();
    rows.sort((a, b) => (sortBy === 'name' ? (a.name < b.name ? -1 : 1) : b[sortBy] - a[sortBy]));
    const wall = this.wallTime;
    const device = rows.some((r) => r.deviceTime !== null);
    const head = [
      'Name',
      'Kind',
      'Self',
      'Self %',
      'Total',
      'Calls',
      'Kernels',
      'Kernel time',
      ...(device ? ['Device time'] : []),
      'Allocated',
      'Freed',
      'GFLOP',
    ];
    const lines = rows
      .slice(0, limit)
      .map((r) => [
        r.name,
        r.kind,
        milliseconds(r.self),
        `${((100 * r.self) / wall).toFixed(1)} %`,
        milliseconds(r.total),
        String(r.calls),
        String(r.kernels),
        milliseconds(r.kernelTime),
        ...(device ? [r.deviceTime === null ? '' : milliseconds(r.deviceTime)] : []),
        megabytes(r.allocated),
        megabytes(r.freed),
        r.flops === 0 ? '' : (r.flops / 1e9).toPrecision(3),
      ]);
    const left = rows.length - lines.length;
    const { length } = this.kernels;
    return [
      alignTable(head, lines, 2),
      ...(left > 0 ? [`… and ${left} more rows`] : []),
      `Wall time ${milliseconds(wall)}, in ${length} kernels ${milliseconds(this.kernelTime)} (${((100 * this.kernelTime) / wall).toFixed(1)} %)`,
      ...this.devices.map(
        (d) => `Memory on ${d.id}: ${megabytes(d.memory.bytes)} in ${d.memory.buffers} buffers, peak ${megabytes(d.memory.peakBytes)}`,
      ),
    ].join('\n');
  }

  /**
   * The trace as JSON text, for chrome://tracing and ui.perfetto.dev: spans of the host and launches of each device on lines of their own, memory as
   * curves. Write it to a file. PyTorch: prof.export_chrome_trace().
   */
  exportChromeTrace(): string {
    const devices = this.devices.map((d) => d.id);
    const thread = (s: Span): number => (s.device === null ? 0 : 1 + devices.indexOf(s.device));
    const events: object[] = [
      { ph: 'M', pid: 0, tid: 0, name: 'thread_name', args: { name: 'host' } },
      ...devices.map((id, i) => ({ ph: 'M', pid: 0, tid: i + 1, name: 'thread_name', args: { name: `kernels on ${id}` } })),
    ];
    for (const s of [this.root, ...this.spans]) {
      events.push({
        ph: 'X',
        pid: 0,
        tid: thread(s),
        name: s.name,
        cat: s.kind,
        ts: s.start * 1000,
        dur: s.total * 1000,
        args: {
          ...(s.path === '' ? {} : { module: s.path }),
          ...(s.shapes === null ? {} : { shapes: s.shapes }),
          ...(s.flops === 0 ? {} : { flops: s.flops }),
          ...(s.transferred === 0 ? {} : { bytes: s.transferred }),
          ...(s.deviceTime === null ? {} : { deviceMs: s.deviceTime }),
          ...(s.allocated === 0 ? {} : { allocatedBytes: s.allocated }),
        },
      });
    }
    for (const m of this.memory)
      events.push({ ph: 'C', pid: 0, name: `memory of ${m.device}`, ts: m.time * 1000, args: { bytes: m.bytes } });
    return JSON.stringify({ traceEvents: events, displayTimeUnit: 'ms' });
  }

  toString(): string {
    return this.table();
  }
}

/** The steps of a loop are one row, as PyTorch has them. */
const rowName = ({ name }: Span): string => (name.startsWith('ProfilerStep#') ? 'ProfilerStep*' : name);

const milliseconds = (ms: number): string =>
  ms < 1 ? `${(ms * 1000).toFixed(1)} µs` : ms < 1000 ? `${ms.toFixed(2)} ms` : `${(ms / 1000).toFixed(2)} s`;

const megabytes = (bytes: number): string =>
  bytes === 0
    ? ''
    : bytes < 1024
      ? `${bytes} B`
      : bytes < 1024 ** 2
        ? `${(bytes / 1024).toFixed(1)} KiB`
        : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
