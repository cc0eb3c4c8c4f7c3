/** @file Layer norm and root-mean-square norm of rows, and their gradients. All sums are made in float64, the variance around the mean. */
import type { AcceleratedKernels, TypedArray } from '@tessera/core/backend';
import type { CpuBuffer } from '../memory/cpu-buffer.js';
import { floats, gathered, scattered, squaresAround, start, sumOf } from './vectors.js';

type Kernels = Required<AcceleratedKernels<CpuBuffer>>;

/** (x − mean) · rstd · weight + bias; x · rstd · weight + bias where `mean` is null. */
export const layerNorm: Kernels['layerNorm'] = (input, weight, bias, out, mean, rstd, eps) => {
  if (!floats(out.dtype, input, weight, bias, mean, rstd)) return false;
  const [rows, columns] = input.shape;
  const x = input.buffer.data;
  const [stepX, stepY] = [input.strides[1], out.strides[1]];
  const w = gathered(weight, columns, 1);
  const b = gathered(bias, columns, 0);
  for (let i = 0; i < rows; i++) {
    const at = start(input) + i * input.strides[0];
    const centre = mean === null ? 0 : sumOf(x, at, stepX, columns) / columns;
    const r = 1 / Math.sqrt(squaresAround(x, at, stepX, columns, centre) / columns + eps);
    normalizeRow(x, at, stepX, out.buffer.data, start(out) + i * out.strides[0], stepY, centre, r, w, b);
    if (mean !== null) mean.buffer.data[start(mean) + i * mean.strides[0]] = centre;
    rstd.buffer.data[start(rstd) + i * rstd.strides[0]] = r;
  }
  return true;
};

function normalizeRow(
  x: TypedArray,
  from: number,
  stepX: number,
  y: TypedArray,
  to: number,
  stepY: number,
  centre: number,
  r: number,
  w: Float64Array,
  b: Float64Array,
): void {
  for (let j = 0; j < w.length; j++, from += stepX, to += stepY) y[to] = (x[from] - centre) * r * w[j] + b[j];
}

/** With x̂ = (x − mean) · rstd: dx = rstd · (g·w − mean(g·w) − x̂ · mean(g·w·x̂)), without the first mean where x is not centred; dw = Σ g·x̂, db = Σ g. */
export const layerNormGrad: Kernels['layerNormGrad'] = (gradOut, input, weight, mean, rstd, gradInput, gradWeight, gradBias) => {
  if (!floats(input.dtype, gradOut, weight, mean, rstd, gradInput, gradWeight, gradBias)) return false;
  const [rows, columns] = input.shape;
  const w = gathered(weight, columns, 1);
  const dw = new Float64Array(gradWeight === null ? 0 : columns);
  const db = new Float64Array(gradBias === null ? 0 : columns);
  for (let i = 0; i < rows; i++) {
    const g = start(gradOut) + i * gradOut.strides[0];
    const p = start(input) + i * input.strides[0];
    const centre = mean === null ? 0 : mean.buffer.data[start(mean) + i * mean.strides[0]];
    const r = rstd.buffer.data[start(rstd) + i * rstd.strides[0]];
    const [stepG, stepX] = [gradOut.strides[1], input.strides[1]];
    if (gradWeight !== null && gradBias !== null) addBoth(gradOut.buffer.data, g, stepG, input.buffer.data, p, stepX, centre, r, dw, db);
    else if (gradWeight !== null) addProducts(gradOut.buffer.data, g, stepG, input.buffer.data, p, stepX, centre, r, dw);
    else if (gradBias !== null) addRow(gradOut.buffer.data, g, stepG, db);
    if (gradInput !== null) {
      const to = start(gradInput) + i * gradInput.strides[0];
      const data = gradInput.buffer.data;
      rowGradient(gradOut.buffer.data, g, stepG, input.buffer.data, p, stepX, data, to, gradInput.strides[1], centre, r, w, mean !== null);
    }
  }
  scattered(dw, gradWeight);
  scattered(db, gradBias);
  return true;
};

function addBoth(
  g: TypedArray,
  a: number,
  stepG: number,
  x: TypedArray,
  p: number,
  stepX: number,
  centre: number,
  r: number,
  products: Float64Array,
  sums: Float64Array,
): void {
  for (let j = 0; j < sums.length; j++, a += stepG, p += stepX) {
    const v = g[a];
    products[j] += v * ((x[p] - centre) * r);
    sums[j] += v;
  }
}

function addProducts(
  g: TypedArray,
  a: number,
  stepG: number,
  x: TypedArray,
  p: number,
  stepX: number,
  centre: number,
  r: number,
  sums: Float64Array,
): void {
  for (let j = 0; j < sums.length; j++, a += stepG, p += stepX) sums[j] += g[a] * ((x[p] - centre) * r);
}

function addRow(g: TypedArray, a: number, stepG: number, sums: Float64Array): void {
  for (let j = 0; j < sums.length; j++, a += stepG) sums[j] += g[a];
}

function rowGradient(
  g: TypedArray,
  a: number,
  stepG: number,
  x: TypedArray,
  p: number,
  stepX: number,
  out: TypedArray,
  to: number,
  stepOut: number,
  centre: number,
  r: number,
  w: Float64Array,
  centred: boolean,
): void {
  const columns = w.length;
  let sum = 0;
  let product = 0;
  let j = 0;
  let s = a;
  let t = p;
  let sum1 = 0;
  let product1 = 0;
  for (; j + 2 <= columns; j += 2, s += 2 * stepG, t += 2 * stepX) {
    const v = g[s] * w[j];
    const v1 = g[s + stepG] * w[j + 1];
    sum += v;
    sum1 += v1;
    product += v * (x[t] - centre);
    product1 += v1 * (x[t + stepX] - centre);
  }
  if (j < columns) {
    const v = g[s] * w[j];
    sum += v;
    product += v * (x[t] - centre);
  }
  sum += sum1;
  product += product1;
  const shift = centred ? sum / columns : 0;
  const slope = (product * r * r) / columns;
  for (j = 0; j < columns; j++, a += stepG, p += stepX, to += stepOut) out[to] = r * (g[a] * w[j] - shift - (x[p] - centre) * slope);
}
