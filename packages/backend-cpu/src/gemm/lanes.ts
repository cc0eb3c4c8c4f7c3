/**
 * @file Lanes: the rows of a matrix product's left side, or the columns of its right side. They are packed as float64, four lanes side by
 * side in a panel, so that the innermost loop reads two short streams without conversions or strides.
 */
import type { TypedArray } from '@tessera/core/backend';
import type { Matrix } from './matrix.js';

/** How many lanes make a panel. */
export const PANEL = 4;

/** Where the lanes of one side come from. */
export interface Lanes {
  /**
   * Packs `count` lanes from `first` on, elements `from` to `from + depth` of each. Lane 4p + l of those goes to
   * `panels[p * 4 * depth + 4 * k + l]`; the lanes that the last panel lacks hold any numbers: what comes of them is not stored.
   */
  pack(panels: Float64Array, first: number, count: number, from: number, depth: number): void;
}

/** Lanes that lie `step` apart in an array, their elements `along` apart. */
export class StridedLanes implements Lanes {
  constructor(
    readonly data: TypedArray,
    readonly at: number,
    readonly step: number,
    readonly along: number,
  ) {}

  static rows({ data, at, down, across }: Matrix): StridedLanes {
    return new StridedLanes(data, at, down, across);
  }

  static columns({ data, at, down, across }: Matrix): StridedLanes {
    return new StridedLanes(data, at, across, down);
  }

  pack(panels: Float64Array, first: number, count: number, from: number, depth: number): void {
    const { data, step, along } = this;
    let to = 0;
    for (let lane = 0; lane < count; lane += PANEL, to += PANEL * depth) {
      const at = this.at + (first + lane) * step + from * along;
      if (lane + PANEL <= count) packPanel(data, at, step, along, panels, to, depth);
      else packPart(data, at, step, along, panels, to, depth, count - lane);
    }
  }
}

function packPanel(data: TypedArray, at: number, step: number, along: number, panels: Float64Array, to: number, depth: number): void {
  let p0 = at;
  let p1 = p0 + step;
  let p2 = p1 + step;
  let p3 = p2 + step;
  for (const end = to + PANEL * depth; to < end; to += PANEL) {
    panels[to] = data[p0];
    panels[to + 1] = data[p1];
    panels[to + 2] = data[p2];
    panels[to + 3] = data[p3];
    p0 += along;
    p1 += along;
    p2 += along;
    p3 += along;
  }
}

function packPart(
  data: TypedArray,
  at: number,
  step: number,
  along: number,
  panels: Float64Array,
  to: number,
  depth: number,
  lanes: number,
): void {
  for (let lane = 0; lane < PANEL; lane++) {
    let p = at + lane * step;
    for (let k = 0; k < depth; k++, p += along) panels[to + PANEL * k + lane] = lane < lanes ? data[p] : 0;
  }
}
