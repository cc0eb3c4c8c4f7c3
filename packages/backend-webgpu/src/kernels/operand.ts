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
  /** Of a result: how many of the buffers, the first ones, are written. Default 1. */
  readonly writes?: number;
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
  /** Declares store; its first buffers are written. */
  readonly out: Operand;
}

/** How a result is bound: what it reads besides, and what it writes. */
export function resultBindings({ buffers, stored, writes = 1 }: Operand): {
  readonly reads: { readonly buffers: readonly WebGpuBuffer[]; readonly stored: readonly Stored[] };
  readonly writes: { readonly buffers: readonly WebGpuBuffer[]; readonly stored: readonly Stored[] };
} {
  return {
    reads: { buffers: buffers.slice(writes), stored: stored.slice(writes) },
    writes: { buffers: buffers.slice(0, writes), stored: stored.slice(0, writes) },
  };
}

/** The names of a result's bindings, of which those that are read begin at `first`, in the order that its `text` wants. */
export function resultNames(out: Operand, first: number): string[] {
  const { reads, writes } = resultBindings(out);
  const name = (i: number): string => `b${first + i}`;
  return [...writes.stored.map((_, i) => name(reads.stored.length + i)), ...reads.stored.map((_, i) => name(i))];
}

/** The names of the bindings: those of a, of b, of what a store reads; those that it writes are the last. */
export function bindingNames({ a, b, out }: Product): { a: string[]; b: string[]; out: string[] } {
  const at = (first: number, count: number): string[] => Array.from({ length: count }, (_, i) => `b${first + i}`);
  const n = a.stored.length + b.stored.length;
  return { a: at(0, a.stored.length), b: at(a.stored.length, b.stored.length), out: resultNames(out, n) };
}

/** What a product's kernel binds, as its source declares it. */
export function bindingTypes({ a, b, out }: Product): { reads: Stored[]; writes: readonly Stored[] } {
  const { reads, writes } = resultBindings(out);
  return { reads: [...a.stored, ...b.stored, ...reads.stored], writes: writes.stored };
}

export function bindResult(launcher: Launcher, out: Operand): void {
  const { reads, writes } = resultBindings(out);
  for (const buffer of reads.buffers) launcher.bind(buffer);
  for (const buffer of writes.buffers) launcher.bind(buffer);
}

export function bindOperands(launcher: Launcher, { a, b }: Product): void {
  launcher.begin();
  for (const operand of [a, b]) for (const buffer of operand.buffers) launcher.bind(buffer);
}

export function bindAll(launcher: Launcher, product: Product): void {
  bindOperands(launcher, product);
  bindResult(launcher, product.out);
}
