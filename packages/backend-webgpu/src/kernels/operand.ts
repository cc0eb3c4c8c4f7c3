/** @file What a matrix product is made of: how its operands are read and its elements stored. */
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import type { Launcher } from '../device/launcher.js';
import type { Parameters, Stored } from '../wgsl/source.js';

/**
 * A part of a product: what it binds, packs and declares. An operand `x` declares three functions, so that what depends on the row (column)
 * alone is computed once, and what depends on k alone once for four rows:
 * `x_outer(batch: u32, index: u32) -> vec4i`, `x_inner(batch: u32, k: u32) -> vec4i` and `x_at(outer: vec4i, inner: vec4i)`, the element.
 * The result declares `store(batch: u32, row: u32, column: u32, value)`.
 *
 * An operand with `fours` lies so that four neighbours can be loaded at once: neighbouring rows (columns) where it says 'outer', neighbouring k
 * where it says 'inner'. It declares `x_four(batch: u32, outer: u32, inner: u32) -> vec4` besides; the neighbours begin at a multiple of four.
 */
export interface Operand {
  readonly buffers: readonly WebGpuBuffer[];
  readonly stored: readonly Stored[];
  /** All that the source depends on. */
  readonly key: string;
  readonly fours?: 'outer' | 'inner' | undefined;
  /** Its elements are float16. */
  readonly halves?: boolean;
  pack(launcher: Launcher): void;
  /** The source of its function, and those that it needs. `bindings` are the names of its buffers. */
  text(parameters: Parameters, bindings: readonly string[]): string;
}

export interface Product {
  readonly label: string;
  readonly type: 'f32' | 'i32';
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  /** Declares a_outer (of a row), a_inner, a_at. */
  readonly a: Operand;
  /** Declares b_outer (of a column), b_inner, b_at. */
  readonly b: Operand;
  /** Do neighbouring rows of a (columns of b) lie closer together than neighbouring k? */
  readonly aRowsFast: boolean;
  readonly bColumnsFast: boolean;
  /** Declares store; its first buffer is written. */
  readonly out: Operand;
}

/** The names of the bindings: those of a, of b, of what a store reads; the result's is the last. */
export function bindingNames({ a, b, out }: Product): { a: string[]; b: string[]; out: string[] } {
  const at = (first: number, count: number): string[] => Array.from({ length: count }, (_, i) => `b${first + i}`);
  const n = a.stored.length + b.stored.length;
  const more = out.stored.length - 1;
  return { a: at(0, a.stored.length), b: at(a.stored.length, b.stored.length), out: [`b${n + more}`, ...at(n, more)] };
}

export function bindAll(launcher: Launcher, { a, b, out }: Product): void {
  launcher.begin();
  for (const operand of [a, b]) for (const buffer of operand.buffers) launcher.bind(buffer);
  for (const buffer of out.buffers.slice(1)) launcher.bind(buffer);
  launcher.bind(out.buffers[0]);
}
