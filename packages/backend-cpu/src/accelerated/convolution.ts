/** @file Convolution and its gradient by the input: correlations, image by image and group by group. */
import type { AcceleratedKernels, View } from '@tessera/core/backend';
import { multiply } from '../gemm/blocked.js';
import type { Matrix } from '../gemm/matrix.js';
import { PackedLanes } from '../gemm/packed-lanes.js';
import type { CpuBuffer } from '../memory/cpu-buffer.js';
import { type Positions, type Source, type Taps, tapsOf } from './correlation.js';
import { correlateRow, storeZeros } from './direct.js';
import { GridSink } from './grid-sink.js';
import { Patches } from './patches.js';
import { type Planes, planesOf, takesPlanes, type Three, window3 } from './planes.js';

type Kernels = Required<AcceleratedKernels<CpuBuffer>>;
type CpuView = View<CpuBuffer>;

export const convolution: Kernels['convolution'] = (input, weight, bias, out, window, groups) => {
  if (!takesPlanes(input, weight, out) || (bias !== null && bias.dtype !== out.dtype)) return false;
  const { stride, padding, dilation } = window3(window);
  const x = planesOf(input);
  const y = planesOf(out);
  const w = planesOf(weight);
  const taps = tapsOf(w.sizes, w.strides, (tap, dim) => tap * dilation[dim] - padding[dim]);
  // weight (O, C/groups, …): rows are output channels.
  const rows = { count: y.C / groups, stride: w.strideN, group: (w.N / groups) * w.strideN };
  correlate({ from: x, to: y, weight: w, rows, columnStride: w.strideC, taps, positions: { sizes: y.sizes, step: stride }, groups, bias });
  return true;
};

export const convolutionInputGrad: Kernels['convolutionInputGrad'] = (gradOut, weight, gradInput, window, groups) => {
  if (!takesPlanes(gradOut, weight, gradInput)) return false;
  const { stride, padding, dilation } = window3(window);
  const g = planesOf(gradOut);
  const x = planesOf(gradInput);
  const w = planesOf(weight);
  // weight (O, C/groups, …): rows are input channels.
  const rows = { count: x.C / groups, stride: w.strideC, group: (w.N / groups) * w.strideN };
  for (let d = 0; d < Math.min(stride[0], x.sizes[0]); d++) {
    for (let h = 0; h < Math.min(stride[1], x.sizes[1]); h++) {
      for (let v = 0; v < Math.min(stride[2], x.sizes[2]); v++) {
        const phase = [d, h, v] as const;
        const taps = tapsOf(w.sizes, w.strides, (tap, dim) => {
          const distance = phase[dim] + padding[dim] - tap * dilation[dim];
          return distance % stride[dim] === 0 ? distance / stride[dim] : null;
        });
        const to = everyNth(x, phase, stride);
        correlate({
          from: g,
          to,
          weight: w,
          rows,
          columnStride: w.strideN,
          taps,
          positions: { sizes: to.sizes, step: [1, 1, 1] },
          groups,
          bias: null,
        });
      }
    }
  }
  return true;
};

/** Those positions of planes that are `phase` modulo `stride`. */
function everyNth(x: Planes, phase: Three, stride: Three): Planes {
  return {
    ...x,
    at: x.at + phase[0] * x.strides[0] + phase[1] * x.strides[1] + phase[2] * x.strides[2],
    sizes: [
      Math.ceil((x.sizes[0] - phase[0]) / stride[0]),
      Math.ceil((x.sizes[1] - phase[1]) / stride[1]),
      Math.ceil((x.sizes[2] - phase[2]) / stride[2]),
    ],
    strides: [x.strides[0] * stride[0], x.strides[1] * stride[1], x.strides[2] * stride[2]],
  };
}

interface Correlation {
  readonly from: Planes;
  readonly to: Planes;
  readonly weight: Planes;
  /** Rows (channels of `to`) in a group, and where their weights lie. */
  readonly rows: { readonly count: number; readonly stride: number; readonly group: number };
  /** How far apart the weights of two channels of `from` are. */
  readonly columnStride: number;
  readonly taps: Taps;
  readonly positions: Positions;
  readonly groups: number;
  readonly bias: CpuView | null;
}

function correlate({ from, to, weight, rows, columnStride, taps, positions, groups, bias }: Correlation): void {
  const channels = from.C / groups;
  const K = channels * taps.count;
  // A phase that no tap meets has no patches: its results are the bias alone.
  const patches = K > 0 ? new Patches(channels, taps, positions) : null;
  const [D, H, W] = positions.sizes;
  for (let group = 0; group < groups; group++) {
    const weights = weightsOf(weight, weight.at + group * rows.group, rows.count, rows.stride, channels, columnStride, taps);
    const biases: Matrix | null =
      bias === null
        ? null
        : {
            data: bias.buffer.data,
            at: bias.buffer.base + bias.offset + group * rows.count * bias.strides[0],
            down: bias.strides[0],
            across: 0,
          };
    // A single row (a depthwise convolution) is not worth packing for.
    const packed = rows.count > 1 && K > 0 ? PackedLanes.ofRows(weights, rows.count, K) : null;
    for (let n = 0; n < from.N; n++) {
      const source: Source = { ...from, at: from.at + n * from.strideN + group * channels * from.strideC, channels };
      const at = to.at + n * to.strideN + group * rows.count * to.strideC;
      for (const band of patches === null ? [{ d: 0, h: 0, rows: D * H }] : patches.bands(source)) {
        const sizes: Three = patches === null ? positions.sizes : [1, band.rows, W];
        const sink = new GridSink(to.data, at + band.d * to.strides[0] + band.h * to.strides[1], to.strideC, sizes, to.strides);
        if (patches === null) for (let r = 0; r < rows.count; r++) storeZeros(D * H * W, sink, r, biases);
        else if (packed === null) correlateRow(weights, patches, band.rows, W, sink, biases);
        else multiply(rows.count, band.rows * W, K, packed, patches.byPosition, sink, biases);
      }
    }
  }
}

/** Rows of weights, by channel and then tap. */
function weightsOf(
  weight: Planes,
  at: number,
  rows: number,
  rowStride: number,
  channels: number,
  channelStride: number,
  taps: Taps,
): Float64Array {
  const list = new Float64Array(rows * channels * taps.count);
  let to = 0;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < channels; c++) {
      for (let t = 0; t < taps.count; t++) list[to++] = weight.data[at + r * rowStride + c * channelStride + taps.weights[t]];
    }
  }
  return list;
}
