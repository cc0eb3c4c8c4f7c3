/**
 * @file Patches as lanes of a matrix product (im2col, fused with packing). Some rows of an image are copied with the zeros around them, as
 * float64; the element under tap t at position i then lies at `taps[t] + positions[i]`, whatever the stride, padding and dilation.
 */
import { type Lanes, PANEL } from '../gemm/lanes.js';
import type { Positions, Source, Taps } from './correlation.js';
import type { Three } from './planes.js';

/** Padded elements at a time: 2 MiB of float64, what a second-level cache holds. */
const BAND = 262144;

/** Positions that are worked on together: some rows of one slice, which follow one another in row-major order. */
export interface Band {
  readonly d: number;
  readonly h: number;
  readonly rows: number;
}

export class Patches {
  /** Lanes are positions of the band; elements are places of the patch, by channel and then tap. */
  readonly byPosition: Lanes;
  /** Lanes are places of the patch, by channel and then tap; elements are positions of the band. */
  readonly byTap: Lanes;
  /** The padded copy. */
  readonly data: Float64Array;
  /** Where the places of the patch under the first position lie. */
  readonly elements: Int32Array;
  /** How far apart rows of positions, and positions in a row, lie. */
  readonly down: number;
  readonly across: number;
  readonly #positions: Positions;
  /** The least offset of the taps along each dim, and how far the copy reaches. */
  readonly #low: Three;
  readonly #padded: Three;
  readonly #rows: number;

  constructor(channels: number, taps: Taps, positions: Positions) {
    const { sizes, step } = positions;
    const low: Three = [least(taps.d), least(taps.h), least(taps.w)];
    const reach: Three = [most(taps.d) - low[0] + 1, most(taps.h) - low[1] + 1, most(taps.w) - low[2] + 1];
    const W = (sizes[2] - 1) * step[2] + reach[2];
    const affordable = Math.floor((BAND / (channels * reach[0] * W) - reach[1]) / step[1]) + 1;
    this.#rows = Math.max(1, Math.min(sizes[1], affordable));
    const H = (this.#rows - 1) * step[1] + reach[1];
    this.#low = low;
    this.#padded = [reach[0], H, W];
    this.#positions = positions;
    this.data = new Float64Array(channels * reach[0] * H * W);
    const elements = new Int32Array(channels * taps.count);
    for (let c = 0, k = 0; c < channels; c++) {
      for (let t = 0; t < taps.count; t++, k++)
        elements[k] = ((c * reach[0] + taps.d[t] - low[0]) * H + taps.h[t] - low[1]) * W + taps.w[t] - low[2];
    }
    const places = new Int32Array(this.#rows * sizes[2]);
    for (let h = 0, i = 0; h < this.#rows; h++) {
      for (let w = 0; w < sizes[2]; w++, i++) places[i] = h * step[1] * W + w * step[2];
    }
    this.elements = elements;
    this.down = step[1] * W;
    this.across = step[2];
    this.byPosition = new OffsetLanes(this.data, places, elements);
    this.byTap = new OffsetLanes(this.data, elements, places);
  }

  /** The bands of one image, in order: each is copied when it is reached, and lasts until the next. */
  *bands(source: Source): Generator<Band> {
    const { sizes, step } = this.#positions;
    for (let d = 0; d < sizes[0]; d++) {
      for (let h = 0; h < sizes[1]; h += this.#rows) {
        this.#load(source, this.#low[0] + d * step[0], this.#low[1] + h * step[1]);
        yield { d, h, rows: Math.min(this.#rows, sizes[1] - h) };
      }
    }
  }

  /** Copies what lies from slice `d0` and row `h0` on; outside are zeros. */
  #load(source: Source, d0: number, h0: number): void {
    const [D, H, W] = this.#padded;
    const w0 = this.#low[2];
    const first = Math.max(0, w0);
    const count = Math.min(source.sizes[2], w0 + W) - first;
    const [endD, endH] = [Math.min(source.sizes[0], d0 + D), Math.min(source.sizes[1], h0 + H)];
    this.data.fill(0);
    for (let c = 0; c < source.channels; c++) {
      for (let d = Math.max(0, d0); d < endD; d++) {
        for (let h = Math.max(0, h0); h < endH; h++) {
          const at = source.at + c * source.strideC + d * source.strides[0] + h * source.strides[1] + first * source.strides[2];
          copyRow(this.data, ((c * D + d - d0) * H + h - h0) * W + first - w0, count, source.data, at, source.strides[2]);
        }
      }
    }
  }
}

function copyRow(to: Float64Array, i: number, count: number, from: ArrayLike<number>, at: number, step: number): void {
  for (const end = i + count; i < end; i++, at += step) to[i] = from[at];
}

function least(list: Int32Array): number {
  return list.reduce((a, b) => Math.min(a, b));
}

function most(list: Int32Array): number {
  return list.reduce((a, b) => Math.max(a, b));
}

/** Element k of lane i is `data[lanes[i] + elements[k]]`. */
class OffsetLanes implements Lanes {
  constructor(
    readonly data: Float64Array,
    readonly lanes: Int32Array,
    readonly elements: Int32Array,
  ) {}

  pack(panels: Float64Array, first: number, count: number, from: number, depth: number): void {
    const { data, lanes, elements } = this;
    const last = first + count - 1;
    for (let i = first, to = 0; i <= last; i += PANEL, to += PANEL * depth) {
      // Where lanes are lacking, the last one stands in.
      packPanel(
        panels,
        to,
        data,
        lanes[i],
        lanes[Math.min(i + 1, last)],
        lanes[Math.min(i + 2, last)],
        lanes[Math.min(i + 3, last)],
        elements,
        from,
        depth,
      );
    }
  }
}

function packPanel(
  panels: Float64Array,
  to: number,
  data: Float64Array,
  p0: number,
  p1: number,
  p2: number,
  p3: number,
  elements: Int32Array,
  from: number,
  depth: number,
): void {
  for (const end = from + depth; from < end; from++, to += PANEL) {
    const at = elements[from];
    panels[to] = data[p0 + at];
    panels[to + 1] = data[p1 + at];
    panels[to + 2] = data[p2 + at];
    panels[to + 3] = data[p3 + at];
  }
}
