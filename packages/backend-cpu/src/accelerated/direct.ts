/** @file Correlations with one output channel to a group (depthwise ones, above all): place by place over whole rows, without packing. */
import { dot } from '../gemm/small.js';
import type { Matrix, Sink } from '../gemm/matrix.js';
import { endInside, firstInside, type Positions, type Source, type Taps } from './correlation.js';
import type { Patches } from './patches.js';

let sums = new Float64Array(0);

/** The only row of the output at the positions of a band: Σ over the places of a patch of weights[place] · source[place]. */
export function correlateRow(weights: Float64Array, patches: Patches, rows: number, width: number, sink: Sink, bias: Matrix | null): void {
  const { data, elements, down, across } = patches;
  const count = rows * width;
  if (sums.length < count) sums = new Float64Array(count);
  sums.fill(0, 0, count);
  for (let h = 0; h < rows; h++) {
    const at = h * down;
    let k = 0;
    // Three at a time: a third of the loads and stores of sums.
    for (; k + 3 <= elements.length; k += 3)
      addThree(
        sums,
        h * width,
        width,
        data,
        at + elements[k],
        at + elements[k + 1],
        at + elements[k + 2],
        across,
        weights[k],
        weights[k + 1],
        weights[k + 2],
      );
    for (; k < elements.length; k++) addScaled(sums, h * width, width, data, at + elements[k], across, weights[k]);
  }
  sink.store(sums, 0, 0, 0, count, bias);
}

/** A row of the output that nothing adds to. */
export function storeZeros(count: number, sink: Sink, row: number, bias: Matrix | null): void {
  if (sums.length < count) sums = new Float64Array(count);
  sums.fill(0, 0, count);
  sink.store(sums, 0, row, 0, count, bias);
}

function addThree(
  to: Float64Array,
  i: number,
  count: number,
  data: Float64Array,
  p0: number,
  p1: number,
  p2: number,
  step: number,
  w0: number,
  w1: number,
  w2: number,
): void {
  for (const end = i + count; i < end; i++, p0 += step, p1 += step, p2 += step) to[i] += w0 * data[p0] + w1 * data[p1] + w2 * data[p2];
}

function addScaled(to: Float64Array, i: number, count: number, data: Float64Array, at: number, step: number, scale: number): void {
  for (const end = i + count; i < end; i++, at += step) to[i] += scale * data[at];
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
