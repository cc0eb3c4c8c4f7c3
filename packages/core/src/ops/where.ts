/** @file Choosing between two tensors by a condition. */
import { DTypeError } from '../errors.js';
import { DTYPE_INFO } from '../tensor/dtype.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { castValue, narrow, scalarValue } from '../tensor/value.js';
import { recordBroadcast } from './broadcast-record.js';
import { e } from './expression.js';
import { type Operand, operandValue, resultType } from './define.js';
import { nonzero } from './indexing.js';
import { OPS } from './registry.js';
import { wrap } from './result.js';
import { unbind } from './joining.js';

OPS.set('where', { name: 'where', inputs: 2, differentiable: true });
/** condition ? a : b, all three broadcast. Two numbers make float32, as numbers do elsewhere. */
export function choose(condition: Tensor, a: Operand, b: Operand): Tensor {
  if (condition.dtype !== 'bool' && condition.dtype !== 'uint8') {
    throw new DTypeError(
      'ERR_DTYPE',
      `where: where expected condition to be a boolean tensor, but got a tensor with dtype ${condition.dtype}`,
      { op: 'where', dtypes: [condition.dtype] },
    );
  }
  const test = castValue(condition.value, 'bool');
  const x = isTensor(a) ? a : null;
  const y = isTensor(b) ? b : null;
  if (x === null && y === null) {
    const compute = typeof a === 'boolean' && typeof b === 'boolean' ? 'bool' : 'float32';
    return wrap(e.where(test, scalarValue(a as number, compute, condition.device), scalarValue(b as number, compute, condition.device)));
  }
  const dtype = resultType(a, b);
  const like = x ?? y!;
  const out = wrap(
    narrow(
      e.where(test, operandValue(a, dtype, like), operandValue(b, dtype, like)),
      DTYPE_INFO[dtype].category === 'bool' ? 'bool' : dtype,
    ),
  );
  return recordBroadcast(
    'WhereBackward0',
    out,
    [condition, x, y],
    [0],
    [null, (grad, [c]) => choose(c!, grad, 0), (grad, [c]) => choose(c!, 0, grad)],
  );
}

/**
 * The elements of `a` where `condition` holds, and of `b` elsewhere; the condition alone gives the places where it holds, a tensor for each
 * dim. PyTorch: torch.where. The method `a.where(condition, b)` takes the condition second, as PyTorch's does.
 *
 * @example where(x.gt(0), x, 0)
 * @throws DTypeError `ERR_DTYPE` where the condition is not bool.
 */
export function where(condition: Tensor): Tensor[];
export function where(condition: Tensor, a: Operand, b: Operand): Tensor;
export function where(condition: Tensor, a?: Operand, b?: Operand): Tensor | Tensor[] {
  return a === undefined || b === undefined ? unbind(nonzero(condition), 1) : choose(condition, a, b);
}
