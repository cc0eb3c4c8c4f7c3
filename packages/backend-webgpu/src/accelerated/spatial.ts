/** @file Convolution and pooling windows in WGSL, over one to three spatial dims: coordinates, strides, bounds. */
import type { Window } from '@tessera/core';
import type { Launcher } from '../device/launcher.js';
import type { Parameters } from '../wgsl/source.js';
import type { GpuView } from '../wgsl/views.js';

/** Window sizes as parameters: for each spatial dim kernel, stride, padding, dilation. */
export function packWindow(launcher: Launcher, kernel: readonly number[], { stride, padding, dilation }: Window): void {
  for (let d = 0; d < kernel.length; d++) launcher.word(kernel[d]).word(stride[d]).word(padding[d]).word(dilation[d]);
}

export interface WindowDim {
  readonly kernel: string;
  readonly stride: string;
  readonly padding: string;
  readonly dilation: string;
}

/** As i32 expressions. */
export function windowParameters(p: Parameters, dims: number): WindowDim[] {
  return Array.from({ length: dims }, () => ({ kernel: p.i(), stride: p.i(), padding: p.i(), dilation: p.i() }));
}

/** A view (N, C, …): offset, strides, spatial sizes. */
export function packImage(launcher: Launcher, { offset, strides, shape }: GpuView): void {
  launcher.word(offset).list(strides);
  for (let d = 2; d < shape.length; d++) launcher.word(shape[d]);
}

export interface ImageText {
  /** The place of (n, c, coordinates), which are i32 expressions, as a u32. */
  at(n: string, c: string, coordinates: readonly string[]): string;
  /** i32 expressions. */
  readonly sizes: readonly string[];
}

export function imageParameters(p: Parameters, dims: number): ImageText {
  const offset = p.i();
  const [sn, sc, ...strides] = p.ints(2 + dims);
  const sizes = p.ints(dims);
  return {
    sizes,
    at: (n, c, coordinates) => `u32(${[`${offset} + ${n} * ${sn} + ${c} * ${sc}`, ...coordinates.map((x, d) => `${x} * ${strides[d]}`)].join(' + ')})`,
  };
}

/** Statements that take a flat index (i32 expression) apart into `${name}0`, … over `sizes`; what is left over is `${name}`. */
export function unravel(index: string, sizes: readonly string[], name: string): string {
  const lines = [`var ${name} = ${index};`];
  for (let d = sizes.length - 1; d >= 0; d--) lines.push(`let ${name}${d} = ${name} % ${sizes[d]}; ${name} = ${name} / ${sizes[d]};`);
  return lines.join('\n');
}

export const named = (name: string, dims: number): string[] => Array.from({ length: dims }, (_, d) => `${name}${d}`);

/** For output coordinates and taps: the input's coordinates `${to}0`, …, and `inside`, whether all of them lie in the input. */
export function sourceText(out: readonly string[], taps: readonly string[], windows: readonly WindowDim[], sizes: readonly string[], to: string): string {
  const lines = out.map((o, d) => `let ${to}${d} = ${o} * ${windows[d].stride} - ${windows[d].padding} + ${taps[d]} * ${windows[d].dilation};`);
  const inside = sizes.map((size, d) => `${to}${d} >= 0 && ${to}${d} < ${size}`).join(' && ');
  return `${lines.join('\n')}\nlet inside = ${inside};`;
}

/** The reverse: for input coordinates and taps the output's `${to}0`, …, and `inside`, whether that window has this tap there. */
export function targetText(input: readonly string[], taps: readonly string[], windows: readonly WindowDim[], sizes: readonly string[], to: string): string {
  const lines = input.map(
    (x, d) =>
      `let ${to}s${d} = ${x} + ${windows[d].padding} - ${taps[d]} * ${windows[d].dilation}; let ${to}${d} = ${to}s${d} / ${windows[d].stride};`,
  );
  const inside = sizes
    .map((size, d) => `${to}s${d} >= 0 && ${to}s${d} == ${to}${d} * ${windows[d].stride} && ${to}${d} < ${size}`)
    .join(' && ');
  return `${lines.join('\n')}\nlet inside = ${inside};`;
}

/** Nested loops over the taps `t0`, … of a window. */
export function tapLoops(windows: readonly WindowDim[], body: string): string {
  return windows.reduceRight((text, { kernel }, d) => `for (var t${d} = 0; t${d} < ${kernel}; t${d}++) {\n${text}\n}`, body);
}
