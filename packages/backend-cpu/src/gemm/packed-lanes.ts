/** @file Lanes that are packed once and used for many products, as a convolution's weights are. */
import { type Lanes, PANEL } from './lanes.js';

export class PackedLanes implements Lanes {
  private constructor(
    readonly panels: Float64Array,
    readonly depth: number,
  ) {}

  /** Packs `count` rows of `depth` elements, which lie one after another. */
  static ofRows(rows: Float64Array, count: number, depth: number): PackedLanes {
    const panels = new Float64Array(Math.ceil(count / PANEL) * PANEL * depth);
    for (let r = 0; r < count; r++) {
      const to = (r - (r % PANEL)) * depth + (r % PANEL);
      for (let k = 0; k < depth; k++) panels[to + PANEL * k] = rows[r * depth + k];
    }
    return new PackedLanes(panels, depth);
  }

  pack(panels: Float64Array, first: number, count: number, from: number, depth: number): void {
    for (let lane = 0; lane < count; lane += PANEL) {
      const start = (first + lane) * this.depth + PANEL * from;
      panels.set(this.panels.subarray(start, start + PANEL * depth), lane * depth);
    }
  }
}
