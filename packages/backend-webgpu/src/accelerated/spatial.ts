/** @file Convolution and pooling windows in WGSL, over one to three spatial dims: coordinates, strides, bounds. */
import type { Window } from '@tessera/core/backend';
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
  /** i32 expressions. */
  readonly offset: string;
  readonly batchStride: string;
  readonly channelStride: string;
  readonly strides: readonly string[];
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
    offset,
    batchStride: sn,
    channelStride: sc,
    strides,
    sizes,
    at: (n, c, coordinates) =>
      `u32(${[`${offset} + ${n} * ${sn} + ${c} * ${sc}`, ...coordinates.map((x, d) => `${x} * ${strides[d]}`)].join(' + ')})`,
  };
}

/**
 * Statements that take a flat index (u32 expression) apart into `${name}0`, … (i32) over `sizes`; what is left over is `${name}`. Divisions of
 * unsigned integers are the cheaper ones.
 */
export function unravel(index: string, sizes: readonly string[], name: string): string {
  const lines = [`var ${name}_ = ${index};`];
  for (let d = sizes.length - 1; d >= 0; d--)
    lines.push(
      `let ${name}q${d} = ${name}_ / u32(${sizes[d]}); let ${name}${d} = i32(${name}_ - ${name}q${d} * u32(${sizes[d]})); ${name}_ = ${name}q${d};`,
    );
  lines.push(`let ${name} = i32(${name}_);`);
  return lines.join('\n');
}

export const named = (name: string, dims: number): string[] => Array.from({ length: dims }, (_, d) => `${name}${d}`);

/** What a loop over one dim of a window's taps finds: statements, and the condition on which it goes on. */
interface TapStep {
  readonly statements: string;
  readonly inside: string;
}

/** From an output's coordinate to the input's, `${to}${d}`, under tap t. */
export const sourceStep =
  (from: string, windows: readonly WindowDim[], sizes: readonly string[], to: string) =>
  (d: number): TapStep => {
    const { stride, padding, dilation } = windows[d];
    return {
      statements: `let ${to}${d} = ${from}${d} * ${stride} - ${padding} + t${d} * ${dilation};`,
      inside: `${to}${d} >= 0 && ${to}${d} < ${sizes[d]}`,
    };
  };

/** The reverse: from an input's coordinate to that of the output whose window has tap t there, if there is one. */
export const targetStep =
  (from: string, windows: readonly WindowDim[], sizes: readonly string[], to: string) =>
  (d: number): TapStep => {
    const { stride, padding, dilation } = windows[d];
    return {
      statements: `let reach${d} = ${from}${d} + ${padding} - t${d} * ${dilation}; let ${to}${d} = i32(u32(max(reach${d}, 0)) / u32(${stride}));`,
      inside: `reach${d} >= 0 && ${to}${d} < ${sizes[d]} && ${to}${d} * ${stride} == reach${d}`,
    };
  };

/** Nested loops over the taps `t0`, … of a window; each goes on inside only. */
export function tapLoops(windows: readonly WindowDim[], step: (d: number) => TapStep, body: string): string {
  return windows.reduceRight((text, { kernel }, d) => {
    const { statements, inside } = step(d);
    return `for (var t${d} = 0; t${d} < ${kernel}; t${d}++) {\n${statements}\nif (${inside}) {\n${text}\n}\n}`;
  }, body);
}
