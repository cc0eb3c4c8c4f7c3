/**
 * @file Patches as lanes of a matrix product (im2col, fused with packing). In {@link PatchLanes} a lane is a position and holds the patch under
 * it; in {@link TapLanes} a lane is one place of the patch and holds its values at all positions.
 */
import { type Lanes, PANEL } from '../gemm/lanes.js';
import { endInside, firstInside, type Positions, type Source, type Taps } from './correlation.js';

/** Positions are numbered in row-major order; elements of a patch by channel, then tap. */
export class PatchLanes implements Lanes {
  constructor(
    readonly source: Source,
    readonly taps: Taps,
    readonly positions: Positions,
  ) {}

  pack(panels: Float64Array, first: number, count: number, from: number, depth: number): void {
    const { taps, source } = this;
    const whole = Math.ceil(count / PANEL) * PANEL;
    for (let k = 0; k < depth; k++) {
      const channel = Math.floor((from + k) / taps.count);
      this.#packElement(panels, PANEL * k, PANEL * depth, first, count, source.at + channel * source.strideC, (from + k) % taps.count);
      for (let lane = count; lane < whole; lane++) panels[(lane >> 2) * PANEL * depth + PANEL * k + (lane & 3)] = 0;
    }
  }

  /** One tap on one channel, at positions `first` and on. Lane l goes to `to + (l >> 2) * panel + (l & 3)`. */
  #packElement(panels: Float64Array, to: number, panel: number, first: number, count: number, plane: number, tap: number): void {
    const { source, taps, positions } = this;
    const [, H, W] = positions.sizes;
    const [stepD, stepH, stepW] = positions.step;
    const offsetW = taps.w[tap];
    const start = firstInside(stepW, offsetW);
    const stop = endInside(stepW, offsetW, source.sizes[2], W);
    let lane = 0;
    while (lane < count) {
      // The rest of one row of positions.
      const w = (first + lane) % W;
      const row = (first + lane - w) / W;
      const d = Math.floor(row / H) * stepD + taps.d[tap];
      const h = (row % H) * stepH + taps.h[tap];
      const end = Math.min(count, lane + W - w);
      const inside = d >= 0 && d < source.sizes[0] && h >= 0 && h < source.sizes[1];
      const low = inside ? Math.min(end, Math.max(lane, lane + start - w)) : end;
      const high = inside ? Math.max(low, Math.min(end, lane + stop - w)) : end;
      zeroLanes(panels, to, panel, lane, low);
      if (high > low) {
        const at = plane + d * source.strides[0] + h * source.strides[1] + ((w + low - lane) * stepW + offsetW) * source.strides[2];
        copyLanes(panels, to, panel, low, high, source.data, at, stepW * source.strides[2]);
      }
      zeroLanes(panels, to, panel, high, end);
      lane = end;
    }
  }
}

function zeroLanes(panels: Float64Array, to: number, panel: number, lane: number, end: number): void {
  for (; lane < end; lane++) panels[to + (lane >> 2) * panel + (lane & 3)] = 0;
}

function copyLanes(
  panels: Float64Array,
  to: number,
  panel: number,
  lane: number,
  end: number,
  data: ArrayLike<number>,
  at: number,
  step: number,
): void {
  for (; lane < end; lane++, at += step) panels[to + (lane >> 2) * panel + (lane & 3)] = data[at];
}

/** Lanes are numbered by channel, then tap; elements are positions in row-major order. */
export class TapLanes implements Lanes {
  constructor(
    readonly source: Source,
    readonly taps: Taps,
    readonly positions: Positions,
  ) {}

  pack(panels: Float64Array, first: number, count: number, from: number, depth: number): void {
    const { taps, source } = this;
    const whole = Math.ceil(count / PANEL) * PANEL;
    for (let lane = 0; lane < whole; lane++) {
      const to = (lane >> 2) * PANEL * depth + (lane & 3);
      if (lane >= count) zeros(panels, to, depth);
      else
        this.#packLane(
          panels,
          to,
          from,
          depth,
          source.at + Math.floor((first + lane) / taps.count) * source.strideC,
          (first + lane) % taps.count,
        );
    }
  }

  #packLane(panels: Float64Array, to: number, from: number, depth: number, plane: number, tap: number): void {
    const { source, taps, positions } = this;
    const [, H, W] = positions.sizes;
    const [stepD, stepH, stepW] = positions.step;
    const offsetW = taps.w[tap];
    const start = firstInside(stepW, offsetW);
    const stop = endInside(stepW, offsetW, source.sizes[2], W);
    let k = 0;
    while (k < depth) {
      const w = (from + k) % W;
      const row = (from + k - w) / W;
      const d = Math.floor(row / H) * stepD + taps.d[tap];
      const h = (row % H) * stepH + taps.h[tap];
      const end = Math.min(depth, k + W - w);
      const inside = d >= 0 && d < source.sizes[0] && h >= 0 && h < source.sizes[1];
      const low = inside ? Math.min(end, Math.max(k, k + start - w)) : end;
      const high = inside ? Math.max(low, Math.min(end, k + stop - w)) : end;
      zeros(panels, to + PANEL * k, low - k);
      if (high > low) {
        const at = plane + d * source.strides[0] + h * source.strides[1] + ((w + low - k) * stepW + offsetW) * source.strides[2];
        copy(panels, to + PANEL * low, high - low, source.data, at, stepW * source.strides[2]);
      }
      zeros(panels, to + PANEL * high, end - high);
      k = end;
    }
  }
}

function zeros(panels: Float64Array, to: number, count: number): void {
  for (const end = to + PANEL * count; to < end; to += PANEL) panels[to] = 0;
}

function copy(panels: Float64Array, to: number, count: number, data: ArrayLike<number>, at: number, step: number): void {
  for (const end = to + PANEL * count; to < end; to += PANEL, at += step) panels[to] = data[at];
}
