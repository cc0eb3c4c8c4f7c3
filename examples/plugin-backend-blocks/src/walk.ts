/** @file The one iterator of this backend: it gives the places of a view's elements in their buffer, in row-major order, a block at a time. */
import type { View } from '@tessera/core/backend';
import type { Buffer } from './memory.js';

/** How many elements a block has: a few blocks of float64 fit the first-level cache. */
export const BLOCK = 512;

export type V = View<Buffer>;
/** What a walk needs of a view. */
export type Layout = Pick<V, 'shape' | 'strides' | 'offset'>;

export const numel = (shape: readonly number[]): number => shape.reduce((n, size) => n * size, 1);

/** A view with its dims in another order; dims that are not in `order` are left out (they have size 1). */
export const permuted = <L extends Layout>(view: L, order: readonly number[]): L => ({
  ...view,
  shape: order.map((d) => view.shape[d]!),
  strides: order.map((d) => view.strides[d]!),
});

/** The dims of a rank with some of them moved to the end. */
export function withLast(rank: number, last: readonly number[]): number[] {
  const dims = Array.from({ length: rank }, (_, d) => d);
  return [...dims.filter((d) => !last.includes(d)), ...last];
}

/** A view run through backwards along one dim. */
export const flipped = <L extends Layout>(view: L, dim: number): L => ({
  ...view,
  offset: view.offset + (view.shape[dim]! - 1) * view.strides[dim]!,
  strides: view.strides.map((stride, d) => (d === dim ? -stride : stride)),
});

export class Walk {
  /** The places of the block that {@link next} came to. The same array each time. */
  readonly places: Int32Array;
  #shape: readonly number[];
  #strides: readonly number[];
  #index: number[];
  #at: number;

  constructor({ shape, strides, offset }: Layout) {
    this.#shape = shape.length === 0 ? [1] : shape;
    this.#strides = shape.length === 0 ? [0] : strides;
    this.#index = this.#shape.map(() => 0);
    this.#at = offset;
    this.places = new Int32Array(Math.min(BLOCK, numel(shape)));
  }

  /** Goes on by `count` elements, which is at most {@link BLOCK}. */
  next(count: number): Int32Array {
    const places = this.places;
    const last = this.#shape.length - 1;
    const size = this.#shape[last]!;
    const stride = this.#strides[last]!;
    for (let filled = 0; filled < count;) {
      const run = Math.min(count - filled, size - this.#index[last]!);
      let at = this.#at;
      for (let i = 0; i < run; i++, at += stride) places[filled++] = at;
      this.#at = at;
      this.#index[last]! += run;
      for (let d = last; d > 0 && this.#index[d] === this.#shape[d]; d--) {
        this.#at += this.#strides[d - 1]! - this.#shape[d]! * this.#strides[d]!;
        this.#index[d] = 0;
        this.#index[d - 1]!++;
      }
    }
    return places;
  }
}

/** Calls `fn` for each block of `total` elements. */
export function blocks(total: number, fn: (count: number, start: number) => void): void {
  for (let start = 0; start < total; start += BLOCK) fn(Math.min(BLOCK, total - start), start);
}

/** All elements of a view, in row-major order. */
export function load(view: V): Float64Array {
  const { data } = view.buffer;
  const out = new Float64Array(numel(view.shape));
  const walk = new Walk(view);
  blocks(out.length, (count, start) => {
    const places = walk.next(count);
    for (let i = 0; i < count; i++) out[start + i] = data[places[i]!]!;
  });
  return out;
}

/** The reverse of {@link load}; the values are of the view's dtype already. */
export function store(values: Float64Array, view: V): void {
  const { data } = view.buffer;
  const walk = new Walk(view);
  blocks(values.length, (count, start) => {
    const places = walk.next(count);
    for (let i = 0; i < count; i++) data[places[i]!] = values[start + i]!;
  });
}
