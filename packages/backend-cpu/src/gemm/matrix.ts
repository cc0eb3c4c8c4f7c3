/** @file Matrices in memory, and where the sums of a product are rounded to. */
import type { TypedArray } from '@tessera/core/backend';

/** Element (i, j) is `data[at + i * down + j * across]`. */
export interface Matrix {
  readonly data: TypedArray;
  readonly at: number;
  readonly down: number;
  readonly across: number;
}

/** Takes the finished sums of a product. */
export interface Sink {
  /** `sums[from]` to `sums[from + count - 1]` are columns `column` and on of row `row`; the bias is added before they are rounded. */
  store(sums: Float64Array, from: number, row: number, column: number, count: number, bias: Matrix | null): void;
}

export class MatrixSink implements Sink {
  constructor(readonly out: Matrix) {}

  store(sums: Float64Array, from: number, row: number, column: number, count: number, bias: Matrix | null): void {
    const { data, at, down, across } = this.out;
    const to = at + row * down + column * across;
    if (bias === null || bias.across === 0)
      storeRow(sums, from, data, to, across, count, bias === null ? 0 : bias.data[bias.at + row * bias.down]);
    else storeBiased(sums, from, data, to, across, count, bias.data, bias.at + row * bias.down + column * bias.across, bias.across);
  }
}

/** Rounds `count` sums, each plus `add`, to elements `across` apart. */
export function storeRow(sums: Float64Array, from: number, data: TypedArray, to: number, across: number, count: number, add: number): void {
  for (const end = from + count; from < end; from++, to += across) data[to] = sums[from] + add;
}

function storeBiased(
  sums: Float64Array,
  from: number,
  data: TypedArray,
  to: number,
  across: number,
  count: number,
  bias: TypedArray,
  b: number,
  step: number,
): void {
  for (const end = from + count; from < end; from++, to += across, b += step) data[to] = sums[from] + bias[b];
}
