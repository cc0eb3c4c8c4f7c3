/** @file Norms and distances, by torch's own names; torch.linalg's are under `linalg`. */
import { DTypeError, formatShape, ShapeError, ValueError } from '../errors.js';
import { type DType, isFloat, promoteTypes } from '../tensor/dtype.js';
import { normalizeDim } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { castValue, type Value } from '../tensor/value.js';
import { cast } from './cast.js';
import { e } from './expression.js';
import { matrixNorm } from './linalg/matrix-norm.js';
import { type Dims, type ReduceOptions, reduceTo, reducedDims } from './reduction.js';
import { OPS } from './registry.js';
import { attach, recording, wrap } from './result.js';
import { sumTo } from './sum-to.js';
import { pNorm } from './vector-norm.js';

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
  if (!isFloat(options.dtype ?? x.dtype)) throw new DTypeError('ERR_DTYPE', `norm: linalg.vector_norm: Expected a floating point or complex tensor as input. Got ${x.dtype}`, { op: 'norm', dtypes: [x.dtype] });
  const keepdim = options.keepdim ?? false;
  if (p === 'nuc') {
    const dims = dim ?? (x.ndim === 2 ? [0, 1] : null);
    if (!Array.isArray(dims) || dims.length !== 2) throw new ValueError('ERR_DIM', `norm: the nuclear norm takes a matrix, or two dims`, { op: 'norm', shapes: [x.shape] });
    return matrixNorm(x, 'nuc', dims as [number, number], options);
  }
  if (typeof p === 'string' && p !== 'fro') throw new ValueError('ERR_NORM', `norm: p must be a number, 'fro' or 'nuc', not '${String(p)}'`, { op: 'norm' });
  return pNorm('norm', x, p === 'fro' ? 2 : p, reducedDims(dim, x.ndim, 'norm'), keepdim, options.dtype);
}

OPS.set('dist', { name: 'dist', inputs: 2, differentiable: true });
/** The p-norm of the difference of two tensors. PyTorch: torch.dist. */
export function dist(x: Tensor, other: Tensor, p = 2): Tensor {
  const difference = x.sub(other);
  return pNorm('dist', difference, p, reducedDims(null, difference.ndim, 'dist'), false);
}

OPS.set('renorm', { name: 'renorm', inputs: 1, differentiable: true });
/** Each slice along a dim scaled down so that its p-norm is at most `maxnorm`. PyTorch: torch.renorm. @throws ValueError `ERR_RENORM` */
export function renorm(x: Tensor, p: number, dim: number, maxnorm: number): Tensor {
  if (!(p > 0)) throw new ValueError('ERR_RENORM', `renorm: non-positive-norm not supported: ${p}`, { op: 'renorm' });
  if (maxnorm < 0) throw new ValueError('ERR_RENORM', `renorm: expected maxnorm to be >= 0 but got ${maxnorm}`, { op: 'renorm' });
  if (x.ndim < 2) throw new ShapeError('ERR_RANK', `renorm: input needs at least 2 dimensions, got ${x.ndim} dimensions`, { op: 'renorm', shapes: [x.shape] });
  const d = normalizeDim(dim, x.ndim, 'renorm');
  const others = x.shape.map((_, k) => k).filter((k) => k !== d);
  const norms = pNorm('renorm', x, p, others, true);
  return x.mul(norms.add(1e-7).reciprocal().mul(maxnorm).where(norms.gt(maxnorm), 1));
}
export const renorm_ = (x: Tensor, p: number, dim: number, maxnorm: number): Tensor => x.copy_(renorm(x.clone(), p, dim, maxnorm));

export interface CdistOptions {
  /** Default 2. */
  readonly p?: number;
  /** How PyTorch may compute p = 2. Here it is always the exact form: `donot_use_mm_for_euclid_dist`. */
  readonly computeMode?: string;
}

OPS.set('cdist', { name: 'cdist', inputs: 2, differentiable: true });
/**
 * The p-norm distance of each row of `a` (…, P, M) to each row of `b` (…, R, M), as (…, P, R); leading dims broadcast. PyTorch: torch.cdist.
 * One reduction, without the differences in memory.
 */
export function cdist(a: Tensor, b: Tensor, options: CdistOptions = {}): Tensor {
  const p = options.p ?? 2;
  for (const x of [a, b]) {
    if (!isFloat(x.dtype)) throw new DTypeError('ERR_DTYPE', `cdist: cdist only supports floating-point dtypes, got: ${x.dtype}`, { op: 'cdist', dtypes: [x.dtype] });
    if (x.ndim < 2) throw new ShapeError('ERR_RANK', `cdist: cdist only supports at least 2D tensors, got: ${x.ndim}D`, { op: 'cdist', shapes: [x.shape] });
  }
  if (a.shape.at(-1) !== b.shape.at(-1)) throw new ShapeError('ERR_CDIST_SHAPE', `cdist: X1 and X2 must have the same number of columns. X1: ${formatShape(a.shape)} X2: ${formatShape(b.shape)}`, { op: 'cdist', shapes: [a.shape, b.shape] });
  if (p < 0) throw new ValueError('ERR_NORM', `cdist: cdist only supports non-negative p values`, { op: 'cdist' });
  const dtype = promoteTypes(a.dtype, b.dtype);
  const x = cast(a, dtype).unsqueeze(-2);
  const y = cast(b, dtype).unsqueeze(-3);
  const between = e.sub(castValue(x.detach().value, compute(dtype)), castValue(y.detach().value, compute(dtype)));
  const last = [between.shape.length - 1];
  const out = wrap(castValue(distance(between, p, last), dtype));
  if (recording(x, y)) {
    attach(out, 'CdistBackward0', [x, y], (grad, node) => {
      const each = distanceGradient(grad.unsqueeze(-1), node.saved(0).sub(node.saved(1)), node.saved(2).unsqueeze(-1), p);
      return [node.needs(0) ? sumTo(each, x.shape) : null, node.needs(1) ? sumTo(each, y.shape).neg() : null];
    }).save(x, y, out);
  }
  return out;
}

const compute = (dtype: DType): DType => (dtype === 'float64' ? 'float64' : 'float32');

function distance(between: Value, p: number, last: readonly number[]): Value {
  const size = e.abs(between);
  const reduce = (kind: 'sum' | 'max', v: Value): Value => reduceTo(kind, v, last, false, 0);
  if (p === 0) return reduce('sum', e.cast(e.ne(between, 0), between.dtype));
  if (p === 1) return reduce('sum', size);
  if (p === 2) return e.sqrt(reduce('sum', e.mul(between, between)));
  if (p === Infinity) return reduce('max', size);
  return e.pow(reduce('sum', e.pow(size, p)), 1 / p);
}

/** The gradient of each difference; 0 where two rows are the same. PyTorch: Dist in DistanceOpsKernel.cpp. */
function distanceGradient(grad: Tensor, between: Tensor, dist: Tensor, p: number): Tensor {
  if (p === 0) return grad.mul(between.mul(0));
  if (p === 1) return grad.mul(between.sign());
  if (p === Infinity) return grad.mul(between.sign()).mul(cast(between.abs().eq(dist), grad.dtype));
  const same = dist.eq(0);
  const safe = dist.maskedFill(same, 1);
  if (p === 2) return grad.mul(between.div(safe)).maskedFill(same, 0);
  if (p < 2) {
    const still = between.eq(0);
    const slope = between.maskedFill(still, 1).abs().pow(p - 1).mul(between.sign());
    return grad.mul(slope.div(safe.pow(p - 1))).maskedFill(same.logicalOr(still), 0);
  }
  return grad.mul(between.mul(between.abs().pow(p - 2)).div(safe.pow(p - 1))).maskedFill(same, 0);
}
