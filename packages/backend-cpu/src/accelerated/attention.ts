/**
 * @file Scaled dot-product attention and its gradients. The rows of the scores are made in blocks, in float64, and never all at once; a causal
 * block stops at the last column that one of its rows sees.
 */
import type { AcceleratedKernels, TypedArray, View } from '@tessera/core/backend';
import { multiply } from '../gemm/blocked.js';
import { StridedLanes } from '../gemm/lanes.js';
import type { Matrix, Sink } from '../gemm/matrix.js';
import { product } from '../kernels/matmul.js';
import type { CpuBuffer } from '../memory/cpu-buffer.js';
import { exp as exp32 } from '../scalar/float32-math.js';
import { floats, start } from './vectors.js';

type Kernels = Required<AcceleratedKernels<CpuBuffer>>;
type V = View<CpuBuffer>;

/** Scores that a block holds, unless that were too few rows: about what the second-level cache has room for. */
const BLOCK = 1 << 15;

/** Scratch that grows and is kept: weights and their gradients, sums for keys and values. */
const scratch: Float64Array<ArrayBuffer>[] = [new Float64Array(0), new Float64Array(0), new Float64Array(0), new Float64Array(0)];
function scratchOf(which: number, length: number): Float64Array {
  if (scratch[which].length < length) scratch[which] = new Float64Array(length);
  return scratch[which];
}

/** Matrix `b` of a batch, from row `row` on. */
const matrixOf = (v: V, b: number, row = 0): Matrix => ({
  data: v.buffer.data,
  at: start(v) + b * v.strides[0] + row * v.strides[1],
  down: v.strides[1],
  across: v.strides[2],
});
const rowsOf = (data: TypedArray, width: number): Matrix => ({ data, at: 0, down: width, across: 1 });
const transposed = ({ data, at, down, across }: Matrix): Matrix => ({ data, at, down: across, across: down });

interface Scores {
  readonly query: V;
  readonly key: V;
  readonly mask: V | null;
  readonly causal: boolean;
  readonly scale: number;
  readonly precise: boolean;
}

/** What the rows from `first` on see, as columns. */
const columnsSeen = (causal: boolean, first: number, rows: number, S: number): number => (causal ? Math.min(S, first + rows) : S);

/** Scaled and masked scores of `rows` rows from `first` on into `out`, `width` columns of them. */
function scoreBlock(
  { query, key, mask, causal, scale }: Scores,
  b: number,
  first: number,
  rows: number,
  width: number,
  out: Float64Array,
): void {
  product(rows, width, query.shape[2], matrixOf(query, b, first), transposed(matrixOf(key, b)), rowsOf(out, width), false);
  for (let i = 0; i < rows; i++) {
    const at = i * width;
    if (mask === null) for (let j = 0; j < width; j++) out[at + j] *= scale;
    else {
      const from = start(mask) + b * mask.strides[0] + (first + i) * mask.strides[1];
      maskRow(out, at, width, scale, mask.buffer.data, from, mask.strides[2], mask.dtype === 'bool');
    }
    if (causal) out.fill(-Infinity, at + Math.min(width, first + i + 1), at + width);
  }
}

function maskRow(
  out: Float64Array,
  at: number,
  count: number,
  scale: number,
  mask: TypedArray,
  from: number,
  step: number,
  bool: boolean,
): void {
  if (bool) for (let j = 0; j < count; j++, from += step) out[at + j] = mask[from] === 0 ? -Infinity : out[at + j] * scale;
  else for (let j = 0; j < count; j++, from += step) out[at + j] = out[at + j] * scale + mask[from];
}

/** The softmax of a row in place; answers the logarithm of the sum of exponentials. */
function softmaxRow(s: Float64Array, at: number, count: number, precise: boolean): number {
  let m = -Infinity;
  for (let j = at; j < at + count; j++) m = Math.max(m, s[j]);
  const sum = precise ? preciseExponentials(s, at, count, m) : exponentials(s, at, count, m);
  const r = 1 / sum;
  for (let j = at; j < at + count; j++) s[j] *= r;
  return m + Math.log(sum);
}

/** e^(s − shift) in place; answers the sum. */
function exponentials(s: Float64Array, at: number, count: number, shift: number): number {
  let sum = 0;
  for (let j = at; j < at + count; j++) {
    const v = exp32(s[j] - shift);
    s[j] = v;
    sum += v;
  }
  return sum;
}

function preciseExponentials(s: Float64Array, at: number, count: number, shift: number): number {
  let sum = 0;
  for (let j = at; j < at + count; j++) {
    const v = Math.exp(s[j] - shift);
    s[j] = v;
    sum += v;
  }
  return sum;
}

/** Rows at a time; fewer where each block stops at its diagonal. */
const blockRows = (L: number, S: number, causal: boolean): number => Math.min(L, Math.max(16, Math.floor(BLOCK / S / (causal ? 4 : 1))));
const takesMask = (mask: V | null, query: V): boolean => mask === null || mask.dtype === 'bool' || mask.dtype === query.dtype;

export const attention: Kernels['attention'] = (query, key, value, mask, causal, scale, out, logsumexp) => {
  if (!floats(out.dtype, query, key, value, logsumexp) || !takesMask(mask, query)) return false;
  const [B, L] = query.shape;
  const [, S, width] = value.shape;
  const precise = out.dtype === 'float64';
  const parts: Scores = { query, key, mask, causal, scale, precise };
  const block = blockRows(L, S, causal);
  const weights = scratchOf(0, block * S);
  for (let b = 0; b < B; b++) {
    for (let first = 0; first < L; first += block) {
      const rows = Math.min(block, L - first);
      const seen = columnsSeen(causal, first, rows, S);
      scoreBlock(parts, b, first, rows, seen, weights);
      for (let i = 0; i < rows; i++)
        logsumexp.buffer.data[start(logsumexp) + b * logsumexp.strides[0] + (first + i) * logsumexp.strides[1]] = softmaxRow(
          weights,
          i * seen,
          seen,
          precise,
        );
      product(rows, width, seen, rowsOf(weights, seen), matrixOf(value, b), matrixOf(out, b, first), false);
    }
  }
  return true;
};

/** Adds the sums of a product to a float64 matrix. */
class AddingSink implements Sink {
  constructor(
    readonly data: Float64Array,
    readonly width: number,
  ) {}

  store(sums: Float64Array, from: number, row: number, column: number, count: number): void {
    const { data } = this;
    for (let to = row * this.width + column, end = to + count; to < end; to++, from++) data[to] += sums[from];
  }
}

/**
 * With the weights P and the gradient g of the output: dV = Pᵀ·g, dP = g·Vᵀ, dS = P ∘ (dP − Σ P ∘ dP) · scale, dQ = dS·K, dK = dSᵀ·Q. Rows are whole here, so
 * that P is normalised anew in float64: `out` and `logsumexp`, which were rounded, would cost digits where one weight is near 1 and the rest cancels.
 */
export const attentionGrad: Kernels['attentionGrad'] = (
  gradOut,
  query,
  key,
  value,
  mask,
  causal,
  scale,
  out,
  logsumexp,
  gradQuery,
  gradKey,
  gradValue,
) => {
  if (!floats(out.dtype, gradOut, query, key, value, logsumexp, gradQuery, gradKey, gradValue) || !takesMask(mask, query)) return false;
  const [B, L, E] = query.shape;
  const [, S, width] = value.shape;
  const precise = out.dtype === 'float64';
  const parts: Scores = { query, key, mask, causal, scale, precise };
  const block = blockRows(L, S, causal);
  const weights = scratchOf(0, block * S);
  const grads = scratchOf(1, block * S);
  const keys = scratchOf(2, S * E);
  const values = scratchOf(3, S * width);
  for (let b = 0; b < B; b++) {
    keys.fill(0, 0, S * E);
    values.fill(0, 0, S * width);
    for (let first = 0; first < L; first += block) {
      const rows = Math.min(block, L - first);
      const seen = columnsSeen(causal, first, rows, S);
      const g = matrixOf(gradOut, b, first);
      scoreBlock(parts, b, first, rows, seen, weights);
      product(rows, seen, width, g, transposed(matrixOf(value, b)), rowsOf(grads, seen), false);
      for (let i = 0; i < rows; i++) {
        const [from, end] = [i * seen, (i + 1) * seen];
        softmaxRow(weights, from, seen, precise);
        let shared = 0;
        for (let j = from; j < end; j++) shared += weights[j] * grads[j];
        for (let j = from; j < end; j++) grads[j] = weights[j] * (grads[j] - shared) * scale;
      }
      product(rows, E, seen, rowsOf(grads, seen), matrixOf(key, b), matrixOf(gradQuery, b, first), false);
      const across = (data: Float64Array): StridedLanes => StridedLanes.columns(rowsOf(data, seen));
      multiply(seen, E, rows, across(grads), StridedLanes.columns(matrixOf(query, b, first)), new AddingSink(keys, E));
      multiply(seen, width, rows, across(weights), StridedLanes.columns(g), new AddingSink(values, width));
    }
    storeRows(keys, matrixOf(gradKey, b), S, E);
    storeRows(values, matrixOf(gradValue, b), S, width);
  }
  return true;
};

function storeRows(from: Float64Array, { data, at, down, across }: Matrix, rows: number, columns: number): void {
  for (let i = 0; i < rows; i++) for (let j = 0, to = at + i * down; j < columns; j++, to += across) data[to] = from[i * columns + j];
}
