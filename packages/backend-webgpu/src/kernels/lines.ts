/** @file Lines: all the places of a shape that differ in one dim only. Kernels along a dim run once for each. */
import { collapse, coordinates, type GpuView, offsetAt, packShape, sizeOf, sourceRank } from '../wgsl/views.js';
import type { Launcher } from '../device/launcher.js';
import type { Parameters } from '../wgsl/source.js';

export interface Lines {
  /** Sizes of the other dims, merged where all views allow it. */
  readonly shape: readonly number[];
  readonly rank: number;
  readonly count: number;
  /** For each view: offset, strides over the other dims, stride along the dim. */
  readonly views: readonly { readonly offset: number; readonly strides: readonly number[]; readonly step: number }[];
}

/** The lines of several views along `dim`; their sizes may differ there only. */
export function linesOf(dim: number, views: readonly GpuView[]): Lines {
  const others = views[0].shape.filter((_, d) => d !== dim);
  const { shape, strides } = collapse(others, ...views.map((view) => view.strides.filter((_, d) => d !== dim)));
  return {
    shape,
    rank: sourceRank(shape.length),
    count: sizeOf(shape),
    views: views.map((view, i) => ({ offset: view.offset, strides: strides[i], step: view.strides[dim] })),
  };
}

/** Packs sizes and views as {@link lineParameters} reads them. */
export function packLines(launcher: Launcher, { shape, rank, views }: Lines): void {
  packShape(launcher, shape, rank);
  for (const { offset, strides, step } of views) {
    launcher.word(offset);
    for (let d = strides.length; d < rank; d++) launcher.word(0);
    launcher.list(strides);
    launcher.word(step);
  }
}

export interface LineText {
  /** Statements that define `base0`, `base1`, … (i32): where the line begins in each view. */
  readonly bases: string;
  /** The place of element `index` (a u32 expression) in a view, a u32 expression. */
  at(view: number, index: string): string;
}

/** @param line The number of the line, a u32 expression. */
export function lineParameters(parameters: Parameters, rank: number, views: number, line: string): LineText {
  const sizes = parameters.uints(rank);
  const read = Array.from({ length: views }, () => ({ offset: parameters.i(), strides: parameters.ints(rank), step: parameters.i() }));
  return {
    bases: [
      coordinates(line, sizes, 'l'),
      ...read.map(({ offset, strides }, i) => `let base${i} = i32(${offsetAt(offset, strides, 'l')});`),
    ].join('\n'),
    at: (view, index) => `u32(base${view} + i32(${index}) * ${read[view].step})`,
  };
}
