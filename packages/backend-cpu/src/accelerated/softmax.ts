/** @file softmax and its logarithm over the rows of a matrix, and their gradient. Sums are made in float64. */
import type { AcceleratedKernels, DType } from '@tessera/core/backend';
import type { CpuBuffer } from '../memory/cpu-buffer.js';
import { exp as exp32 } from '../scalar/float32-math.js';

type Kernels = Required<AcceleratedKernels<CpuBuffer>>;

const takes = (dtype: DType): boolean => dtype === 'float32' || dtype === 'float64';

let row = new Float64Array(0);

/** e^(x − m) / Σ e^(x − m), or x − m − ln Σ e^(x − m), with the row's maximum m. */
export const softmax: Kernels['softmax'] = (input, out, log) => {
  if (!takes(out.dtype) || input.dtype !== out.dtype) return false;
  const [rows, columns] = input.shape;
  const x = input.buffer.data;
  const y = out.buffer.data;
  const [stepX, stepY] = [input.strides[1], out.strides[1]];
  const fast = out.dtype === 'float32';
  if (row.length < columns) row = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    const p = input.buffer.base + input.offset + i * input.strides[0];
    const q = out.buffer.base + out.offset + i * out.strides[0];
    let m = -Infinity;
    for (let j = 0, at = p; j < columns; j++, at += stepX) m = Math.max(m, x[at]);
    const sum = fast ? exponentials(x, p, stepX, m, columns) : preciseExponentials(x, p, stepX, m, columns);
    if (log) {
      const shift = m + Math.log(sum);
      for (let j = 0, from = p, to = q; j < columns; j++, from += stepX, to += stepY) y[to] = x[from] - shift;
    } else {
      const scale = 1 / sum;
      for (let j = 0, to = q; j < columns; j++, to += stepY) y[to] = row[j] * scale;
    }
  }
  return true;
};

function exponentials(x: ArrayLike<number>, at: number, step: number, m: number, count: number): number {
  let sum = 0;
  for (let j = 0; j < count; j++, at += step) {
    const v = exp32(x[at] - m);
    row[j] = v;
    sum += v;
  }
  return sum;
}

function preciseExponentials(x: ArrayLike<number>, at: number, step: number, m: number, count: number): number {
  let sum = 0;
  for (let j = 0; j < count; j++, at += step) {
    const v = Math.exp(x[at] - m);
    row[j] = v;
    sum += v;
  }
  return sum;
}

/**
 * y · (g − Σ g·y); of the logarithm: g − e^y Σ g. The rounded weights have a sum near 1: divided by it, what cancels where one of them is near 1
 * does so exactly.
 */
export const softmaxGrad: Kernels['softmaxGrad'] = (gradOut, out, gradInput, log) => {
  if (!takes(out.dtype) || gradOut.dtype !== out.dtype || gradInput.dtype !== out.dtype) return false;
  const [rows, columns] = out.shape;
  const g = gradOut.buffer.data;
  const y = out.buffer.data;
  const x = gradInput.buffer.data;
  const [stepG, stepY, stepX] = [gradOut.strides[1], out.strides[1], gradInput.strides[1]];
  const fast = out.dtype === 'float32';
  for (let i = 0; i < rows; i++) {
    const a = gradOut.buffer.base + gradOut.offset + i * gradOut.strides[0];
    const b = out.buffer.base + out.offset + i * out.strides[0];
    let to = gradInput.buffer.base + gradInput.offset + i * gradInput.strides[0];
    let sum = 0;
    if (log) {
      for (let j = 0, p = a; j < columns; j++, p += stepG) sum += g[p];
      if (fast) for (let j = 0, p = a, q = b; j < columns; j++, p += stepG, q += stepY, to += stepX) x[to] = g[p] - exp32(y[q]) * sum;
      else for (let j = 0, p = a, q = b; j < columns; j++, p += stepG, q += stepY, to += stepX) x[to] = g[p] - Math.exp(y[q]) * sum;
    } else {
      let weights = 0;
      for (let j = 0, p = a, q = b; j < columns; j++, p += stepG, q += stepY) {
        sum += g[p] * y[q];
        weights += y[q];
      }
      sum /= weights;
      for (let j = 0, p = a, q = b; j < columns; j++, p += stepG, q += stepY, to += stepX) x[to] = y[q] * (g[p] - sum);
    }
  }
  return true;
};
