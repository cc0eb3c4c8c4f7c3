/** @file Batch norm while training, and its gradients: each channel of (N, C, S) over N and S. All sums are made in float64, the variance around the mean. */
import type { AcceleratedKernels, TypedArray } from '@tessera/core/backend';
import type { CpuBuffer } from '../memory/cpu-buffer.js';
import { floats, gathered, scattered, squaresAround, start, sumOf } from './vectors.js';

type Kernels = Required<AcceleratedKernels<CpuBuffer>>;

/** (x − mean) / √(variance + ε) · weight + bias, with the channel's own mean and biased variance. */
export const batchNorm: Kernels['batchNorm'] = (input, weight, bias, out, mean, variance, eps) => {
  if (!floats(out.dtype, input, weight, bias, mean, variance)) return false;
  const [N, C, S] = input.shape;
  const x = input.buffer.data;
  const [strideN, strideC, step] = input.strides;
  const w = gathered(weight, C, 1);
  const b = gathered(bias, C, 0);
  const means = new Float64Array(C);
  const variances = new Float64Array(C);
  for (let c = 0; c < C; c++) {
    const at = start(input) + c * strideC;
    let sum = 0;
    for (let n = 0; n < N; n++) sum += sumOf(x, at + n * strideN, step, S);
    const centre = sum / (N * S);
    let squares = 0;
    for (let n = 0; n < N; n++) squares += squaresAround(x, at + n * strideN, step, S, centre);
    means[c] = centre;
    variances[c] = squares / (N * S);
    const scale = w[c] / Math.sqrt(variances[c] + eps);
    for (let n = 0; n < N; n++) {
      const to = start(out) + n * out.strides[0] + c * out.strides[1];
      affineRow(x, at + n * strideN, step, out.buffer.data, to, out.strides[2], S, centre, scale, b[c]);
    }
  }
  scattered(means, mean);
  scattered(variances, variance);
  return true;
};

function affineRow(
  x: TypedArray,
  from: number,
  stepX: number,
  y: TypedArray,
  to: number,
  stepY: number,
  count: number,
  centre: number,
  scale: number,
  bias: number,
): void {
  for (let i = 0; i < count; i++, from += stepX, to += stepY) y[to] = (x[from] - centre) * scale + bias;
}

/** With x̂ = (x − mean) · r, r = 1/√(variance + ε): dw = Σ g·x̂, db = Σ g, dx = r · w · (g − mean(g) − x̂ · mean(g·x̂)). */
export const batchNormGrad: Kernels['batchNormGrad'] = (gradOut, input, weight, mean, variance, eps, gradInput, gradWeight, gradBias) => {
  if (!floats(input.dtype, gradOut, weight, mean, variance, gradInput, gradWeight, gradBias)) return false;
  const [N, C, S] = input.shape;
  const x = input.buffer.data;
  const g = gradOut.buffer.data;
  const w = gathered(weight, C, 1);
  const means = gathered(mean, C, 0);
  const variances = gathered(variance, C, 0);
  const dw = new Float64Array(C);
  const db = new Float64Array(C);
  for (let c = 0; c < C; c++) {
    const centre = means[c];
    const r = 1 / Math.sqrt(variances[c] + eps);
    const atG = start(gradOut) + c * gradOut.strides[1];
    const atX = start(input) + c * input.strides[1];
    let sum = 0;
    let product = 0;
    for (let n = 0; n < N; n++) {
      const p = atG + n * gradOut.strides[0];
      sum += sumOf(g, p, gradOut.strides[2], S);
      product += centredProduct(g, p, gradOut.strides[2], x, atX + n * input.strides[0], input.strides[2], S, centre);
    }
    dw[c] = product * r;
    db[c] = sum;
    if (gradInput === null) continue;
    const shift = sum / (N * S);
    const slope = (product * r * r) / (N * S);
    for (let n = 0; n < N; n++) {
      const to = start(gradInput) + n * gradInput.strides[0] + c * gradInput.strides[1];
      const p = atG + n * gradOut.strides[0];
      const q = atX + n * input.strides[0];
      const data = gradInput.buffer.data;
      const [stepG, stepX, stepOut] = [gradOut.strides[2], input.strides[2], gradInput.strides[2]];
      rowGradient(g, p, stepG, x, q, stepX, data, to, stepOut, S, centre, r * w[c], shift, slope);
    }
  }
  scattered(dw, gradWeight);
  scattered(db, gradBias);
  return true;
};

/** Σ g · (x − centre). */
function centredProduct(
  g: TypedArray,
  p: number,
  stepG: number,
  x: TypedArray,
  q: number,
  stepX: number,
  count: number,
  centre: number,
): number {
  let sum = 0;
  for (let i = 0; i < count; i++, p += stepG, q += stepX) sum += g[p] * (x[q] - centre);
  return sum;
}

function rowGradient(
  g: TypedArray,
  p: number,
  stepG: number,
  x: TypedArray,
  q: number,
  stepX: number,
  out: TypedArray,
  to: number,
  stepOut: number,
  count: number,
  centre: number,
  scale: number,
  shift: number,
  slope: number,
): void {
  for (let i = 0; i < count; i++, p += stepG, q += stepX, to += stepOut) out[to] = scale * (g[p] - shift - (x[q] - centre) * slope);
}
