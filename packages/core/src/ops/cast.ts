/** @file Conversion between dtypes. */
import { recording, attach, wrap } from './result.js';
import { type DType, isFloat, requireDType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { castValue } from '../tensor/value.js';

/** The elements as another dtype; the tensor itself when it has that dtype. PyTorch: Tensor.to(dtype). */
export function cast(x: Tensor, dtype: DType): Tensor {
  const from = x.dtype;
  if (from === dtype) return x;
  const out = wrap(castValue(x.value, requireDType(dtype, 'to')));
  if (isFloat(dtype) && recording(x)) attach(out, 'ToCopyBackward0', [x], (grad) => [cast(grad, from)]);
  return out;
}
