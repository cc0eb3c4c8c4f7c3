/** @file linalg.norm and linalg.vectorNorm. */
import { DTypeError, ValueError } from '../../errors.js';
import { type DType, isFloat } from '../../tensor/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Dims, type ReduceOptions, reducedDims } from '../reduction.js';
import { OPS } from '../registry.js';
import { pNorm } from '../vector-norm.js';
import { matrixNorm, type MatrixNormOrder } from './matrix-norm.js';
import { checkOptions, type OptionNames } from '../../options.js';

const VECTOR_NORM_OPTIONS: OptionNames<VectorNormOptions> = { dtype: true, keepdim: true };

export interface VectorNormOptions extends ReduceOptions {
  /** The input is converted to it first. */
  readonly dtype?: DType;
}

OPS.set('linalg.vectorNorm', { name: 'linalg.vectorNorm', inputs: 1, differentiable: true });
/** (Σ |x|^ord)^(1/ord) over dims (all by default), as if they were one. PyTorch: torch.linalg.vector_norm. */
export function vectorNorm(x: Tensor, ord = 2, dim?: Dims, options: VectorNormOptions = {}): Tensor {
  checkOptions('vectorNorm', options, VECTOR_NORM_OPTIONS);
  const op = 'linalg.vectorNorm';
  if (!isFloat(x.dtype))
    throw new DTypeError('ERR_DTYPE', `${op}: needs a floating dtype, not ${x.dtype}: write x.float() first`, {
      op,
      dtypes: [x.dtype],
    });
  if (options.dtype !== undefined && !isFloat(options.dtype))
    throw new DTypeError('ERR_DTYPE', `${op}: dtype should be a float, but got ${options.dtype}`, {
      op,
      dtypes: [options.dtype],
    });
  return pNorm(op, x, ord, reducedDims(dim, x.ndim, op), options.keepdim ?? false, options.dtype);
}

OPS.set('linalg.norm', { name: 'linalg.norm', inputs: 1, differentiable: true });
/**
 * A vector's norm, or a matrix's: two dims (or a 2-d tensor and an order) mean a matrix, all else a vector. Without an order, 2 over all
 * elements. PyTorch: torch.linalg.norm.
 */
export function norm(x: Tensor, ord?: MatrixNormOrder | null, dim?: Dims, options: VectorNormOptions = {}): Tensor {
  checkOptions('norm', options, VECTOR_NORM_OPTIONS);
  const op = 'linalg.norm';
  if (ord === undefined || ord === null) return vectorNorm(x, 2, dim, options);
  const dims = dim === undefined || dim === null ? null : typeof dim === 'number' ? [dim] : dim;
  if (dims === null) {
    if (x.ndim !== 1 && x.ndim !== 2)
      throw new ValueError('ERR_DIM', `${op}: If dim is not specified but ord is, the input must be 1D or 2D. Got ${x.ndim}D.`, {
        op,
        shapes: [x.shape],
      });
    if (x.ndim === 1 && typeof ord === 'string')
      throw new ValueError('ERR_NORM', `${op}: '${ord}' is the norm of a matrix, but the input is 1D`, { op, shapes: [x.shape] });
    return x.ndim === 2 ? matrixNorm(x, ord, [0, 1], options) : vectorNorm(x, ord as number, null, options);
  }
  if (dims.length !== 1 && dims.length !== 2)
    throw new ValueError('ERR_DIM', `${op}: If dim is specified, it must be of length 1 or 2. Got [${dims.join(', ')}]`, { op });
  if (dims.length === 2) return matrixNorm(x, ord, dims as unknown as [number, number], options);
  if (typeof ord === 'string') throw new ValueError('ERR_NORM', `${op}: '${ord}' is the norm of a matrix, and takes two dims`, { op });
  return vectorNorm(x, ord, dims, options);
}
