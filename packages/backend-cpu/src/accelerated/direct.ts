/** @file Correlations with one output channel to a group (depthwise ones, above all): tap by tap over whole rows, without patches. */
import { dot } from '../gemm/small.js';
import type { Matrix, Sink } from '../gemm/matrix.js';
import { endInside, firstInside, type Positions, type Source, type Taps } from './correlation.js';

let sums = new Float64Array(0);

/** Row `row` of the output: Σ over channels and taps of weights[c · taps + t] · source. */
export function correlateRow(
  weights: Float64Array,
  source: Source,
  taps: Taps,
  positions: Positions,
  sink: Sink,
  row: number,
  bias: Matrix | null,
): void {
  const [D, H, W] = positions.sizes;
  const [stepD, stepH, stepW] = positions.step;
  if (sums.length < W) sums = new Float64Array(W);
  for (let d = 0; d < D; d++) {
    for (let h = 0; h < H; h++) {
      sums.fill(0, 0, W);
      for (let t = 0; t < taps.count; t++) {
        const z = d * stepD + taps.d[t];
        const y = h * stepH + taps.h[t];
        if (z < 0 || z >= source.sizes[0] || y < 0 || y >= source.sizes[1]) continue;
        const offset = taps.w[t];
        const first = firstInside(stepW, offset);
        const count = endInside(stepW, offset, source.sizes[2], W) - first;
        const at = source.at + z * source.strides[0] + y * source.strides[1] + (first * stepW + offset) * source.strides[2];
        for (let c = 0; c < source.channels; c++)
          addScaled(sums, first, count, source.data, at + c * source.strideC, stepW * source.strides[2], weights[c * taps.count + t]);
      }
      sink.store(sums, 0, row, (d * H + h) * W, W, bias);
    }
  }
}

function addScaled(to: Float64Array, first: number, count: number, data: ArrayLike<number>, at: number, step: number, scale: number): void {
  for (const end = first + count; first < end; first++, at += step) to[first] += scale * data[at];
}

/** The gradient of one channel's weights where each channel has its own: Σ over images and positions of grad · source, for each tap. */
export function correlationSums(
  images: Iterable<{ readonly source: Source; readonly grad: Source }>,
  taps: Taps,
  positions: Positions,
): Float64Array {
  const [D, H, W] = positions.sizes;
  const [stepD, stepH, stepW] = positions.step;
  const totals = new Float64Array(taps.count);
  for (const { source, grad } of images) {
    for (let t = 0; t < taps.count; t++) {
      const offset = taps.w[t];
      const first = firstInside(stepW, offset);
      const count = endInside(stepW, offset, source.sizes[2], W) - first;
      for (let d = 0; d < D; d++) {
        const z = d * stepD + taps.d[t];
        if (z < 0 || z >= source.sizes[0]) continue;
        for (let h = 0; h < H; h++) {
          const y = h * stepH + taps.h[t];
          if (y < 0 || y >= source.sizes[1] || count <= 0) continue;
          const at = source.at + z * source.strides[0] + y * source.strides[1] + (first * stepW + offset) * source.strides[2];
          const g = grad.at + d * grad.strides[0] + h * grad.strides[1] + first * grad.strides[2];
          totals[t] += dot(count, source.data, at, stepW * source.strides[2], grad.data, g, grad.strides[2]);
        }
      }
    }
  }
  return totals;
}
