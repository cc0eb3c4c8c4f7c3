/**
 * @file The gradient of a convolution by its weight: gradWeight[o, c, t] = Σ over images and positions of gradOut[o, i] · in[c, i · stride + offset(t)],
 * a matrix product whose depth runs through all positions of all images, summed in float64.
 */
import type { AcceleratedKernels, TypedArray } from '@tessera/core/backend';
import { DEPTH, type DepthBlock, multiplyBlocks } from '../gemm/blocked.js';
import { StridedLanes } from '../gemm/lanes.js';
import type { Sink } from '../gemm/matrix.js';
import type { CpuBuffer } from '../memory/cpu-buffer.js';
import { type Positions, type Source, type Taps, tapsOf } from './correlation.js';
import { correlationSums } from './direct.js';
import { Patches } from './patches.js';
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
  const count = g.sizes[0] * g.sizes[1] * g.sizes[2];
  // One row by one channel (a depthwise convolution) is not worth packing for.
  const patches = rows === 1 && channels === 1 ? null : new Patches(channels, taps, positions);
  for (let group = 0; group < groups; group++) {
    const at = w.at + group * rows * w.strideN;
    if (patches === null) {
      const sums = correlationSums(images(x, g, group, 1, 1), taps, positions);
      for (let t = 0; t < taps.count; t++) w.data[at + taps.weights[t]] = sums[t];
    } else {
      const blocks = (): Iterable<DepthBlock> => depthBlocks(x, g, group, rows, channels, patches);
      multiplyBlocks(rows, channels * taps.count, blocks, new WeightSink(w, at, taps), null, Math.min(DEPTH, count));
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

/** Rows of a block are channels of the output, columns are weights, both along positions of one image. */
function* depthBlocks(x: Planes, g: Planes, group: number, rows: number, channels: number, patches: Patches): Generator<DepthBlock> {
  const [, H, W] = g.sizes;
  for (const { source, grad } of images(x, g, group, rows, channels)) {
    const { data, at, strideC, stride } = flattened(grad);
    for (const band of patches.bands(source)) {
      const lanes = new StridedLanes(data, at + (band.d * H + band.h) * W * stride, strideC, stride);
      const count = band.rows * W;
      for (let from = 0; from < count; from += DEPTH)
        yield { rows: lanes, columns: patches.byTap, from, depth: Math.min(DEPTH, count - from) };
    }
  }
}

interface Flat {
  readonly data: TypedArray;
  readonly at: number;
  readonly strideC: number;
  readonly stride: number;
}

/** The channels of an image as rows of equal stride; copied where they are not. */
function flattened({ data, at, channels, strideC, sizes, strides }: Source): Flat {
  const stride = flatStride(sizes, strides);
  if (stride !== 0) return { data, at, strideC, stride };
  const count = sizes[0] * sizes[1] * sizes[2];
  const copy = new Float64Array(channels * count);
  for (let c = 0, i = 0; c < channels; c++) {
    for (let d = 0; d < sizes[0]; d++) {
      for (let h = 0; h < sizes[1]; h++) {
        let p = at + c * strideC + d * strides[0] + h * strides[1];
        for (let w = 0; w < sizes[2]; w++, p += strides[2]) copy[i++] = data[p];
      }
    }
  }
  return { data: copy, at: 0, strideC: count, stride: 1 };
}

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
