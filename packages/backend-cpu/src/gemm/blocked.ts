/**
 * @file The blocked matrix product. Columns are taken in blocks whose packed panels stay in the second-level cache; against them runs one
 * panel of four rows after the other. Sums are made in float64 and rounded once, when they are stored.
 */
import type { TypedArray } from '@tessera/core';
import { type Lanes, type Matrix, PANEL } from './lanes.js';
import { tile } from './tile.js';

/** How deep a panel is at most: two of them fit the first-level cache. */
const DEPTH = 1024;
/** Packed elements of the right side at a time. */
const BLOCK = 131072;
/** Accumulators at a time, where the depth takes several panels. */
const ACCUMULATORS = 524288;

/** Scratch that grows and is kept. Products do not nest, so all share it. */
let rowPanels = new Float64Array(0);
let columnPanels = new Float64Array(0);
let sums = new Float64Array(0);

const enough = (array: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> => (array.length >= length ? array : new Float64Array(length));
const whole = (count: number): number => Math.ceil(count / PANEL) * PANEL;

/** One piece of the depth: where each side's elements come from. */
export interface DepthBlock {
  readonly rows: Lanes;
  readonly columns: Lanes;
  readonly from: number;
  readonly depth: number;
}

/** Added to each element before it is stored: element i * `down` + j * `across` from `at` on. */
export type Bias = Matrix;

/** out = rows · columns + bias, where out has M rows and N columns and each lane K elements. */
export function multiply(M: number, N: number, K: number, rows: Lanes, columns: Lanes, out: Matrix, bias: Bias | null = null): void {
  if (K > DEPTH) {
    const blocks: DepthBlock[] = [];
    for (let from = 0; from < K; from += DEPTH) blocks.push({ rows, columns, from, depth: Math.min(DEPTH, K - from) });
    multiplyBlocks(M, N, blocks, out, bias);
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
      store(m, n, width, out, i, j, bias);
    }
  }
}

/** The same where the depth comes in several blocks: their products are summed in float64. */
export function multiplyBlocks(M: number, N: number, blocks: Iterable<DepthBlock>, out: Matrix, bias: Bias | null = null): void {
  const width = Math.min(whole(N), Math.max(PANEL * 8, Math.floor(Math.min(ACCUMULATORS / M, BLOCK / DEPTH) / PANEL) * PANEL));
  const height = whole(M);
  sums = enough(sums, height * width);
  rowPanels = enough(rowPanels, height * DEPTH);
  columnPanels = enough(columnPanels, width * DEPTH);
  for (let j = 0; j < N; j += width) {
    const n = Math.min(width, N - j);
    let add = false;
    for (const { rows, columns, from, depth } of blocks) {
      columns.pack(columnPanels, j, n, from, depth);
      for (let i = 0; i < M; i += PANEL) {
        rows.pack(rowPanels, i, Math.min(PANEL, M - i), from, depth);
        for (let q = 0; q < n; q += PANEL) tile(depth, rowPanels, 0, columnPanels, q * depth, sums, i * width + q, width, add);
      }
      add = true;
    }
    store(M, n, width, out, 0, j, bias);
  }
}

/** Rounds m by n sums, rows `width` apart, into `out` from row i and column j on. */
function store(m: number, n: number, width: number, out: Matrix, i: number, j: number, bias: Bias | null): void {
  for (let r = 0; r < m; r++) {
    const to = out.at + (i + r) * out.down + j * out.across;
    if (bias === null) storeRow(sums, r * width, out.data, to, out.across, n);
    else storeBiased(sums, r * width, out.data, to, out.across, n, bias.data, bias.at + (i + r) * bias.down + j * bias.across, bias.across);
  }
}

function storeRow(from: Float64Array, s: number, data: TypedArray, to: number, across: number, n: number): void {
  for (const end = s + n; s < end; s++, to += across) data[to] = from[s];
}

function storeBiased(from: Float64Array, s: number, data: TypedArray, to: number, across: number, n: number, bias: TypedArray, b: number, step: number): void {
  for (const end = s + n; s < end; s++, to += across, b += step) data[to] = from[s] + bias[b];
}
