/** @file Norms by torch's own names; torch.linalg's are under `linalg`. */
import { asFloat32 } from '../amp/policy.js';
import { autocasting } from '../amp/state.js';
import { DTypeError, ShapeError, ValueError } from '../errors.js';
import { type DType, isFloat } from '../tensor/dtype.js';
import { normalizeDim } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { matrixNorm } from './linalg/matrix-norm.js';
import { type Dims, type ReduceOptions, reducedDims } from './reduction.js';
import { OPS } from './registry.js';
import { pNorm } from './vector-norm.js';
import { checkOptions, type OptionNames } from '../options.js';

const NORM_OPTIONS: OptionNames<NormOptions> = { dtype: true, keepdim: true };

export interface NormOptions extends ReduceOptions {
  /** The input is converted to it first. */
  readonly dtype?: DType;
}

OPS.set('norm', { name: 'norm', inputs: 1, differentiable: true });
/**
 * The p-norm of the elements over dims (all by default); 'fro' is p = 2, 'nuc' the sum of a matrix's singular values. PyTorch: torch.norm.
 * @example x.norm(); x.norm(1, -1, { keepdim: true }); x.norm('nuc', [0, 1])
 */
export function norm(x: Tensor, p: number | 'fro' | 'nuc' = 'fro', dim?: Dims, options: NormOptions = {}): Tensor {
  checkOptions('norm', options, NORM_OPTIONS);
  if (autocasting.on && options.dtype === undefined) return asFloat32(norm, x, p, dim, options);
  if (!isFloat(options.dtype ?? x.dtype))
    throw new DTypeError('ERR_DTYPE', `norm: linalg.vector_norm: needs a floating dtype, not ${x.dtype}: write x.float() first`, {
      op: 'norm',
      dtypes: [x.dtype],
    });
  const keepdim = options.keepdim ?? false;
  if (p === 'nuc') {
    const dims = dim ?? (x.ndim === 2 ? [0, 1] : null);
    if (!Array.isArray(dims) || dims.length !== 2)
      throw new ValueError('ERR_DIM', `norm: the nuclear norm takes a matrix, or two dims`, { op: 'norm', shapes: [x.shape] });
    return matrixNorm(x, 'nuc', dims as [number, number], options);
  }
  if (typeof p === 'string' && p !== 'fro')
    throw new ValueError('ERR_NORM', `norm: p must be a number, 'fro' or 'nuc', not '${String(p)}'`, { op: 'norm' });
  return pNorm('norm', x, p === 'fro' ? 2 : p, reducedDims(dim, x.ndim, 'norm'), keepdim, options.dtype);
}

OPS.set('dist', { name: 'dist', inputs: 2, differentiable: true });
/** The p-norm of the difference of two tensors. PyTorch: torch.dist. */
export function dist(x: Tensor, other: Tensor, p = 2): Tensor {
  if (autocasting.on) return asFloat32(dist, x, other, p);
  const difference = x.sub(other);
  return pNorm('dist', difference, p, reducedDims(null, difference.ndim, 'dist'), false);
}

OPS.set('renorm', { name: 'renorm', inputs: 1, differentiable: true });
/** Each slice along a dim scaled down so that its p-norm is at most `maxnorm`. PyTorch: torch.renorm. @throws ValueError `ERR_RENORM` */
export function renorm(x: Tensor, p: number, dim: number, maxnorm: number): Tensor {
  if (autocasting.on) return asFloat32(renorm, x, p, dim, maxnorm);
  if (!(p > 0)) throw new ValueError('ERR_RENORM', `renorm: non-positive-norm not supported: ${p}`, { op: 'renorm' });
  if (maxnorm < 0) throw new ValueError('ERR_RENORM', `renorm: expected maxnorm to be >= 0 but got ${maxnorm}`, { op: 'renorm' });
  if (x.ndim < 2)
    throw new ShapeError('ERR_RANK', `renorm: input needs at least 2 dimensions, got ${x.ndim} dimensions`, {
      op: 'renorm',
      shapes: [x.shape],
    });
  const d = normalizeDim(dim, x.ndim, 'renorm');
  const others = x.shape.map((_, k) => k).filter((k) => k !== d);
  const norms = pNorm('renorm', x, p, others, true);
  return x.mul(norms.add(1e-7).reciprocal().mul(maxnorm).where(norms.gt(maxnorm), 1));
}
export const renorm_ = (x: Tensor, p: number, dim: number, maxnorm: number): Tensor => x.copy_(renorm(x.clone(), p, dim, maxnorm));
