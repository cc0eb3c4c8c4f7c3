/** @file Convolution and its gradient by the input, as correlations. */
import type { Correlation, Correlator } from './correlation.js';
import type { ImagePlanes, Three } from './image-planes.js';
import { tapsOf } from './taps.js';

/** The forward pass: weight (O, C/groups, …). */
export function forwardCorrelation(
  input: ImagePlanes,
  weight: ImagePlanes,
  bias: Correlation['bias'],
  out: ImagePlanes,
  [stride, padding, dilation]: readonly [Three, Three, Three],
  groups: number,
): Correlation {
  const taps = tapsOf(weight, (tap, d) => tap * dilation[d] - padding[d]);
  const rows = out.C / groups;
  return {
    from: input,
    to: out,
    groups,
    rows,
    weights: { address: weight.address, row: weight.strideN, channel: weight.strideC, group: rows * weight.strideN },
    taps,
    step: stride,
    bias,
  };
}

/** The gradient by the input: at each phase of the stride, a correlation of stride 1 with those taps that meet it. */
export function inputGradCorrelations(
  correlator: Correlator,
  gradOut: ImagePlanes,
  weight: ImagePlanes,
  gradInput: ImagePlanes,
  [stride, padding, dilation]: readonly [Three, Three, Three],
  groups: number,
): void {
  const rows = gradInput.C / groups;
  for (let d = 0; d < Math.min(stride[0], gradInput.sizes[0]); d++) {
    for (let h = 0; h < Math.min(stride[1], gradInput.sizes[1]); h++) {
      for (let w = 0; w < Math.min(stride[2], gradInput.sizes[2]); w++) {
        const phase = [d, h, w] as const;
        const taps = tapsOf(weight, (tap, dim) => {
          const distance = phase[dim] + padding[dim] - tap * dilation[dim];
          return distance % stride[dim] === 0 ? distance / stride[dim] : null;
        });
        correlator.run({
          from: gradOut,
          to: everyNth(gradInput, phase, stride),
          groups,
          rows,
          weights: {
            address: weight.address,
            row: weight.strideC,
            channel: weight.strideN,
            group: (gradOut.C / groups) * weight.strideN,
          },
          taps,
          step: [1, 1, 1],
          bias: { address: 0, stride: 0 },
        });
      }
    }
  }
}

/** Those positions of planes that are `phase` modulo `stride`. */
function everyNth(x: ImagePlanes, phase: Three, stride: Three): ImagePlanes {
  const size = (d: number): number => Math.ceil((x.sizes[d] - phase[d]) / stride[d]);
  const step = (d: number): number => x.strides[d] * stride[d];
  return {
    ...x,
    address: x.address + phase[0] * x.strides[0] + phase[1] * x.strides[1] + phase[2] * x.strides[2],
    sizes: [size(0), size(1), size(2)],
    strides: [step(0), step(1), step(2)],
  };
}
