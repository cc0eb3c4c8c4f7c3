/** @file Which buffers a kernel binds: each once, however many views look at it, those that are only read first. */
import type { Stored } from '../wgsl/source.js';
import { storedAs } from '../wgsl/elements.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';

export class Bindings {
  readonly buffers: WebGpuBuffer[] = [];
  readonly reads: Stored[] = [];
  readonly writes: Stored[] = [];
  /** For each input, then each output, its place among the bindings. */
  readonly places: number[] = [];

  /** @param words Outputs that are bound as words, whatever their buffer's dtype. */
  constructor(inputs: readonly WebGpuBuffer[], outputs: readonly WebGpuBuffer[], words: ReadonlySet<WebGpuBuffer> = new Set()) {
    for (const buffer of inputs) {
      if (outputs.includes(buffer) || this.buffers.includes(buffer)) continue;
      this.buffers.push(buffer);
      this.reads.push(storedAs(buffer.dtype));
    }
    for (const buffer of outputs) {
      if (this.buffers.includes(buffer)) continue;
      this.buffers.push(buffer);
      this.writes.push(words.has(buffer) ? 'u32' : storedAs(buffer.dtype));
    }
    for (const buffer of inputs) this.places.push(this.buffers.indexOf(buffer));
    for (const buffer of outputs) this.places.push(this.buffers.indexOf(buffer));
  }

  /** What of it a source depends on. */
  get key(): string {
    return `${this.places.join()}:${this.reads.join()}:${this.writes.join()}`;
  }
}
