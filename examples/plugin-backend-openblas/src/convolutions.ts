/** @file Convolutions and their gradients as products with the matrix of patches, image by image and group by group. */
import type { CpuBackend, CpuBuffer } from '@tessera/backend-cpu';
import type { AcceleratedKernels, Window } from '@tessera/core';
import type { OpenBlas } from './open-blas.js';
import { contiguous, type CpuView, type Floats, floatsLike, isFloat, store } from './operands.js';
import { addColumns, type Geometry, isPointwise, three, toColumns, volume, window3 } from './patches.js';

type Kernels = AcceleratedKernels<CpuBuffer>;

/** Products with fewer rows or terms (depthwise convolutions) are not what gemm is good at. */
const SMALL = 8;

interface Sizes extends Geometry {
  readonly images: number;
  readonly groups: number;
  /** Output channels of a group. */
  readonly rows: number;
  /** Terms of a sum: channels of a group times taps. */
  readonly terms: number;
  readonly positions: number;
}

/** From the views of the forward pass: input (N, C, …), weight (O, C/groups, …), output (N, O, …). */
function sizesOf(input: CpuView, weight: CpuView, output: CpuView, window: Window, groups: number): Sizes {
  const [images, all] = input.shape as readonly [number, number];
  const channels = all / groups;
  const kernel = three(weight.shape.slice(2), 1);
  const out = three(output.shape.slice(2), 1);
  return {
    ...window3(window),
    channels,
    input: three(input.shape.slice(2), 1),
    output: out,
    kernel,
    images,
    groups,
    rows: weight.shape[0]! / groups,
    terms: channels * volume(kernel),
    positions: volume(out),
  };
}

const worthIt = ({ rows, terms, positions }: Sizes): boolean => rows >= SMALL && terms >= SMALL && positions >= SMALL;
const plain = (data: Floats, at: number, ld: number, transposed = false) => ({ data: data.subarray(at), ld, transposed });

/** Calls `visit` for each image and group with the offsets of its parts in the input, the weight and the output. */
function eachGroup(
  { images, groups, channels, input, rows, terms, positions }: Sizes,
  visit: (x: number, w: number, y: number, n: number) => void,
): void {
  const plane = channels * volume(input);
  for (let n = 0; n < images; n++)
    for (let g = 0; g < groups; g++) visit((n * groups + g) * plane, g * rows * terms, (n * groups + g) * rows * positions, n);
}

export function convolutionsBy(
  blas: OpenBlas,
  cpu: CpuBackend['kernels'],
): Pick<Kernels, 'convolution' | 'convolutionInputGrad' | 'convolutionWeightGrad'> {
  return {
    convolution(input, weight, bias, out, window, groups) {
      const s = sizesOf(input, weight, out, window, groups);
      const alike = [input, weight, bias].every((x) => x === null || x.dtype === out.dtype);
      if (!isFloat(out) || !alike || !worthIt(s)) return cpu.convolution!(input, weight, bias, out, window, groups);
      const [x, w] = [contiguous(input), contiguous(weight)];
      const y = floatsLike(out, s.images * s.groups * s.rows * s.positions);
      const columns = isPointwise(s) ? null : floatsLike(out, s.terms * s.positions);
      if (bias !== null) {
        const values = contiguous(bias);
        for (let i = 0; i < s.images * values.length; i++) y.fill(values[i % values.length]!, i * s.positions, (i + 1) * s.positions);
      }
      eachGroup(s, (xAt, wAt, yAt) => {
        if (columns !== null) toColumns(s, x.subarray(xAt), columns);
        const patches = plain(columns ?? x, columns === null ? xAt : 0, s.positions);
        blas.gemm(s.rows, s.positions, s.terms, plain(w, wAt, s.terms), patches, bias === null ? 0 : 1, y.subarray(yAt), s.positions);
      });
      store(y, out);
      return true;
    },

    convolutionInputGrad(gradOut, weight, gradInput, window, groups) {
      const s = sizesOf(gradInput, weight, gradOut, window, groups);
      if (!isFloat(gradInput) || gradOut.dtype !== gradInput.dtype || weight.dtype !== gradInput.dtype || !worthIt(s))
        return cpu.convolutionInputGrad!(gradOut, weight, gradInput, window, groups);
      const [g, w] = [contiguous(gradOut), contiguous(weight)];
      const x = floatsLike(gradInput, s.images * s.groups * s.channels * volume(s.input));
      const columns = floatsLike(gradInput, s.terms * s.positions);
      eachGroup(s, (xAt, wAt, yAt) => {
        blas.gemm(s.terms, s.positions, s.rows, plain(w, wAt, s.terms, true), plain(g, yAt, s.positions), 0, columns, s.positions);
        addColumns(s, columns, x.subarray(xAt));
      });
      store(x, gradInput);
      return true;
    },

    convolutionWeightGrad(input, gradOut, gradWeight, window, groups) {
      const s = sizesOf(input, gradWeight, gradOut, window, groups);
      if (!isFloat(gradWeight) || input.dtype !== gradWeight.dtype || gradOut.dtype !== gradWeight.dtype || !worthIt(s))
        return cpu.convolutionWeightGrad!(input, gradOut, gradWeight, window, groups);
      const [x, g] = [contiguous(input), contiguous(gradOut)];
      const w = floatsLike(gradWeight, s.groups * s.rows * s.terms);
      const columns = floatsLike(gradWeight, s.terms * s.positions);
      eachGroup(s, (xAt, wAt, yAt, n) => {
        toColumns(s, x.subarray(xAt), columns);
        blas.gemm(
          s.rows,
          s.terms,
          s.positions,
          plain(g, yAt, s.positions),
          plain(columns, 0, s.positions, true),
          n === 0 ? 0 : 1,
          w.subarray(wAt),
          s.terms,
        );
      });
      store(w, gradWeight);
      return true;
    },
  };
}
