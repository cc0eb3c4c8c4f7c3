/** @file What a profiler writes down: spans of time within each other, each with its kernels and memory. */
import type { SpanKind } from './observing.js';

/** A span of time that was spent on one thing. Times are in milliseconds since the profile began. */
export class Span {
  end = 0;
  /** Time in spans directly within it. */
  inner = 0;
  /** Bytes of buffers that were made while it was the innermost, and of those that were freed. */
  allocated = 0;
  freed = 0;
  /** Floating point operations, where they are known from the shapes: products and convolutions. */
  flops = 0;
  /** Bytes that were copied between the host and a device. */
  transferred = 0;
  /** The device's own time for a kernel that runs after its call; null where that is not known. */
  deviceTime: number | null = null;

  constructor(
    readonly kind: SpanKind,
    readonly name: string,
    /** The module that it belongs to, as a path from the outermost one: `Net.encoder.0 (Linear)`. '' outside of all. */
    readonly path: string,
    readonly start: number,
    readonly parent: Span | null,
    readonly device: string | null = null,
    /** Sizes of what a kernel read and wrote. */
    readonly shapes: readonly (readonly number[])[] | null = null,
  ) {}

  /** Milliseconds. */
  get total(): number {
    return this.end - this.start;
  }

  /** Milliseconds in it and in nothing within it. */
  get self(): number {
    return this.total - this.inner;
  }
}

/** A device's memory at some time. */
export interface MemorySample {
  readonly time: number;
  readonly device: string;
  readonly bytes: number;
}
