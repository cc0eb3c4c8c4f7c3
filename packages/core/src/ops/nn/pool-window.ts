/** @file What max and average pooling share: their windows' checks, and inputs without a batch dim. */
import type { Window } from '../../backend/contract.js';
import { ShapeError, ValueError } from '../../errors.js';
import type { Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { squeeze, unsqueeze } from '../view.js';
import { listed, perDim, type SpatialSize } from './geometry.js';

export interface PoolWindow {
  readonly kernel: Shape;
  readonly window: Window;
}

interface PoolArguments {
  readonly stride?: SpatialSize | null;
  readonly padding?: SpatialSize;
  readonly dilation?: SpatialSize;
}

/** @throws ValueError `ERR_POOL_WINDOW` */
export function poolWindow(op: string, n: number, kernelSize: SpatialSize, o: PoolArguments): PoolWindow {
  const kernel = perDim(kernelSize, n, 'kernelSize', op);
  const given = o.stride ?? null;
  const stride = given === null || (typeof given !== 'number' && given.length === 0) ? kernel : perDim(given, n, 'stride', op);
  const padding = perDim(o.padding ?? 0, n, 'padding', op);
  const dilation = perDim(o.dilation ?? 1, n, 'dilation', op);
  const refuse = (why: string): never => {
    throw new ValueError('ERR_POOL_WINDOW', `${op}: ${why}`, { op });
  };
  for (let i = 0; i < n; i++) {
    if (kernel[i]! < 1) refuse(`${op}() kernel_size must be greater than zero, but got ${kernel[i]}`);
    if (stride[i]! < 1) refuse(`${op}() stride must be greater than zero, but got ${stride[i]}`);
    if (dilation[i]! < 1) refuse(`${op}() dilation must be greater than zero, but got ${dilation[i]}`);
    if (padding[i]! < 0) refuse(`pad must be non-negative, but got pad: ${padding[i]}`);
    if (padding[i]! > Math.floor((dilation[i]! * (kernel[i]! - 1) + 1) / 2)) {
      refuse(
        `pad should be at most half of effective kernel size, but got pad=${padding[i]}, kernel_size=${kernel[i]} and dilation=${dilation[i]}`,
      );
    }
  }
  return { kernel, window: { stride, padding, dilation } };
}

/** The input with a batch dim. Only that dim may be empty. @throws ShapeError `ERR_POOL_RANK` */
export function batchOfPlanes(op: string, n: number, input: Tensor): Tensor {
  const { shape, ndim } = input;
  if ((ndim !== n + 1 && ndim !== n + 2) || shape.some((s, d) => s === 0 && !(d === 0 && ndim === n + 2))) {
    throw new ShapeError(
      'ERR_POOL_RANK',
      `${op}: Expected ${n + 1}D or ${n + 2}D (batch mode) tensor with optional 0 dim batch size for input, but got:${listed(shape)}`,
      { op, shapes: [shape] },
    );
  }
  return ndim === n + 1 ? unsqueeze(input, 0) : input;
}

/** A result for `input`, which may have had no batch dim. */
export const unbatch = (out: Tensor, input: Tensor): Tensor => (out.ndim === input.ndim ? out : squeeze(out, 0));
