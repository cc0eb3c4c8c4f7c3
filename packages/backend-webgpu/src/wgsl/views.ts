/**
 * @file Strided views in WGSL: an index of the iteration is taken apart into coordinates, and each view makes an offset of them. Sizes and
 * strides are parameters; only the rank is in the source, and ranks above 4 share one source.
 */
import type { View } from '@tessera/core/backend';
import type { Launcher } from '../device/launcher.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import type { Parameters } from './source.js';

export type GpuView = View<WebGpuBuffer>;

/** The most dims that one launch walks over. */
export const MAX_RANK = 8;

/** The rank that a source is generated for. */
export function sourceRank(rank: number): number {
  return rank <= 4 ? Math.max(1, rank) : rank <= 6 ? 6 : Math.max(MAX_RANK, rank);
}

/** Packs sizes, with leading ones up to `rank`. */
export function packShape(launcher: Launcher, shape: readonly number[], rank: number): void {
  for (let d = shape.length; d < rank; d++) launcher.word(1);
  for (let d = 0; d < shape.length; d++) launcher.word(shape[d]);
}

/** Packs an offset and strides, with leading zeros. */
export function packView(launcher: Launcher, offset: number, strides: readonly number[], rank: number): void {
  launcher.word(offset);
  for (let d = strides.length; d < rank; d++) launcher.word(0);
  for (let d = 0; d < strides.length; d++) launcher.word(strides[d]);
}

/** Statements that define coordinates `${name}0`, … (u32) of the row-major index `index`. `sizes` are expressions. */
export function coordinates(index: string, sizes: readonly string[], name: string): string {
  const rank = sizes.length;
  if (rank === 0) return '';
  if (rank === 1) return `let ${name}0 = ${index};`;
  const lines = [`var ${name}_ = ${index};`];
  for (let d = rank - 1; d > 0; d--) lines.push(`let ${name}${d} = ${name}_ % ${sizes[d]}; ${name}_ = ${name}_ / ${sizes[d]};`);
  lines.push(`let ${name}0 = ${name}_;`);
  return lines.join('\n');
}

/** The offset of a view at coordinates, a u32 expression. `strides` are i32 expressions. */
export function offsetAt(offset: string, strides: readonly string[], name: string): string {
  return `u32(${[offset, ...strides.map((stride, d) => `i32(${name}${d}) * ${stride}`)].join(' + ')})`;
}

/** Reads an offset and `rank` strides from the parameters. */
export function viewParameters(parameters: Parameters, rank: number): { offset: string; strides: string[] } {
  return { offset: parameters.i(), strides: parameters.ints(rank) };
}

/** Row-major, without gaps. Dims of size 1 may have any stride. */
export function isDense({ shape, strides }: GpuView): boolean {
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    if (shape[d] !== 1 && strides[d] !== step) return false;
    step *= shape[d];
  }
  return true;
}

export function sizeOf(shape: readonly number[]): number {
  let n = 1;
  for (let d = 0; d < shape.length; d++) n *= shape[d];
  return n;
}

/** One view after another over the same dims: neighbouring ones are merged where all views allow it. At least one dim stays. */
export function collapse(shape: readonly number[], ...strides: readonly (readonly number[])[]): { shape: number[]; strides: number[][] } {
  const sizes: number[] = [];
  const merged: number[][] = strides.map(() => []);
  for (let d = 0; d < shape.length; d++) {
    if (shape[d] === 1) continue;
    const last = sizes.length - 1;
    if (last >= 0 && strides.every((s, i) => merged[i][last] === s[d] * shape[d])) {
      sizes[last] *= shape[d];
      merged.forEach((s, i) => (s[last] = strides[i][d]));
    } else {
      sizes.push(shape[d]);
      merged.forEach((s, i) => s.push(strides[i][d]));
    }
  }
  if (sizes.length === 0) {
    sizes.push(1);
    merged.forEach((s) => s.push(0));
  }
  return { shape: sizes, strides: merged };
}
