/** @file From places in a row-major array to indices. */
import { DTypeError, ValueError } from '../errors.js';
import { DTYPE_INFO } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { filled } from './fill.js';
import { OPS } from './registry.js';

OPS.set('unravelIndex', { name: 'unravelIndex', inputs: 1, differentiable: false });
/**
 * The index along each dim of `shape` of places in an array of that shape, one tensor (int32) for each dim. PyTorch: torch.unravel_index.
 * @example unravelIndex(tensor([5], { dtype: 'int32' }), [2, 3]) // [tensor([1]), tensor([2])]
 */
export function unravelIndex(indices: Tensor, shape: number | readonly number[]): Tensor[] {
  const sizes = typeof shape === 'number' ? [shape] : shape;
  if (DTYPE_INFO[indices.dtype].category !== 'integer')
    throw new DTypeError('ERR_DTYPE', `unravelIndex: expected 'indices' to be an integer dtype, but got ${indices.dtype}`, {
      op: 'unravelIndex',
      dtypes: [indices.dtype],
    });
  if (sizes.some((size) => !(Number.isInteger(size) && size >= 0)))
    throw new ValueError('ERR_SIZE', `unravelIndex: 'shape' cannot have negative values, but got [${sizes.join(', ')}]`, {
      op: 'unravelIndex',
    });
  const places = indices.to('int32');
  let step = 1;
  const out: Tensor[] = [];
  for (let d = sizes.length - 1; d >= 0; d--) {
    const size = sizes[d]!;
    // Steps and sizes beyond int32 are larger than any place.
    const above = step > INT32_MAX ? filled(places.shape, 0, 'int32', places.device) : step === 1 ? places : floorDiv(places, step);
    out.unshift(size > INT32_MAX ? above : above.remainder(size));
    step *= size;
  }
  return out;
}

const INT32_MAX = 2147483647;
const floorDiv = (x: Tensor, by: number): Tensor => x.div(by, { roundingMode: 'floor' });
