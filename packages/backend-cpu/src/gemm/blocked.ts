/**
 * @file The blocked matrix product. Columns are taken in blocks whose packed panels stay in the second-level cache; against them runs one
 * panel of four rows after the other. Sums are made in float64 and rounded once, when they are stored.
 */
import { type Lanes, PANEL } from './lanes.js';
import type { Matrix, Sink } from './matrix.js';
import { tile } from './tile.js';

/** How deep a panel is at most: two of them fit the first-level cache. */
export const DEPTH = 1024;
/** Packed elements of the right side at a time. */
const BLOCK = 131072;
/** Accumulators at a time, where the depth takes several panels. */
const ACCUMULATORS = 524288;

/** Scratch that grows and is kept. Products do not nest, so all share it. */
let rowPanels = new Float64Array(0);
let columnPanels = new Float64Array(0);
let sums = new Float64Array(0);

const enough = (array: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> =>
  array.length >= length ? array : new Float64Array(length);
const whole = (count: number): number => Math.ceil(count / PANEL) * PANEL;

/** One piece of the depth: where each side's elements come from. */
export interface DepthBlock {
  readonly rows: Lanes;
  readonly columns: Lanes;
  readonly from: number;
  readonly depth: number;
}

/** Sends rows · columns (+ bias) to `sink`: M rows, N columns, each lane K elements deep. */
export function multiply(M: number, N: number, K: number, rows: Lanes, columns: Lanes, sink: Sink, bias: Matrix | null = null): void {
  if (K > DEPTH) {
    multiplyBlocks(M, N, () => cut(K, rows, columns), sink, bias);
    return;
  }
  const width = Math.min(whole(N), Math.max(PANEL, Math.floor(BLOCK / K / PANEL) * PANEL));
  rowPanels = enough(rowPanels, PANEL * K);
  columnPanels = enough(columnPanels, width * K);
  sums = enough(sums, PANEL * width);
  for (let j = 0; j < N; j += width) {
    const n = Math.min(width, N - j);
    columns.pack(columnPanels, j, n, 0, K);
    for (let i = 0; i < M; i += PANEL) {
      const m = Math.min(PANEL, M - i);
      rows.pack(rowPanels, i, m, 0, K);
      for (let q = 0; q < n; q += PANEL) tile(K, rowPanels, 0, columnPanels, q * K, sums, q, width, false);
      for (let r = 0; r < m; r++) sink.store(sums, r * width, i + r, j, n, bias);
    }
  }
}

function* cut(K: number, rows: Lanes, columns: Lanes): Generator<DepthBlock> {
  for (let from = 0; from < K; from += DEPTH) yield { rows, columns, from, depth: Math.min(DEPTH, K - from) };
}

/**
 * The same where the depth comes in blocks of up to `deepest`: their products are summed in float64. `blocks` may be called several times.
 */
export function multiplyBlocks(
  M: number,
  N: number,
  blocks: () => Iterable<DepthBlock>,
  sink: Sink,
  bias: Matrix | null = null,
  deepest = DEPTH,
): void {
  const affordable = Math.floor(Math.min(ACCUMULATORS / M, BLOCK / deepest) / PANEL) * PANEL;
  const width = Math.min(whole(N), Math.max(PANEL * 8, affordable));
  sums = enough(sums, whole(M) * width);
  rowPanels = enough(rowPanels, PANEL * deepest);
  columnPanels = enough(columnPanels, width * deepest);
  for (let j = 0; j < N; j += width) {
    const n = Math.min(width, N - j);
    let add = false;
    for (const { rows, columns, from, depth } of blocks()) {
      columns.pack(columnPanels, j, n, from, depth);
      for (let i = 0; i < M; i += PANEL) {
        rows.pack(rowPanels, i, Math.min(PANEL, M - i), from, depth);
        for (let q = 0; q < n; q += PANEL) tile(depth, rowPanels, 0, columnPanels, q * depth, sums, i * width + q, width, add);
      }
      add = true;
    }
    for (let i = 0; i < M; i++) sink.store(sums, i * width, i, j, n, bias);
  }
}
