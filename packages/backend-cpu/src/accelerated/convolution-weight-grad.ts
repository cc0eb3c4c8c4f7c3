/**
 * @file The gradient of a convolution by its weight: gradWeight[o, c, t] = Σ over images and positions of gradOut[o, i] · in[c, i · stride + offset(t)],
 * a matrix product whose depth runs through all positions of all images, summed in float64.
 */
import type { AcceleratedKernels } from '@tessera/core';
import { DEPTH, type DepthBlock, multiplyBlocks } from '../gemm/blocked.js';
import { StridedLanes } from '../gemm/lanes.js';
import type { Sink } from '../gemm/matrix.js';
import type { CpuBuffer } from '../memory/cpu-buffer.js';
import { type Positions, type Source, type Taps, tapsOf } from './correlation.js';
import { correlationSums } from './direct.js';
import { TapLanes } from './patch-lanes.js';
import { flatStride, type Planes, planesOf, takesPlanes, window3 } from './planes.js';

type Kernels = Required<AcceleratedKernels<CpuBuffer>>;

export const convolutionWeightGrad: Kernels['convolutionWeightGrad'] = (input, gradOut, gradWeight, window, groups) => {
  if (!takesPlanes(input, gradOut, gradWeight)) return false;
  const { stride, padding, dilation } = window3(window);
  const x = planesOf(input);
  const g = planesOf(gradOut);
  const w = planesOf(gradWeight);
  const taps = tapsOf(w.sizes, w.strides, (tap, dim) => tap * dilation[dim] - padding[dim]);
  const positions: Positions = { sizes: g.sizes, step: stride };
  const rows = g.C / groups;
  const channels = x.C / groups;
  for (let group = 0; group < groups; group++) {
    const at = w.at + group * rows * w.strideN;
    if (rows === 1 && channels === 1) {
      const sums = correlationSums(images(x, g, group, 1, 1), taps, positions);
      for (let t = 0; t < taps.count; t++) w.data[at + taps.weights[t]] = sums[t];
    } else {
      const sink = new WeightSink(w, at, taps);
      multiplyBlocks(rows, channels * taps.count, () => depthBlocks(x, g, group, rows, channels, taps, positions), sink);
    }
  }
  return true;
};

/** Each image's channels of one group, and the gradients of its outputs. */
function* images(x: Planes, g: Planes, group: number, rows: number, channels: number): Generator<{ source: Source; grad: Source }> {
  for (let n = 0; n < x.N; n++) {
    yield {
      source: { ...x, at: x.at + n * x.strideN + group * channels * x.strideC, channels },
      grad: { ...g, at: g.at + n * g.strideN + group * rows * g.strideC, channels: rows },
    };
  }
}

/** Rows of a block are channels of the output, columns are weights, both along the positions of one image. */
function* depthBlocks(
  x: Planes,
  g: Planes,
  group: number,
  rows: number,
  channels: number,
  taps: Taps,
  positions: Positions,
): Generator<DepthBlock> {
  const count = positions.sizes[0] * positions.sizes[1] * positions.sizes[2];
  const flat = flatStride(g.sizes, g.strides);
  for (const { source, grad } of images(x, g, group, rows, channels)) {
    const rowLanes =
      flat === 0
        ? new TapLanes(grad, IDENTITY, { sizes: g.sizes, step: [1, 1, 1] })
        : new StridedLanes(grad.data, grad.at, grad.strideC, flat);
    const columns = new TapLanes(source, taps, positions);
    for (let from = 0; from < count; from += DEPTH) yield { rows: rowLanes, columns, from, depth: Math.min(DEPTH, count - from) };
  }
}

/** One tap, at the position itself. */
const IDENTITY: Taps = tapsOf([1, 1, 1], [0, 0, 0], () => 0);

/** Rows are output channels, columns are input channels and taps. */
class WeightSink implements Sink {
  constructor(
    readonly weight: Planes,
    readonly at: number,
    readonly taps: Taps,
  ) {}

  store(sums: Float64Array, from: number, row: number, column: number, count: number): void {
    const { weight, at, taps } = this;
    for (const end = column + count; column < end; column++, from++) {
      const t = column % taps.count;
      weight.data[at + row * weight.strideN + ((column - t) / taps.count) * weight.strideC + taps.weights[t]] = sums[from];
    }
  }
}
