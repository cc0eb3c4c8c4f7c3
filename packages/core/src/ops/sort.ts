/** @file The sort kernel for every dtype, and the accelerated one for the first of each row: the halves are sorted as float32. */
import type { View } from '../backend/contract.js';
import { DTYPE_INFO } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { castValue, type Value } from '../tensor/value.js';
import { filled } from './fill.js';
import { declined, emptyValue, launched, reshapedView, viewOfValue, wrap } from './result.js';
import { clone, contiguous, narrow } from './view.js';

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

/** The first `k` (1 or more) of {@link launchSort} along `dim`. A kernel of its own where the device has one and `dim` is the last. */
export function launchTopk(x: Tensor, k: number, dim: number, largest: boolean): [values: Tensor, indices: Tensor] {
  const { device, dtype, shape } = x;
  const columns = shape.at(-1) ?? 0;
  if (device.kernels.topk !== undefined && dim === shape.length - 1 && x.numel() > 0 && k > 0 && k < columns) {
    const { compute, category } = DTYPE_INFO[dtype];
    const input = contiguous(wrap(category === 'float' ? castValue(x.value, compute) : x.value));
    const out = [...shape.slice(0, -1), k];
    const values = emptyValue(device, input.dtype, out);
    const indices = emptyValue(device, 'int32', out);
    const rows = x.numel() / columns;
    const two = (value: Value, width: number): View => reshapedView(viewOfValue(value), [rows, width], [width, 1]);
    if (device.kernels.topk(two(input.value, columns), k, largest, two(values, k), two(indices, k))) {
      launched(device, 'topk', [rows, columns, k]);
      return [wrap(castValue(values, dtype)), wrap(indices)];
    }
    declined(values, indices);
  }
  const [values, indices] = launchSort(x, dim, largest);
  return [clone(narrow(values, dim, 0, k)), clone(narrow(indices, dim, 0, k))];
}
