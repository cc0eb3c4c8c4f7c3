/** @file The recorder: an observer that writes spans down, with the kernels and the memory of each. */
import type { View } from '../backend/contract.js';
import { GradNode, latestSequence } from '../autograd/node.js';
import type { Module } from '../module/module.js';
import { namedModules } from '../module/traversal.js';
import type { Device } from '../plugin/device.js';
import { isTensor } from '../tensor/tensor.js';
import type { BackendListener } from './measured-backend.js';
import { flopsOf, type KernelListener } from './measured-kernels.js';
import type { Observer, SpanKind } from './observing.js';
import { type MemorySample, Span } from './spans.js';

export interface RecorderOptions {
  readonly exactModules: boolean;
  readonly recordShapes: boolean;
}

/** From this number of a node on, nodes belong to a module. */
interface Turn {
  readonly sequence: number;
  readonly path: string;
}

export class Recorder implements Observer, KernelListener, BackendListener {
  readonly spans: Span[] = [];
  readonly samples: MemorySample[] = [];
  readonly root: Span;
  readonly #origin: number;
  readonly #options: RecorderOptions;
  readonly #bytes = new Map<string, number>();
  /** Modules that are being called, the outermost first, with their paths. */
  readonly #modules: { readonly module: Module; readonly path: string }[] = [];
  readonly #names = new WeakMap<Module, ReadonlyMap<Module, string>>();
  readonly #turns: Turn[] = [];
  #top: Span;
  #kernelStart = 0;
  /** The span of the step that a loop is in. */
  #step: Span | null = null;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#origin = performance.now();
    this.root = this.#top = new Span('user', 'outside of all', '', 0, null);
    this.#turns.push({ sequence: latestSequence(), path: '' });
  }

  now(): number {
    return performance.now() - this.#origin;
  }

  // ── spans ──

  enter(kind: SpanKind, name: string, subject?: unknown): void {
    let { path } = this.#top;
    if (kind === 'module') path = this.#enterModule(subject as Module, name);
    else if (kind === 'node' && subject instanceof GradNode) path = this.#ownerOf(subject.sequence);
    this.#top = new Span(kind, name, path, this.now(), this.#top);
  }

  exit(result?: unknown): void {
    const span = this.#top;
    if (span.parent === null) return;
    if (span.kind === 'module') {
      if (this.#options.exactModules) realizeAll(result);
      this.#modules.pop();
      this.#turn(this.#modules.at(-1)?.path ?? '');
    }
    this.#close(span);
    this.#top = span.parent;
  }

  /** A step of a loop is over, with all that is open in it, and the next begins. */
  step(number: number): void {
    const step = this.#step;
    if (step !== null && this.#isOpen(step)) {
      while (this.#top !== step) this.exit();
      this.exit();
    }
    this.enter('user', `ProfilerStep#${number}`);
    this.#step = this.#top;
  }

  #isOpen(span: Span): boolean {
    for (let s: Span | null = this.#top; s !== null; s = s.parent) if (s === span) return true;
    return false;
  }

  #close(span: Span): void {
    span.end = this.now();
    span.parent!.inner += span.total;
    this.spans.push(span);
  }

  /** Ends what is open, the profile itself at last. */
  finish(): void {
    while (this.#top.parent !== null) this.exit();
    this.root.end = this.now();
  }

  // ── modules ──

  /** Answers the path of a module within the outermost one that is being called. */
  #enterModule(module: Module, type: string): string {
    const outermost = this.#modules[0];
    let path = type;
    if (outermost !== undefined) {
      let names = this.#names.get(outermost.module);
      if (names === undefined) this.#names.set(outermost.module, (names = new Map(namedModules(outermost.module).map(([n, m]) => [m, n]))));
      // A module that is in no field, such as one made on the way, is shown under the one that called it.
      const name = names.get(module) ?? `${this.#modules.at(-1)!.path}.?`;
      path = `${outermost.path}.${name} (${type})`;
    }
    this.#modules.push({ module, path });
    this.#turn(path);
    return path;
  }

  #turn(path: string): void {
    this.#turns.push({ sequence: latestSequence(), path });
  }

  /** The module whose forward made the node of this number: the last turn before it. */
  #ownerOf(sequence: number): string {
    const turns = this.#turns;
    let low = 0;
    let high = turns.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (turns[middle]!.sequence < sequence) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? '' : turns[low - 1]!.path;
  }

  // ── kernels ──

  begin(): void {
    this.#kernelStart = this.now();
  }

  end(device: Device, kernel: string, views: readonly View[], declined: boolean): void {
    if (declined) return;
    const shapes = this.#options.recordShapes ? views.map((v) => [...v.shape]) : null;
    const span = new Span('kernel', kernel, this.#top.path, this.#kernelStart, this.#top, device.id, shapes);
    span.flops = flopsOf(kernel, views);
    this.#close(span);
  }

  // ── copies between the host and devices ──

  beginTransfer(): void {
    this.#kernelStart = this.now();
  }

  endTransfer(device: Device, name: 'read' | 'write', bytes: number): void {
    const span = new Span('transfer', name, this.#top.path, this.#kernelStart, this.#top, device.id);
    span.transferred = bytes;
    this.#close(span);
  }

  // ── memory ──

  memory(device: Device, bytes: number): void {
    if (bytes > 0) this.#top.allocated += bytes;
    else this.#top.freed -= bytes;
    const total = (this.#bytes.get(device.id) ?? device.memory().bytes) + bytes;
    this.#bytes.set(device.id, total);
    this.samples.push({ time: this.now(), device: device.id, bytes: total });
  }

  /** What was in use on a device when the profile began. */
  memoryBefore(device: Device): void {
    this.#bytes.set(device.id, device.memory().bytes);
  }
}

/** Computes what a module returned, so that its kernels are launched within it. */
function realizeAll(x: unknown, depth = 0): void {
  if (isTensor(x)) {
    if (!x.isDisposed) x.realize();
  } else if (Array.isArray(x) && depth < 4) for (const y of x) realizeAll(y, depth + 1);
}
