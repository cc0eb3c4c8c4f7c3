/**
 * @file Convolution and its two gradients as products whose operands are read in place (implicit matrix products, no unrolled windows).
 * With T taps and P positions, for each group: output (O, N·P) = weight (O, C·T) · windows (C·T, N·P); the input's gradient (C, N·Pin) =
 * weightᵀ (C, O·T) · (O·T, N·Pin); the weight's gradient (O, C·T) = gradOut (O, N·P) · windowsᵀ (N·P, C·T).
 */
import type { AcceleratedKernels, Window } from '@tessera/core/backend';
import type { Context } from '../kernels/context.js';
import { epilogueResult, takesEpilogue } from '../kernels/epilogue.js';
import type { Operand, Product } from '../kernels/operand.js';
import { launchProduct } from '../kernels/product.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import type { GpuView } from '../wgsl/views.js';
import {
  imageOperand,
  inImage,
  reverseOperand,
  spatial,
  storeImage,
  storeWeight,
  weightOperand,
  windowOperand,
} from './convolution-operands.js';

type Kernels = AcceleratedKernels<WebGpuBuffer>;

const product = (sizes: readonly number[]): number => sizes.reduce((n, size) => n * size, 1);
/** The spatial sizes of a convolution's output. */
const outputSizes = (input: GpuView, weight: GpuView, { stride, padding, dilation }: Window): number[] =>
  spatial(input).map((size, d) => Math.floor((size + 2 * padding[d] - dilation[d] * (weight.shape[d + 2] - 1) - 1) / stride[d]) + 1);

const takes = (...views: readonly (GpuView | null)[]): boolean =>
  views.every((view) => view === null || (view.dtype === 'float32' && view.shape.length <= 5));

export function createConvolution(
  context: Context,
): Pick<Kernels, 'convolution' | 'convolutionPointwise' | 'convolutionInputGrad' | 'convolutionWeightGrad'> {
  const run = (label: string, groups: number, parts: Pick<Product, 'rows' | 'columns' | 'inner' | 'a' | 'b' | 'out'>): true => {
    launchProduct(context, {
      label,
      type: 'f32',
      batch: groups,
      aRowsFast: false,
      bColumnsFast: label !== 'convolutionWeightGrad',
      ...parts,
    });
    context.release();
    return true;
  };
  /** Of a result with these sizes, that goes to `out`. */
  const forward = (
    label: string,
    input: GpuView,
    weight: GpuView,
    sizes: readonly number[],
    window: Window,
    groups: number,
    out: Operand,
  ): true =>
    run(label, groups, {
      rows: weight.shape[0] / groups,
      columns: input.shape[0] * product(sizes),
      inner: weight.shape[1] * product(spatial(weight)),
      a: weightOperand(weight, groups, 'filters'),
      b: windowOperand(input, sizes, spatial(weight), window, groups, 'positions'),
      out,
    });
  return {
    convolution: (input, weight, bias, out, window, groups) =>
      takes(input, weight, bias, out) && forward('convolution', input, weight, spatial(out), window, groups, storeImage(out, groups, bias)),
    convolutionPointwise: (input, weight, bias, window, groups, program, scalars, inputs, outputs) => {
      const epilogue = { program, scalars, inputs, outputs };
      if (!takes(input, weight, bias) || !takesEpilogue(epilogue)) return false;
      const sizes = outputSizes(input, weight, window);
      const place = inImage(weight.shape[0], groups, product(sizes));
      return forward('convolution and pointwise', input, weight, sizes, window, groups, epilogueResult(place, bias, epilogue));
    },
    convolutionInputGrad: (gradOut, weight, gradInput, window, groups) =>
      takes(gradOut, weight, gradInput) &&
      run('convolutionInputGrad', groups, {
        rows: weight.shape[1],
        columns: gradInput.shape[0] * product(spatial(gradInput)),
        inner: (weight.shape[0] / groups) * product(spatial(weight)),
        a: weightOperand(weight, groups, 'channels'),
        b: reverseOperand(gradOut, spatial(gradInput), spatial(weight), window, groups),
        out: storeImage(gradInput, groups, null),
      }),
    convolutionWeightGrad: (input, gradOut, gradWeight, window, groups) =>
      takes(input, gradOut, gradWeight) &&
      run('convolutionWeightGrad', groups, {
        rows: gradWeight.shape[0] / groups,
        columns: gradWeight.shape[1] * product(spatial(gradWeight)),
        inner: gradOut.shape[0] * product(spatial(gradOut)),
        a: imageOperand(gradOut, groups),
        b: windowOperand(input, spatial(gradOut), spatial(gradWeight), window, groups, 'taps'),
        out: storeWeight(gradWeight, groups),
      }),
  };
}
