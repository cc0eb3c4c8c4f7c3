/** @file Resizing without aliasing: each output place is a mean of the input places under a filter, which grows with the step where the input shrinks. */
import { NotSupportedError, tensor, type Tensor } from '@tessera/core';

export type AntialiasMode = 'bilinear' | 'bicubic';

/** A filter of x ≥ 0, which is 0 from `reach` on. */
interface Filter {
  readonly reach: number;
  readonly at: (x: number) => number;
}

const FILTERS: Readonly<Record<AntialiasMode, Filter>> = {
  bilinear: { reach: 1, at: (x) => (x < 1 ? 1 - x : 0) },
  /** Keys's cubic convolution (1981) with A = −0.5, as PIL has it; without antialiasing A is −0.75. */
  bicubic: {
    reach: 2,
    at: (x) => (x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? -0.5 * (((x - 5) * x + 8) * x - 4) : 0),
  },
};

/**
 * What each of `out` places reads of `length`: a matrix (out, length), row-major, whose rows have the sum 1. With `round`, steps and centres are
 * rounded as PyTorch does in the input's dtype: at the filter's edge a rounding decides whether a place is read.
 * PyTorch: compute_indices_weights_aa.
 */
function weightsOf(
  { reach, at }: Filter,
  length: number,
  out: number,
  align: boolean,
  scale: number | null,
  round: (x: number) => number,
): Float64Array {
  const step = align ? (out > 1 ? round((length - 1) / (out - 1)) : 0) : round(scale !== null && scale > 0 ? 1 / scale : length / out);
  const support = round(reach * Math.max(step, 1));
  const shrink = round(1 / Math.max(step, 1));
  const most = Math.ceil(support) * 2 + 1;
  const weights = new Float64Array(out * length);
  for (let o = 0; o < out; o++) {
    const centre = round(step * (o + 0.5));
    const first = Math.max(Math.trunc(round(centre - support) + 0.5), 0);
    const end = Math.min(Math.trunc(round(centre + support) + 0.5), length, first + most);
    let total = 0;
    for (let i = first; i < end; i++) total += weights[o * length + i] = at(Math.abs(round((round(i - centre) + 0.5) * shrink)));
    if (total !== 0) for (let i = first; i < end; i++) weights[o * length + i]! /= total;
  }
  return weights;
}

/**
 * x (N, C, H, W) resized to `out`, dim after dim: W · x · Wᵀ with matrices of weights. A dim that keeps its size is left alone, whatever its scale.
 * An element that is not finite shows in its whole row and column of the result, as 0 · ∞ is NaN. PyTorch: _upsample_bilinear2d_aa and
 * _upsample_bicubic2d_aa. Not followed where the output is one column wide (PyTorch 2.9 on CPUs repeats the first row), and in the gradient of a dim that
 * keeps its size (PyTorch applies its scale there, unlike forwards).
 *
 * @throws NotSupportedError `ERR_ANTIALIAS` for integers and bools.
 */
export function resizeAntialiased(
  x: Tensor,
  mode: AntialiasMode,
  out: readonly number[],
  align: boolean,
  scales: readonly (number | null)[],
): Tensor {
  const { dtype, device } = x;
  if (!x.isFloatingPoint()) {
    throw new NotSupportedError(
      'ERR_ANTIALIAS',
      `interpolate: antialias is for floating-point tensors, not ${dtype}; use x.float() first`,
      {
        op: 'interpolate',
        dtypes: [dtype],
      },
    );
  }
  const round = dtype === 'float64' ? (value: number): number => value : Math.fround;
  const matrix = (axis: number): Tensor => {
    const [length, size] = [x.shape[axis + 2]!, out[axis]!];
    return tensor(weightsOf(FILTERS[mode], length, size, align, scales[axis]!, round), { dtype, device }).reshape([size, length]);
  };
  const changes = (axis: number): boolean => x.shape[axis + 2] !== out[axis];
  const wide = changes(1) ? x.matmul(matrix(1).t()) : x;
  return changes(0) ? matrix(0).matmul(wide) : changes(1) ? wide : x.clone();
}
