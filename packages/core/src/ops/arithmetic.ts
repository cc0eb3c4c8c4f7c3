/** @file The four operations and their kin, comparisons, and logic. */
import { DTypeError, ValueError } from '../errors.js';
import { DTYPE_INFO } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { binary, type BinaryOp, inPlace, type Operand, unary, type UnaryOp } from './define.js';

const noBool =
  (name: string) =>
  (_a: Tensor, _b: Operand, dtype: string): void => {
    if (dtype === 'bool') throw new DTypeError('ERR_DTYPE', `${name}: subtraction, the \`-\` operator, with a bool tensor is not supported. If you are trying to invert a mask, use logicalNot() instead.`, { op: name, dtypes: ['bool'] });
  };

/** The factor of `add` and `sub`: on integers it must be whole. */
function checkAlpha(name: string, a: Tensor, dtype: string, alpha: number | undefined): void {
  if (alpha !== undefined && !Number.isInteger(alpha) && DTYPE_INFO[dtype as 'int32'].category !== 'float') {
    throw new ValueError('ERR_ALPHA', `${name}: For integral input tensors, argument alpha must not be a floating point number.`, { op: name, dtypes: [a.dtype] });
  }
}

export interface AlphaOptions {
  /** The other operand is multiplied by it first. Default 1. */
  readonly alpha?: number;
}

/** a + alpha · b. PyTorch: torch.add. */
export const add: BinaryOp<[AlphaOptions?]> = binary<[AlphaOptions?]>('add', {
  forward: (e, a, b, o) => e.add(a, o?.alpha === undefined || o.alpha === 1 ? b : e.mul(b, b.dtype === 'bool' ? Number(Boolean(o.alpha)) : o.alpha)),
  backward: [(grad) => grad, (grad, _a, _b, _out, o) => (o?.alpha === undefined || o.alpha === 1 ? grad : grad.mul(o.alpha))],
  check: (a, _b, dtype, o) => checkAlpha('add', a, dtype, o?.alpha),
});
export const add_: BinaryOp<[AlphaOptions?]> = inPlace(add);

/** a − alpha · b. PyTorch: torch.sub. */
export const sub: BinaryOp<[AlphaOptions?]> = binary<[AlphaOptions?]>('sub', {
  forward: (e, a, b, o) => e.sub(a, o?.alpha === undefined || o.alpha === 1 ? b : e.mul(b, o.alpha)),
  backward: [(grad) => grad, (grad, _a, _b, _out, o) => grad.mul(-(o?.alpha ?? 1))],
  check: (a, b, dtype, o) => {
    noBool('sub')(a, b, dtype);
    checkAlpha('sub', a, dtype, o?.alpha);
  },
});
export const sub_: BinaryOp<[AlphaOptions?]> = inPlace(sub);

/** a · b. PyTorch: torch.mul. */
export const mul: BinaryOp = binary('mul', {
  forward: (e, a, b) => e.mul(a, b),
  backward: [(grad, _a, b) => grad.mul(b), (grad, a) => grad.mul(a)],
  saves: ['b', 'a'],
});
export const mul_: BinaryOp = inPlace(mul);

export interface DivOptions {
  /** Rounds the quotient toward zero ('trunc') or down ('floor'). */
  readonly roundingMode?: 'trunc' | 'floor' | null;
}

const trueDivide: BinaryOp = binary('div', {
  result: 'float',
  forward: (e, a, b) => e.div(a, b),
  backward: [(grad, _a, b) => grad.div(b), (grad, a, b) => grad.neg().mul((a as Tensor).div(b).div(b))],
  saves: ['b', 'ab'],
});
const trueDivide_: BinaryOp = inPlace(trueDivide);
const truncDivide: BinaryOp = binary('divTrunc', {
  forward: (e, a, b) => (a.dtype === 'int32' || a.dtype === 'uint8' || a.dtype === 'bool' ? e.idiv(e.cast(a, 'int32'), e.cast(b, 'int32')) : e.trunc(e.div(a, b))),
  backward: [(grad) => grad.mul(0), (grad) => grad.mul(0)],
});
const truncDivide_: BinaryOp = inPlace(truncDivide);
const floorDivide: BinaryOp = binary('divFloor', {
  forward: (e, a, b) => {
    if (a.dtype === 'int32' || a.dtype === 'uint8' || a.dtype === 'bool') {
      const x = e.cast(a, 'int32');
      const y = e.cast(b, 'int32');
      const q = e.idiv(x, y);
      // One less where the signs differ and something is left over.
      const r = e.sub(x, e.mul(q, y));
      return e.sub(q, e.cast(e.and(e.ne(r, 0), e.lt(e.xor(x, y), 0)), 'int32'));
    }
    // As CPython divides: the remainder has the sign of b, and a quotient that rounding moved is set right.
    const mod = e.fmod(a, b);
    const div = e.div(e.sub(a, mod), b);
    const adjusted = e.where(e.and(e.ne(mod, 0), e.ne(e.lt(b, 0), e.lt(mod, 0))), e.sub(div, 1), div);
    const floor = e.floor(adjusted);
    const rounded = e.where(e.gt(e.sub(adjusted, floor), 0.5), e.add(floor, 1), floor);
    const zero = e.mul(e.div(a, b), 0);
    return e.where(e.eq(b, 0), e.div(a, b), e.where(e.eq(adjusted, 0), zero, rounded));
  },
  backward: [(grad) => grad.mul(0), (grad) => grad.mul(0)],
});
const floorDivide_: BinaryOp = inPlace(floorDivide);


/** a / b; integers give float32 unless the quotient is rounded. PyTorch: torch.div. */
export function div(a: Tensor, b: Operand, options: DivOptions = {}): Tensor {
  const mode = options.roundingMode ?? null;
  if (mode === null) return trueDivide(a, b);
  return roundedDivide(mode)[0](a, b);
}
export function div_(a: Tensor, b: Operand, options: DivOptions = {}): Tensor {
  const mode = options.roundingMode ?? null;
  if (mode === null) return trueDivide_(a, b);
  return roundedDivide(mode)[1](a, b);
}
function roundedDivide(mode: string): [BinaryOp, BinaryOp] {
  if (mode === 'trunc') return [truncDivide, truncDivide_];
  if (mode === 'floor') return [floorDivide, floorDivide_];
  throw new ValueError('ERR_ROUNDING_MODE', `div: expected rounding_mode to be one of null, 'trunc', or 'floor' but found '${mode}'`, { op: 'div' });
}

/** −a. PyTorch: torch.neg. */
export const neg: UnaryOp = unary('neg', {
  forward: (e, x) => e.neg(x),
  backward: (grad) => grad.neg(),
  saves: 'none',
  check: (x) => {
    if (x.dtype === 'bool') throw new DTypeError('ERR_DTYPE', 'neg: Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use logicalNot() instead.', { op: 'neg', dtypes: ['bool'] });
  },
});
export const neg_: UnaryOp = inPlace(neg);

/** a = b, elementwise; bool. PyTorch: torch.eq. */
export const eq: BinaryOp = binary('eq', { result: 'bool', forward: (e, a, b) => e.eq(a, b) });
export const eq_: BinaryOp = inPlace(eq);
/** a ≠ b. PyTorch: torch.ne. */
export const ne: BinaryOp = binary('ne', { result: 'bool', forward: (e, a, b) => e.ne(a, b) });
export const ne_: BinaryOp = inPlace(ne);
/** a < b. PyTorch: torch.lt. */
export const lt: BinaryOp = binary('lt', { result: 'bool', forward: (e, a, b) => e.lt(a, b) });
export const lt_: BinaryOp = inPlace(lt);
/** a ≤ b. PyTorch: torch.le. */
export const le: BinaryOp = binary('le', { result: 'bool', forward: (e, a, b) => e.le(a, b) });
export const le_: BinaryOp = inPlace(le);
/** a > b. PyTorch: torch.gt. */
export const gt: BinaryOp = binary('gt', { result: 'bool', forward: (e, a, b) => e.gt(a, b) });
export const gt_: BinaryOp = inPlace(gt);
/** a ≥ b. PyTorch: torch.ge. */
export const ge: BinaryOp = binary('ge', { result: 'bool', forward: (e, a, b) => e.ge(a, b) });
export const ge_: BinaryOp = inPlace(ge);

