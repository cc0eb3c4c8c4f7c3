/** @file The taps of a window: where each reads, and where its weight lies. */
import type { ImagePlanes, Three } from './image-planes.js';

export interface Tap {
  /** Coordinates in the padded data, from a position's own. */
  readonly shift: Three;
  /** Of its weight, in bytes. */
  readonly weight: number;
}

export interface Taps {
  readonly list: readonly Tap[];
  /** Zeros that the data needs in front. */
  readonly pad: Three;
  readonly reach: Three;
}

/** `shift(tap, dim)`: where a tap reads relative to its position, negative before it; null: not at these positions. */
export function tapsOf(weight: ImagePlanes, shift: (tap: number, dim: number) => number | null): Taps {
  const along = [0, 1, 2].map((d) => {
    const taps: { shift: number; weight: number }[] = [];
    for (let t = 0; t < weight.sizes[d]; t++) {
      const s = shift(t, d);
      if (s !== null) taps.push({ shift: s, weight: t * weight.strides[d] });
    }
    return taps;
  });
  const pad = along.map((taps) => Math.max(0, ...taps.map((t) => -t.shift))) as unknown as Three;
  const reach = along.map((taps, d) => Math.max(0, ...taps.map((t) => t.shift + pad[d]))) as unknown as Three;
  const list: Tap[] = [];
  for (const d of along[0])
    for (const h of along[1])
      for (const w of along[2])
        list.push({ shift: [d.shift + pad[0], h.shift + pad[1], w.shift + pad[2]], weight: d.weight + h.weight + w.weight });
  return { list, pad, reach };
}
