/**
 * @file The three convolution kernels, where the backend has them, and what they decompose into where it has not: windows as strided views
 * (im2col) and matrix products; the gradient by the input adds window offset by window offset. Inputs have one compute dtype and no history.
 */
import type { Window } from '../../backend/contract.js';
import { numelOf, type Shape } from '../../tensor/shape.js';
import { promised } from '../../tensor/producer.js';
import type { Tensor } from '../../tensor/tensor.js';
import { add } from '../arithmetic.js';
import { copy_ } from '../copy.js';
import { zerosOf } from '../fill.js';
import { matmul } from '../matmul.js';
import { declined, emptyValue, launched, viewOf, viewOfValue, wrap } from '../result.js';
import { narrow, permute, reshape } from '../view.js';
import { outputSizes } from './geometry.js';
import { ConvolutionProducer } from './producers.js';
import { addWindows, windowsOf } from './windows.js';

/** Unrolled windows of a part of the batch may take this many elements: 64 MiB of float32. */
const UNROLLED_ELEMENTS = 1 << 24;

const accelerated = (x: Tensor): boolean => x.dtype === 'float32' || x.dtype === 'float64';

/** The batch in runs whose unrolled windows stay within {@link UNROLLED_ELEMENTS}. */
function* runs(batch: number, each: number): Generator<[number, number]> {
  const step = Math.max(1, Math.floor(UNROLLED_ELEMENTS / Math.max(each, 1)));
  for (let start = 0; start < batch; start += step) yield [start, Math.min(step, batch - start)];
}

/** input (N, C, …), weight (O, C/groups, …), bias (O) → (N, O, …). */
export function launchConvolution(input: Tensor, weight: Tensor, bias: Tensor | null, w: Window, groups: number): Tensor {
  const { device, dtype } = input;
  const shape = [input.shape[0]!, weight.shape[0]!, ...outputSizes(input.shape.slice(2), weight.shape.slice(2), w)];
  if (numelOf(shape) === 0) return zerosOf(input, shape);
  const { kernels } = device;
  if (kernels.convolution !== undefined && accelerated(input) && weight.numel() > 0) {
    if (kernels.convolutionPointwise !== undefined && dtype === 'float32') {
      const views = [viewOf(input), viewOf(weight), bias === null ? null : viewOf(bias)] as const;
      const reads = bias === null ? [input.value, weight.value] : [input.value, weight.value, bias.value];
      return wrap(promised(device, dtype, shape, new ConvolutionProducer(device, reads, shape, ...views, w, groups)));
    }
    const out = emptyValue(device, dtype, shape);
    if (kernels.convolution(viewOf(input), viewOf(weight), bias === null ? null : viewOf(bias), viewOfValue(out), w, groups)) {
      launched(device, 'convolution', shape);
      return wrap(out);
    }
    declined(out);
  }
  const product = weight.numel() === 0 ? zerosOf(input, shape) : unrolledConvolution(input, weight, shape, w, groups);
  return bias === null ? product : add(product, reshape(bias, [shape[1]!, ...shape.slice(2).map(() => 1)]));
}

function unrolledConvolution(input: Tensor, weight: Tensor, shape: Shape, w: Window, groups: number): Tensor {
  const [batch, outChannels] = shape as [number, number];
  const kernel = weight.shape.slice(2);
  const sizes = shape.slice(2);
  const positions = numelOf(sizes);
  const taps = weight.shape[1]! * numelOf(kernel);
  const rows = reshape(weight, groups === 1 ? [outChannels, taps] : [groups, outChannels / groups, taps]);
  const part = (x: Tensor): Tensor => {
    // (n, C, ...out, ...kernel) → (n, groups, taps, positions)
    const windows = windowsOf(x, kernel, sizes, w, 0);
    const n = sizes.length;
    const order = [0, 1, ...kernel.map((_, i) => 2 + n + i), ...sizes.map((_, i) => 2 + i)];
    const unrolled = reshape(
      permute(windows, order),
      groups === 1 ? [x.shape[0]!, taps, positions] : [x.shape[0]!, groups, taps, positions],
    );
    return matmul(rows, unrolled);
  };
  const each = taps * groups * positions;
  if (batch * each <= UNROLLED_ELEMENTS) return reshape(part(input), shape);
  const out = zerosOf(input, shape);
  for (const [start, count] of runs(batch, each))
    copy_(narrow(out, 0, start, count), reshape(part(narrow(input, 0, start, count)), [count, ...shape.slice(1)]));
  return out;
}

/** gradOut (N, O, …), weight (O, C/groups, …) → (N, C, …) of `shape`. */
export function launchInputGrad(gradOut: Tensor, weight: Tensor, shape: Shape, w: Window, groups: number): Tensor {
  const { device, dtype } = gradOut;
  if (numelOf(shape) === 0 || gradOut.numel() === 0 || weight.numel() === 0) return zerosOf(gradOut, shape);
  const { kernels } = device;
  if (kernels.convolutionInputGrad !== undefined && accelerated(gradOut)) {
    const out = emptyValue(device, dtype, shape);
    if (kernels.convolutionInputGrad(viewOf(gradOut), viewOf(weight), viewOfValue(out), w, groups)) {
      launched(device, 'convolutionInputGrad', shape);
      return wrap(out);
    }
    declined(out);
  }
  const [batch, outChannels] = gradOut.shape as [number, number];
  const kernel = weight.shape.slice(2);
  const sizes = gradOut.shape.slice(2);
  const positions = numelOf(sizes);
  const taps = weight.shape[1]! * numelOf(kernel);
  const columns = reshape(weight, groups === 1 ? [outChannels, taps] : [groups, outChannels / groups, taps]).transpose(-1, -2);
  const part = (grad: Tensor): Tensor => {
    const n = grad.shape[0]!;
    const unrolled = matmul(
      columns,
      reshape(grad, groups === 1 ? [n, outChannels, positions] : [n, groups, outChannels / groups, positions]),
    );
    const windows = reshape(unrolled, [n, shape[1]!, ...kernel, ...sizes]);
    return addWindows(grad, [n, ...shape.slice(1)], kernel, sizes, w, ({ offset, from, count }) => {
      let piece = windows;
      for (const at of offset) piece = piece.select(2, at);
      for (let i = 0; i < count.length; i++) if (count[i] !== sizes[i]) piece = piece.narrow(i + 2, from[i]!, count[i]!);
      return piece;
    });
  };
  const each = taps * groups * positions;
  if (batch * each <= UNROLLED_ELEMENTS) return part(gradOut);
  const out = zerosOf(gradOut, shape);
  for (const [start, count] of runs(batch, each)) out.narrow(0, start, count).copy_(part(gradOut.narrow(0, start, count)));
  return out;
}

/** input (N, C, …), gradOut (N, O, …) → (O, C/groups, …) of `shape`. */
export function launchWeightGrad(input: Tensor, gradOut: Tensor, shape: Shape, w: Window, groups: number): Tensor {
  const { device, dtype } = input;
  if (numelOf(shape) === 0 || gradOut.numel() === 0 || input.numel() === 0) return zerosOf(input, shape);
  const { kernels } = device;
  if (kernels.convolutionWeightGrad !== undefined && accelerated(input)) {
    const out = emptyValue(device, dtype, shape);
    if (kernels.convolutionWeightGrad(viewOf(input), viewOf(gradOut), viewOfValue(out), w, groups)) {
      launched(device, 'convolutionWeightGrad', shape);
      return wrap(out);
    }
    declined(out);
  }
  const [batch, outChannels] = gradOut.shape as [number, number];
  const kernel = shape.slice(2);
  const sizes = gradOut.shape.slice(2);
  const positions = numelOf(sizes);
  const taps = shape[1]! * numelOf(kernel);
  const rank = sizes.length;
  const part = (x: Tensor, grad: Tensor): Tensor => {
    const n = x.shape[0]!;
    // Products over batch and positions at once: (groups, O/groups, n · positions) · (groups, n · positions, taps).
    const windows = windowsOf(x, kernel, sizes, w, 0).unflatten(1, [groups, shape[1]!]);
    const order = [1, 0, ...sizes.map((_, i) => 3 + i), 2, ...kernel.map((_, i) => 3 + rank + i)];
    const unrolled = reshape(permute(windows, order), [groups, n * positions, taps]);
    const rows = reshape(permute(reshape(grad, [n, groups, outChannels / groups, positions]), [1, 2, 0, 3]), [
      groups,
      outChannels / groups,
      n * positions,
    ]);
    return reshape(matmul(rows, unrolled), shape);
  };
  const each = taps * groups * positions;
  if (batch * each <= UNROLLED_ELEMENTS) return part(input, gradOut);
  let total: Tensor | null = null;
  for (const [start, count] of runs(batch, each)) {
    const sum = part(input.narrow(0, start, count), gradOut.narrow(0, start, count));
    total = total === null ? sum : total.add(sum).realize();
  }
  return total!;
}
