/** @file Products added to something, and products over chosen dims; all stand on `matmul`. */
import { asHalf, asWidest } from '../amp/policy.js';
import { autocasting } from '../amp/state.js';
import { DTypeError, formatShape, ShapeError, ValueError } from '../errors.js';
import { DTYPE_INFO, isFloat } from '../tensor/dtype.js';
import { broadcastShapes, isExpandable } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { cast } from './cast.js';
import { crossAlong } from './cross.js';
import { resultType } from './define.js';
import { assign, forInPlace } from './in-place.js';
import { bmm, mm, mv, outer } from './matmul.js';
import { OPS } from './registry.js';
import { tensordot } from './tensordot.js';
import { permute, reshape } from './view.js';
import { checkOptions, type OptionNames } from '../options.js';

const ADD_PRODUCT_OPTIONS: OptionNames<AddProductOptions> = { beta: true, alpha: true };

export interface AddProductOptions {
  /** The factor of the input; with 0 the input's NaN do not count. Default 1. */
  readonly beta?: number | boolean;
  /** The factor of the product. Default 1. */
  readonly alpha?: number | boolean;
}

/** beta · input + alpha · product, in the compute dtype of the halves, rounded once. */
function addProduct(
  op: string,
  input: Tensor,
  a: Tensor,
  b: Tensor,
  options: AddProductOptions,
  product: (a: Tensor, b: Tensor) => Tensor,
  shape: readonly number[],
): Tensor {
  if (!isExpandable(input.shape, shape)) {
    throw new ShapeError(
      'ERR_EXPAND',
      `${op}: The expanded size of the tensor ${formatShape(shape)} must match the existing size ${formatShape(input.shape)}`,
      { op, shapes: [input.shape, a.shape, b.shape] },
    );
  }
  const dtype = op === 'addr' ? resultType(input, outerType(a, b)) : input.dtype;
  if (op !== 'addr' && (a.dtype !== dtype || b.dtype !== dtype)) {
    throw new DTypeError('ERR_DTYPE_MIX', `${op}: self and mat2 must have the same dtype, but got ${dtype}, ${a.dtype} and ${b.dtype}`, {
      op,
      dtypes: [dtype, a.dtype, b.dtype],
    });
  }
  const { beta = 1, alpha = 1 } = options;
  // As in PyTorch, only addr refuses fractions as factors of integers; the others cut them.
  if (op === 'addr' && !isFloat(dtype)) {
    for (const [name, x] of [
      ['beta', beta],
      ['alpha', alpha],
    ] as const) {
      if (!Number.isInteger(Number(x)))
        throw new ValueError('ERR_ALPHA', `${op}: For integral input tensors, argument ${name} must not be a floating point number.`, {
          op,
          dtypes: [dtype],
        });
    }
  }
  const { compute } = DTYPE_INFO[dtype];
  const scaled = (x: Tensor, factor: number | boolean): Tensor =>
    Number(factor) === 1
      ? x
      : compute === 'bool'
        ? x.mul(Boolean(factor))
        : x.mul(isFloat(dtype) ? Number(factor) : Math.trunc(Number(factor)));
  const total = scaled(product(cast(a, compute), cast(b, compute)), alpha);
  if (Number(beta) === 0 || (!isFloat(dtype) && Math.trunc(Number(beta)) === 0))
    return cast(total.ndim === shape.length ? total : reshape(total, shape), dtype);
  return cast(scaled(cast(input, compute), beta).add(total), dtype);
}

const outerType = (a: Tensor, b: Tensor): Tensor => (resultType(a, b) === a.dtype ? a : b);

const inPlaceProduct =
  (name: string, op: (x: Tensor, a: Tensor, b: Tensor, options?: AddProductOptions) => Tensor) =>
  (x: Tensor, a: Tensor, b: Tensor, options?: AddProductOptions): Tensor =>
    assign(x, op(forInPlace(x, name, a, b), a, b, options), name);

function wantRank(op: string, x: Tensor, rank: number): void {
  if (x.ndim !== rank)
    throw new ShapeError('ERR_RANK', `${op}: expected a ${rank}D tensor, but got ${formatShape(x.shape)}`, { op, shapes: [x.shape] });
}

OPS.set('addmm', { name: 'addmm', inputs: 3, differentiable: true });
/** beta · input + alpha · a b for matrices (n, m) and (m, p). PyTorch: torch.addmm. */
export function addmm(input: Tensor, a: Tensor, b: Tensor, options: AddProductOptions = {}): Tensor {
  checkOptions('addmm', options, ADD_PRODUCT_OPTIONS);
  if (autocasting.on) return asHalf(addmm, input, a, b, options);
  wantRank('addmm', a, 2);
  wantRank('addmm', b, 2);
  if (a.shape[1] !== b.shape[0])
    throw new ShapeError(
      'ERR_MATMUL_SHAPE',
      `addmm: mat1 and mat2 shapes cannot be multiplied ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
      { op: 'addmm', shapes: [a.shape, b.shape] },
    );
  return addProduct('addmm', input, a, b, options, mm, [a.shape[0]!, b.shape[1]!]);
}
export const addmm_: typeof addmm = inPlaceProduct('addmm_', addmm);

OPS.set('addmv', { name: 'addmv', inputs: 3, differentiable: true });
/** beta · input + alpha · a v for a matrix (n, m) and a vector (m). PyTorch: torch.addmv. */
export function addmv(input: Tensor, a: Tensor, v: Tensor, options: AddProductOptions = {}): Tensor {
  checkOptions('addmv', options, ADD_PRODUCT_OPTIONS);
  if (autocasting.on) return asHalf(addmv, input, a, v, options);
  wantRank('addmv', a, 2);
  wantRank('addmv', v, 1);
  return addProduct('addmv', input, a, v, options, mv, [a.shape[0]!]);
}
export const addmv_: typeof addmv = inPlaceProduct('addmv_', addmv);

OPS.set('addr', { name: 'addr', inputs: 3, differentiable: true });
/** beta · input + alpha · u vᵀ for vectors (n) and (m). PyTorch: torch.addr. */
export function addr(input: Tensor, u: Tensor, v: Tensor, options: AddProductOptions = {}): Tensor {
  checkOptions('addr', options, ADD_PRODUCT_OPTIONS);
  if (autocasting.on) return asHalf(addr, input, u, v, options);
  wantRank('addr', u, 1);
  wantRank('addr', v, 1);
  return addProduct('addr', input, u, v, options, outer, [u.shape[0]!, v.shape[0]!]);
}
export const addr_: typeof addr = inPlaceProduct('addr_', addr);

function wantBatches(op: string, a: Tensor, b: Tensor): void {
  wantRank(op, a, 3);
  wantRank(op, b, 3);
  if (a.shape[0] !== b.shape[0] || a.shape[2] !== b.shape[1]) {
    throw new ShapeError(
      'ERR_MATMUL_SHAPE',
      `${op}: Expected size for first two dimensions of batch2 tensor to be: [${a.shape[0]}, ${a.shape[2]}] but got: [${b.shape[0]}, ${b.shape[1]}].`,
      { op, shapes: [a.shape, b.shape] },
    );
  }
}

OPS.set('addbmm', { name: 'addbmm', inputs: 3, differentiable: true });
/** beta · input + alpha · Σ_k a_k b_k for batches (k, n, m) and (k, m, p). PyTorch: torch.addbmm. */
export function addbmm(input: Tensor, a: Tensor, b: Tensor, options: AddProductOptions = {}): Tensor {
  checkOptions('addbmm', options, ADD_PRODUCT_OPTIONS);
  if (autocasting.on) return asHalf(addbmm, input, a, b, options);
  wantBatches('addbmm', a, b);
  const [k, n, m] = a.shape as [number, number, number];
  // The sum over the batch is part of one larger product.
  const joined = (x: Tensor, y: Tensor): Tensor => mm(reshape(permute(x, 1, 0, 2), [n, k * m]), reshape(y, [k * m, b.shape[2]!]));
  return addProduct('addbmm', input, a, b, options, joined, [n, b.shape[2]!]);
}
export const addbmm_: typeof addbmm = inPlaceProduct('addbmm_', addbmm);

OPS.set('baddbmm', { name: 'baddbmm', inputs: 3, differentiable: true });
/** beta · input + alpha · a_k b_k for batches (k, n, m) and (k, m, p). PyTorch: torch.baddbmm. */
export function baddbmm(input: Tensor, a: Tensor, b: Tensor, options: AddProductOptions = {}): Tensor {
  checkOptions('baddbmm', options, ADD_PRODUCT_OPTIONS);
  if (autocasting.on) return asHalf(baddbmm, input, a, b, options);
  wantBatches('baddbmm', a, b);
  return addProduct('baddbmm', input, a, b, options, bmm, [a.shape[0]!, a.shape[1]!, b.shape[2]!]);
}
export const baddbmm_: typeof baddbmm = inPlaceProduct('baddbmm_', baddbmm);

OPS.set('inner', { name: 'inner', inputs: 2, differentiable: true });
/** Σ over the last dims of both; with a 0-d tensor, a plain product. PyTorch: torch.inner. */
export function inner(a: Tensor, b: Tensor): Tensor {
  if (a.ndim === 0 || b.ndim === 0) return a.mul(b);
  if (a.shape.at(-1) !== b.shape.at(-1)) {
    throw new ShapeError(
      'ERR_MATMUL_SHAPE',
      `inner: inner() the last dimension must match on both input tensors but got shapes [${a.shape.join(', ')}] and [${b.shape.join(', ')}]`,
      { op: 'inner', shapes: [a.shape, b.shape] },
    );
  }
  return tensordot(a, b, [[-1], [-1]]);
}

OPS.set('cross', { name: 'cross', inputs: 2, differentiable: true });
/** a × b along a dim of size 3: by default the first such dim. PyTorch: torch.cross. */
export function cross(a: Tensor, b: Tensor, dim?: number | null): Tensor {
  if (autocasting.on) return asWidest(cross, a, b, dim);
  if (dim !== undefined && dim !== null) return crossAlong('cross', a, b, dim);
  const found = broadcastShapes(a.shape, b.shape, 'cross').indexOf(3);
  if (found < 0) throw new ShapeError('ERR_CROSS', 'cross: no dimension of size 3 in input', { op: 'cross', shapes: [a.shape, b.shape] });
  return crossAlong('cross', a, b, found);
}
