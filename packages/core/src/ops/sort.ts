/** @file The sort kernel for every dtype: the halves are sorted as float32. */
import { DTYPE_INFO } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { castValue } from '../tensor/value.js';
import { filled } from './fill.js';
import { emptyValue, launched, viewOfValue, wrap } from './result.js';

/** The elements in order along `dim` (counted from the front), and their places (int32). Nothing is recorded. */
export function launchSort(x: Tensor, dim: number, descending: boolean): [values: Tensor, indices: Tensor] {
  if (x.ndim === 0 || x.numel() === 0) return [wrap(castValue(x.value, x.dtype)), filled(x.shape, 0, 'int32', x.device)];
  const { compute, category } = DTYPE_INFO[x.dtype];
  const input = category === 'float' ? castValue(x.value, compute) : x.value;
  const view = viewOfValue(input);
  const values = emptyValue(x.device, input.dtype, x.shape);
  const indices = emptyValue(x.device, 'int32', x.shape);
  launched(x.device, 'sort', x.shape);
  x.device.kernels.sort(view, dim, descending, viewOfValue(values), viewOfValue(indices));
  return [wrap(castValue(values, x.dtype)), wrap(indices)];
}
