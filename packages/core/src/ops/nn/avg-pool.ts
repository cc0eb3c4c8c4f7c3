/** @file Average pooling over 1 to 3 spatial dims, and its gradient, which is linear and so has the pooling itself as gradient. */
import type { Window } from '../../backend/contract.js';
import { ValueError } from '../../errors.js';
import { DTYPE_INFO } from '../../tensor/dtype.js';
import { numelOf, type Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { indexValue, type Value } from '../../tensor/value.js';
import { cast } from '../cast.js';
import { e } from '../expression.js';
import { zerosOf } from '../fill.js';
import { sum } from '../reduce.js';
import { OPS } from '../registry.js';
import { attach, declined, emptyValue, launched, recording, viewOf, viewOfValue, wrap } from '../result.js';
import { outputSizes, requireOutput, type SpatialSize } from './geometry.js';
import { batchOfPlanes, poolWindow, unbatch } from './pool-window.js';
import { addWindows, placed, windowsOf } from './windows.js';
import { checkOptions, type OptionNames } from '../../options.js';

const AVG_POOL1D_OPTIONS: OptionNames<Omit<AvgPoolOptions, 'divisorOverride'>> = {
  stride: true,
  padding: true,
  ceilMode: true,
  countIncludePad: true,
};
const AVG_POOL_OPTIONS: OptionNames<AvgPoolOptions> = {
  stride: true,
  padding: true,
  ceilMode: true,
  countIncludePad: true,
  divisorOverride: true,
};

/** Options of {@link avgPool2d} and its kin; a number stands for all spatial dims. */
export interface AvgPoolOptions {
  /** Default: the kernel's size. */
  readonly stride?: SpatialSize | null;
  /** Zeros on both sides; at most half the kernel. Default 0. */
  readonly padding?: SpatialSize;
  readonly ceilMode?: boolean;
  /** Do the padding's zeros count in the mean? Default true. */
  readonly countIncludePad?: boolean;
  /** Divides by this in place of the window's size. */
  readonly divisorOverride?: number | null;
}

type Divisor = 'padded' | 'valid' | number;

OPS.set('avgPool', { name: 'avgPool', inputs: 1, differentiable: true });

function avgPool(x: Tensor, out: Shape, kernel: Shape, w: Window, divisor: Divisor, name: string): Tensor {
  const { compute } = DTYPE_INFO[x.dtype];
  if (compute !== x.dtype) return cast(avgPool(cast(x, compute), out, kernel, w, divisor, name), x.dtype);
  const pooled = launchAvgPool(x.detach(), [x.shape[0]!, x.shape[1]!, ...out], kernel, w, divisor);
  if (recording(x)) {
    const { shape } = x;
    attach(pooled, name, [x], (grad) => [avgPoolGrad(grad, shape, kernel, w, divisor, name)]);
  }
  return pooled;
}

function avgPoolGrad(gradOut: Tensor, shape: Shape, kernel: Shape, w: Window, divisor: Divisor, name: string): Tensor {
  const grad = launchAvgPoolGrad(gradOut.detach(), shape, kernel, w, divisor);
  if (recording(gradOut)) {
    const out = gradOut.shape.slice(2);
    attach(grad, `${name}Backward`, [gradOut], (g) => [avgPool(g, out, kernel, w, divisor, name)]);
  }
  return grad;
}

function launchAvgPool(x: Tensor, shape: Shape, kernel: Shape, w: Window, divisor: Divisor): Tensor {
  const { device, dtype } = x;
  const { kernels } = device;
  if (numelOf(shape) === 0) return zerosOf(x, shape);
  if (kernels.avgPool !== undefined && (dtype === 'float32' || dtype === 'float64')) {
    const out = emptyValue(device, dtype, shape);
    if (kernels.avgPool(viewOf(x), viewOfValue(out), kernel, w, divisor)) {
      launched(device, 'avgPool', shape);
      return wrap(out);
    }
    declined(out);
  }
  const sizes = shape.slice(2);
  const total = sum(
    windowsOf(x, kernel, sizes, w, 0),
    kernel.map((_, i) => 2 + sizes.length + i),
  );
  return divided(total, x.shape.slice(2), kernel, w, divisor);
}

function launchAvgPoolGrad(gradOut: Tensor, shape: Shape, kernel: Shape, w: Window, divisor: Divisor): Tensor {
  const { device, dtype } = gradOut;
  const { kernels } = device;
  if (numelOf(shape) === 0 || gradOut.numel() === 0) return zerosOf(gradOut, shape);
  if (kernels.avgPoolGrad !== undefined && (dtype === 'float32' || dtype === 'float64')) {
    const out = emptyValue(device, dtype, shape);
    if (kernels.avgPoolGrad(viewOf(gradOut), viewOfValue(out), kernel, w, divisor)) {
      launched(device, 'avgPoolGrad', shape);
      return wrap(out);
    }
    declined(out);
  }
  const share = divided(gradOut, shape.slice(2), kernel, w, divisor).realize();
  return addWindows(gradOut, shape, kernel, gradOut.shape.slice(2), w, (p) => placed(share, p));
}

/** Each window's entry of `x` (N, C, …) divided by what the window's divisor is. */
function divided(x: Tensor, sizes: Shape, kernel: Shape, w: Window, divisor: Divisor): Tensor {
  const by = typeof divisor === 'number' ? divisor : counts(x, sizes, kernel, w, divisor);
  if (x.dtype !== 'int32') return wrap(e.div(x.value, typeof by === 'number' ? by : e.cast(by, x.dtype)));
  return wrap(e.idiv(x.value, by));
}

/** How many elements each window has inside the input ('valid') or the padded input: the same number for all, or by position. */
function counts(x: Tensor, sizes: Shape, kernel: Shape, w: Window, of: 'padded' | 'valid'): number | Value {
  let constant = 1;
  let varying: Value | null = null;
  for (let i = 0; i < kernel.length; i++) {
    const size = sizes[i]!;
    const padding = w.padding[i]!;
    const end = of === 'padded' ? size + padding : size;
    const last = (x.shape[i + 2]! - 1) * w.stride[i]! - padding + kernel[i]!;
    if (last <= end && (of === 'padded' || padding === 0)) {
      constant *= kernel[i]!;
      continue;
    }
    const start = e.sub(e.mul(indexValue(x.shape, i + 2, x.device), w.stride[i]!), padding);
    const count = e.sub(e.min(e.add(start, kernel[i]!), end), of === 'padded' ? start : e.max(start, 0));
    varying = varying === null ? count : e.mul(varying, count);
  }
  return varying === null ? constant : e.mul(varying, constant);
}

function avgPoolNd(op: string, n: number, input: Tensor, kernelSize: SpatialSize, o: AvgPoolOptions): Tensor {
  const { kernel, window } = poolWindow(op, n, kernelSize, { stride: o.stride, padding: o.padding });
  const override = o.divisorOverride ?? null;
  if (override === 0) throw new ValueError('ERR_POOL_DIVISOR', `${op}: divisor must be not zero`, { op });
  const x = batchOfPlanes(op, n, input);
  const out = outputSizes(x.shape.slice(2), kernel, window, o.ceilMode);
  requireOutput(op, input.shape, out);
  const divisor = override ?? (o.countIncludePad === false ? 'valid' : 'padded');
  return unbatch(avgPool(x, out, kernel, window, divisor, `AvgPool${n}DBackward0`), input);
}

/** The mean of each window along the last dim of (N, C, L) or (C, L). PyTorch: F.avg_pool1d. */
export function avgPool1d(input: Tensor, kernelSize: SpatialSize, options: Omit<AvgPoolOptions, 'divisorOverride'> = {}): Tensor {
  checkOptions('avgPool1d', options, AVG_POOL1D_OPTIONS);
  return avgPoolNd('avgPool1d', 1, input, kernelSize, options);
}

/**
 * The mean of each window over (N, C, H, W) or (C, H, W). PyTorch: F.avg_pool2d.
 *
 * @throws ValueError `ERR_POOL_WINDOW`, `ERR_POOL_DIVISOR`; ShapeError `ERR_POOL_RANK`, `ERR_POOL_OUTPUT`.
 * @example avgPool2d(x, 2, { padding: 1, countIncludePad: false })
 */
export function avgPool2d(input: Tensor, kernelSize: SpatialSize, options: AvgPoolOptions = {}): Tensor {
  checkOptions('avgPool2d', options, AVG_POOL_OPTIONS);
  return avgPoolNd('avgPool2d', 2, input, kernelSize, options);
}

/** As {@link avgPool2d} over (N, C, D, H, W) or (C, D, H, W). PyTorch: F.avg_pool3d. */
export function avgPool3d(input: Tensor, kernelSize: SpatialSize, options: AvgPoolOptions = {}): Tensor {
  checkOptions('avgPool3d', options, AVG_POOL_OPTIONS);
  return avgPoolNd('avgPool3d', 3, input, kernelSize, options);
}
