/** @file The four operations and their kin; comparisons are in comparisons.ts. */
import { DTypeError, ValueError } from '../errors.js';
import { DTYPE_INFO } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { binary, type BinaryOp, inPlace, notTensor, type NumberOp, type Operand, resultType, unary, type UnaryOp } from './define.js';
import { zerosOf } from './fill.js';
import { checkOptions, type OptionNames } from '../options.js';

const DIV_OPTIONS: OptionNames<DivOptions> = { roundingMode: true };
const ALPHA_OPTIONS: OptionNames<AlphaOptions> = { alpha: true };

const noBool =
  (name: string) =>
  (_a: Tensor, _b: Operand, dtype: string): void => {
    if (dtype === 'bool')
      throw new DTypeError(
        'ERR_DTYPE',
        `${name}: subtraction, the \`-\` operator, with a bool tensor is not supported. If you are trying to invert a mask, use logicalNot() instead.`,
        { op: name, dtypes: ['bool'] },
      );
  };

/** The factor of `add` and `sub`: on integers it must be whole. */
function checkAlpha(name: string, a: Tensor, dtype: string, alpha: number | boolean | undefined): void {
  if (typeof alpha === 'number' && !Number.isInteger(alpha) && DTYPE_INFO[dtype as 'int32'].category !== 'float') {
    throw new ValueError('ERR_ALPHA', `${name}: For integral input tensors, argument alpha must not be a floating point number.`, {
      op: name,
      dtypes: [a.dtype],
    });
  }
}

export interface AlphaOptions {
  /** The other operand is multiplied by it first; for bools it may be one. Default 1. */
  readonly alpha?: number | boolean;
}

/** a + alpha · b. PyTorch: torch.add. */
export const add: NumberOp<[AlphaOptions?]> = /* @__PURE__ */ binary<[AlphaOptions?]>('add', {
  numbers: 'any',
  forward: (e, a, b, o) =>
    e.add(a, o?.alpha === undefined || o.alpha === 1 ? b : e.mul(b, b.dtype === 'bool' ? Number(Boolean(o.alpha)) : Number(o.alpha))),
  backward: [(grad) => grad, (grad, _a, _b, _out, o) => (o?.alpha === undefined || o.alpha === 1 ? grad : grad.mul(o.alpha))],
  check: (a, _b, dtype, o) => {
    if (o !== undefined) checkAlpha('add', a, dtype, checkOptions('add', o, ALPHA_OPTIONS).alpha);
  },
});
export const add_: BinaryOp<[AlphaOptions?]> = /* @__PURE__ */ inPlace(add);

/** a − alpha · b. PyTorch: torch.sub. */
export const sub: NumberOp<[AlphaOptions?]> = /* @__PURE__ */ binary<[AlphaOptions?]>('sub', {
  numbers: 'any',
  forward: (e, a, b, o) => e.sub(a, o?.alpha === undefined || o.alpha === 1 ? b : e.mul(b, Number(o.alpha))),
  backward: [(grad) => grad, (grad, _a, _b, _out, o) => grad.mul(-Number(o?.alpha ?? 1))],
  check: (a, b, dtype, o) => {
    noBool('sub')(a, b, dtype);
    if (o !== undefined) checkAlpha('sub', a, dtype, checkOptions('sub', o, ALPHA_OPTIONS).alpha);
  },
});
export const sub_: BinaryOp<[AlphaOptions?]> = /* @__PURE__ */ inPlace(sub);

/** a · b. PyTorch: torch.mul. */
export const mul: NumberOp = /* @__PURE__ */ binary('mul', {
  numbers: 'any',
  forward: (e, a, b) => e.mul(a, b),
  backward: [(grad, _a, b) => grad.mul(b), (grad, a) => grad.mul(a)],
  saves: ['b', 'a'],
});
export const mul_: BinaryOp = /* @__PURE__ */ inPlace(mul);

export interface DivOptions {
  /** Rounds the quotient toward zero ('trunc') or down ('floor'). */
  readonly roundingMode?: 'trunc' | 'floor' | null;
}

/** The derivative of a staircase. */
const flat = (grad: Tensor): Tensor => zerosOf(grad, grad.shape);

const quotient: NumberOp = /* @__PURE__ */ binary('div', {
  numbers: 'any',
  result: 'float',
  forward: (e, a, b) => e.div(a, b),
  backward: [(grad, _a, b) => grad.div(b), (grad, a, b) => grad.neg().mul((a as Tensor).div(b).div(b))],
  saves: ['b', 'ab'],
});
const quotient_: BinaryOp = /* @__PURE__ */ inPlace(quotient);
const truncQuotient: NumberOp = /* @__PURE__ */ binary('divTrunc', {
  numbers: 'any',
  forward: (e, a, b) =>
    a.dtype === 'int32' || a.dtype === 'uint8' || a.dtype === 'bool'
      ? e.idiv(e.cast(a, 'int32'), e.cast(b, 'int32'))
      : e.trunc(e.div(a, b)),
  backward: [flat, flat],
});
const truncQuotient_: BinaryOp = /* @__PURE__ */ inPlace(truncQuotient);
const floorQuotient: NumberOp = /* @__PURE__ */ binary('divFloor', {
  numbers: 'any',
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
  backward: [flat, flat],
});
const floorQuotient_: BinaryOp = /* @__PURE__ */ inPlace(floorQuotient);

/** a / b; integers give float32 unless the quotient is rounded. PyTorch: torch.div. */
export function div(a: Operand, b: Operand, options: DivOptions = {}): Tensor {
  checkOptions('div', options, DIV_OPTIONS);
  const mode = options.roundingMode ?? null;
  if (mode === null) return quotient(a, b);
  return roundedDivide(mode)[0](a, b);
}
export function div_(a: Tensor, b: Operand, options: DivOptions = {}): Tensor {
  checkOptions('div_', options, DIV_OPTIONS);
  const mode = options.roundingMode ?? null;
  if (mode === null) return quotient_(a, b);
  return roundedDivide(mode)[1](a, b);
}
function roundedDivide(mode: string): [NumberOp, BinaryOp] {
  if (mode === 'trunc') return [truncQuotient, truncQuotient_];
  if (mode === 'floor') return [floorQuotient, floorQuotient_];
  throw new ValueError('ERR_ROUNDING_MODE', `div: expected rounding_mode to be one of null, 'trunc', or 'floor' but found '${mode}'`, {
    op: 'div',
  });
}

/** −a. PyTorch: torch.neg. */
export const neg: UnaryOp = /* @__PURE__ */ unary('neg', {
  forward: (e, x) => e.neg(x),
  backward: (grad) => grad.neg(),
  saves: 'none',
  check: (x) => {
    if (x.dtype === 'bool')
      throw new DTypeError(
        'ERR_DTYPE',
        'neg: Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use logicalNot() instead.',
        { op: 'neg', dtypes: ['bool'] },
      );
  },
});
export const neg_: UnaryOp = /* @__PURE__ */ inPlace(neg);

/** ⌊a / b⌋. PyTorch: torch.floor_divide. */
export const floorDivide = (a: Operand, b: Operand): Tensor => div(a, b, { roundingMode: 'floor' });
export const floorDivide_ = (a: Tensor, b: Operand): Tensor => div_(a, b, { roundingMode: 'floor' });
/** b − alpha · a. PyTorch: torch.rsub. */
export function rsub(a: Tensor, b: Operand, options: AlphaOptions = {}): Tensor {
  checkOptions('rsub', options, ALPHA_OPTIONS);
  if (typeof a !== 'object') notTensor('rsub', 'input', a);
  noBool('rsub')(a, b, typeof b === 'object' ? b.dtype : a.dtype);
  noBool('rsub')(a, b, a.dtype);
  checkAlpha('rsub', a, resultType(a, b), options.alpha);
  const scaled = options.alpha === undefined ? a : mul(a, options.alpha);
  return typeof b === 'object' ? sub(b, scaled) : add(neg(scaled), b);
}

// PyTorch's other names.
/** PyTorch: torch.subtract. */
export const subtract: NumberOp<[AlphaOptions?]> = sub;
export const subtract_: BinaryOp<[AlphaOptions?]> = sub_;
/** PyTorch: torch.multiply. */
export const multiply: NumberOp = mul;
export const multiply_: BinaryOp = mul_;
/** PyTorch: torch.divide. */
export const divide: typeof div = div;
export const divide_: typeof div_ = div_;
/** PyTorch: torch.true_divide. */
export const trueDivide = (a: Operand, b: Operand): Tensor => div(a, b);
export const trueDivide_ = (a: Tensor, b: Operand): Tensor => div_(a, b);
/** PyTorch: torch.negative. */
export const negative: UnaryOp = neg;
export const negative_: UnaryOp = neg_;
