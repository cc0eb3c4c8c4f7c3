/** @file Tensors of one value, deferred: a fill inside a fused program costs nothing. */
import type { Device } from '../plugin/device.js';
import { type DType, DTYPE_INFO } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { castValue, relabel, scalarValue, type Value } from '../tensor/value.js';
import { wrap } from './result.js';

export function fillValue(shape: Shape, x: number | boolean, dtype: DType, device: Device): Value {
  const scalar = castValue(
    scalarValue(x, typeof x === 'boolean' ? 'bool' : DTYPE_INFO[dtype].compute === 'bool' ? 'float64' : DTYPE_INFO[dtype].compute, device),
    dtype,
  );
  return relabel(scalar, shape, dtype);
}

export const filled = (shape: Shape, x: number | boolean, dtype: DType, device: Device): Tensor => wrap(fillValue(shape, x, dtype, device));
/** Zeros of `shape`, with the dtype and device of `like`. */
export const zerosOf = (like: Tensor, shape: Shape): Tensor => filled(shape, 0, like.dtype, like.device);
