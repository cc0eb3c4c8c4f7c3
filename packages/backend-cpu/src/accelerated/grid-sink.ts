/** @file Where a correlation's results go: rows are channels, columns are positions of a grid with strides of its own. */
import type { TypedArray } from '@tessera/core/backend';
import { type Matrix, type Sink, storeRow } from '../gemm/matrix.js';
import { flatStride, type Three } from './planes.js';

export class GridSink implements Sink {
  /** The stride of all positions, where they have one. */
  readonly #flat: number;

  constructor(
    readonly data: TypedArray,
    readonly at: number,
    readonly strideC: number,
    readonly sizes: Three,
    readonly strides: Three,
  ) {
    this.#flat = flatStride(sizes, strides);
  }

  store(sums: Float64Array, from: number, row: number, column: number, count: number, bias: Matrix | null): void {
    const { sizes, strides, data } = this;
    const at = this.at + row * this.strideC;
    const add = bias === null ? 0 : bias.data[bias.at + row * bias.down];
    if (this.#flat !== 0) {
      storeRow(sums, from, data, at + column * this.#flat, this.#flat, count, add);
      return;
    }
    const [, H, W] = sizes;
    for (const end = column + count; column < end;) {
      const w = column % W;
      const r = (column - w) / W;
      const n = Math.min(W - w, end - column);
      storeRow(sums, from, data, at + Math.floor(r / H) * strides[0] + (r % H) * strides[1] + w * strides[2], strides[2], n, add);
      column += n;
      from += n;
    }
  }
}
