/**
 * @file What all three convolutions are made of: correlations, out[m, i] = Σ over channels c and taps t of weight[m, c, t] · in[c, i · step + offset(t)]
 * with zeros outside. Forward, a tap's offset is t · dilation − padding. The gradient by the input splits into one correlation for each
 * phase of the stride (those positions whose taps meet the same places), with step 1.
 */
import type { TypedArray } from '@tessera/core/backend';
import type { Three } from './planes.js';

/** The taps of a kernel along three dims, as far as they take part: parallel arrays. */
export interface Taps {
  readonly count: number;
  /** What is added to a position, for each tap. */
  readonly d: Int32Array;
  readonly h: Int32Array;
  readonly w: Int32Array;
  /** Where each tap's weight lies after that of the first. */
  readonly weights: Int32Array;
}

/** The planes of the channels of one image that a correlation reads. */
export interface Source {
  readonly data: TypedArray;
  readonly at: number;
  readonly channels: number;
  readonly strideC: number;
  readonly sizes: Three;
  readonly strides: Three;
}

/** The positions that a correlation gives, and how far apart their windows are in the source. */
export interface Positions {
  readonly sizes: Three;
  readonly step: Three;
}

/** The taps (a, b, c) for which `offset` along each dim is not null. */
export function tapsOf(kernel: Three, weightStrides: Three, offset: (tap: number, dim: number) => number | null): Taps {
  const list: number[][] = [];
  for (let a = 0; a < kernel[0]; a++) {
    for (let b = 0; b < kernel[1]; b++) {
      for (let c = 0; c < kernel[2]; c++) {
        const at = [offset(a, 0), offset(b, 1), offset(c, 2)];
        if (at.some((x) => x === null)) continue;
        list.push([...(at as number[]), a * weightStrides[0] + b * weightStrides[1] + c * weightStrides[2]]);
      }
    }
  }
  const column = (i: number): Int32Array => Int32Array.from(list, (tap) => tap[i]);
  return { count: list.length, d: column(0), h: column(1), w: column(2), weights: column(3) };
}

/** The first i with i · step + offset ≥ 0. */
export function firstInside(step: number, offset: number): number {
  return offset >= 0 ? 0 : Math.ceil(-offset / step);
}

/** The first i from `count` down for which all before it have i · step + offset < size. */
export function endInside(step: number, offset: number, size: number, count: number): number {
  return Math.max(0, Math.min(count, Math.ceil((size - offset) / step)));
}
