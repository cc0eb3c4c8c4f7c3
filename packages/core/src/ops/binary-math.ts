/** @file Powers, remainders and other functions of two tensors. */
import { ValueError } from '../errors.js';
import { DTYPE_INFO } from '../tensor/dtype.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import type { Value } from '../tensor/value.js';
import { binary, type BinaryOp, inPlace, type Operand } from './define.js';
import { e, type Expression, type Term } from './expression.js';
import { filled } from './fill.js';
import { choose } from './where.js';

/** An integer power by squaring: exact modulo 2^32 for a known exponent ≥ 0. */
function powerBySquaring(base: Value, exponent: number): Value {
  let result: Value | null = null;
  let square = base;
  for (let n = exponent; n > 0; n = Math.floor(n / 2)) {
    if (n % 2 === 1) result = result === null ? square : e.mul(result, square);
    if (n > 1) square = e.mul(square, square);
  }
  return result ?? e.add(e.mul(base, 0), 1);
}

/** int32 to int32: exact while it fits. Negative exponents give 0, but for the bases 1 and −1, as in PyTorch. */
function integerPower(base: Value, exponent: Value): Value {
  let result = e.where(e.eq(e.and(exponent, 1), 1), base, 1);
  let square = base;
  for (let bit = 1; bit < 5; bit++) {
    square = e.mul(square, square);
    result = e.where(e.ne(e.and(exponent, 1 << bit), 0), e.mul(result, square), result);
  }
  const sign = e.where(e.eq(e.and(exponent, 1), 1), base, 1);
  const unit = e.le(e.abs(base), 1);
  const small = e.where(e.eq(base, 0), e.cast(e.eq(exponent, 0), 'int32'), sign);
  return e.where(e.and(unit, e.or(e.ge(exponent, 0), e.ne(base, 0))), small, e.where(e.or(e.lt(exponent, 0), e.gt(exponent, 31)), 0, result));
}

function floatPower(e: Expression, base: Value, exponent: Term): Value {
  switch (exponent) {
    case 1:
      return base;
    case 2:
      return e.mul(base, base);
    case 3:
      return e.mul(e.mul(base, base), base);
    case 0.5:
      return e.sqrt(base);
    case -0.5:
      return e.div(1, e.sqrt(base));
    case -1:
      return e.div(1, base);
    case -2:
      return e.div(1, e.mul(base, base));
    default:
      return e.pow(base, exponent);
  }
}

const powWith: BinaryOp<[number | null]> = binary<[number | null]>('pow', {
  forward: (e, a, b, exponent) => {
    const { compute } = DTYPE_INFO[a.dtype];
    if (compute === 'float32' || compute === 'float64') return floatPower(e, a, exponent ?? b);
    const base = e.cast(a, 'int32');
    const power = exponent === null ? integerPower(base, e.cast(b, 'int32')) : powerBySquaring(base, exponent);
    return compute === 'bool' ? e.cast(power, 'bool') : power;
  },
  backward: [
    // n · a^(n − 1), and 0 where n is 0 whatever a is.
    (grad, a, b) => {
      const base = a as Tensor;
      if (!isTensor(b)) return b === 0 ? grad.mul(0) : grad.mul(base.pow((b as number) - 1).mul(b));
      return choose(b.eq(0), 0, grad.mul(b.mul(base.pow(b.sub(1)))));
    },
    // aⁿ · ln a, and 0 where a is 0 and n is not negative.
    (grad, a, b, out) => {
      const base = a as Tensor;
      return grad.mul(choose(base.eq(0).logicalAnd((b as Tensor).ge(0)), 0, out.mul(base.log())));
    },
  ],
  saves: ['ab', 'abo'],
});

/**
 * a^b, elementwise. Integers stay integers; fractions of negative numbers are NaN. PyTorch: torch.pow.
 * @throws ValueError `ERR_POW_NEGATIVE` for an integer tensor and a negative whole number.
 */
export function pow(a: Tensor, exponent: Operand): Tensor {
  return powWith(a, exponent, exponentOf(a, exponent));
}
const powWith_ = inPlace(powWith);
export function pow_(a: Tensor, exponent: Operand): Tensor {
  return powWith_(a, exponent, exponentOf(a, exponent));
}

function exponentOf(a: Tensor, exponent: Operand): number | null {
  if (isTensor(exponent)) return null;
  const n = Number(exponent);
  if (n < 0 && Number.isInteger(n) && DTYPE_INFO[a.dtype].category !== 'float') {
    throw new ValueError('ERR_POW_NEGATIVE', 'pow: Integers to negative integer powers are not allowed.', { op: 'pow', dtypes: [a.dtype] });
  }
  return n;
}

/** base^x for a number `base`. PyTorch: number ** tensor, torch.pow(number, tensor). */
export function rpow(x: Tensor, base: number): Tensor {
  return filled([], base, DTYPE_INFO[x.dtype].category === 'float' ? x.dtype : Number.isInteger(base) ? (x.dtype === 'bool' ? 'int32' : x.dtype) : 'float32', x.device).pow(x);
}

/** x². PyTorch: torch.square. */
export const square = (x: Tensor): Tensor => pow(x, 2);
export const square_ = (x: Tensor): Tensor => pow_(x, 2);
