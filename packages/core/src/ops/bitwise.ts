/** @file Bits of integers, truth of bools; greatest common divisors. */
import { DTypeError } from '../errors.js';
import { type DType, DTYPE_INFO } from '../tensor/dtype.js';
import type { Value } from '../tensor/value.js';
import { binary, type BinaryOp, inPlace, type NumberOp, type TensorOp, unary, type UnaryOp } from './define.js';
import { e } from './expression.js';

function noFloat(name: string, dtype: DType, bool = true): void {
  const { category } = DTYPE_INFO[dtype];
  if (category === 'float' || (!bool && category === 'bool'))
    throw new DTypeError('ERR_DTYPE', `${name}: not implemented for ${dtype}`, { op: name, dtypes: [dtype] });
}

/** ¬x: all bits of an integer, the truth of a bool. PyTorch: torch.bitwise_not. */
export const bitwiseNot: UnaryOp = /* @__PURE__ */ unary('bitwiseNot', {
  forward: (e, x) => e.not(x),
  check: (x) => noFloat('bitwiseNot', x.dtype),
});
export const bitwiseNot_: UnaryOp = /* @__PURE__ */ inPlace(bitwiseNot);

/** a ∧ b. PyTorch: torch.bitwise_and. */
export const bitwiseAnd: NumberOp = /* @__PURE__ */ binary('bitwiseAnd', {
  numbers: 'beside-tensor',
  forward: (e, a, b) => e.and(a, b),
  check: (_a, _b, dtype) => noFloat('bitwiseAnd', dtype),
});
export const bitwiseAnd_: BinaryOp = /* @__PURE__ */ inPlace(bitwiseAnd);
/** a ∨ b. PyTorch: torch.bitwise_or. */
export const bitwiseOr: NumberOp = /* @__PURE__ */ binary('bitwiseOr', {
  numbers: 'beside-tensor',
  forward: (e, a, b) => e.or(a, b),
  check: (_a, _b, dtype) => noFloat('bitwiseOr', dtype),
});
export const bitwiseOr_: BinaryOp = /* @__PURE__ */ inPlace(bitwiseOr);
/** a ⊕ b. PyTorch: torch.bitwise_xor. */
export const bitwiseXor: NumberOp = /* @__PURE__ */ binary('bitwiseXor', {
  numbers: 'beside-tensor',
  forward: (e, a, b) => e.xor(a, b),
  check: (_a, _b, dtype) => noFloat('bitwiseXor', dtype),
});
export const bitwiseXor_: BinaryOp = /* @__PURE__ */ inPlace(bitwiseXor);

/** a · 2^b, bits beyond the dtype lost. PyTorch: torch.bitwise_left_shift. */
export const bitwiseLeftShift: NumberOp = /* @__PURE__ */ binary('bitwiseLeftShift', {
  numbers: 'beside-tensor',
  forward: (e, a, b) => e.shl(a, b),
  check: (_a, _b, dtype) => noFloat('bitwiseLeftShift', dtype, false),
});
export const bitwiseLeftShift_: BinaryOp = /* @__PURE__ */ inPlace(bitwiseLeftShift);
/** a / 2^b, rounded down. PyTorch: torch.bitwise_right_shift. */
export const bitwiseRightShift: NumberOp = /* @__PURE__ */ binary('bitwiseRightShift', {
  numbers: 'beside-tensor',
  forward: (e, a, b) => e.shr(a, b),
  check: (_a, _b, dtype) => noFloat('bitwiseRightShift', dtype, false),
});
export const bitwiseRightShift_: BinaryOp = /* @__PURE__ */ inPlace(bitwiseRightShift);

/** Euclid's algorithm on two int32 values: 46 steps are enough for any (Fibonacci numbers take the most). */
function commonDivisor(a: Value, b: Value): Value {
  let x = e.abs(a);
  let y = e.abs(b);
  for (let i = 0; i < 45; i++) {
    const rest = e.irem(x, y);
    x = e.where(e.eq(y, 0), x, y);
    y = rest;
  }
  // The last step leaves no rest: a value that nobody reads would keep its arguments' memory.
  return e.where(e.eq(y, 0), x, y);
}

const gcdOf: TensorOp = /* @__PURE__ */ binary('gcd', {
  tensors: true,
  forward: (_e, a, b) => commonDivisor(a, b),
  check: (_a, _b, dtype) => noFloat('gcd', dtype, false),
});
/** The greatest common divisor of integers. PyTorch: torch.gcd. */
export const gcd: TensorOp = gcdOf;
export const gcd_: TensorOp = /* @__PURE__ */ inPlace(gcdOf);
/** The least common multiple of integers, 0 beside 0. PyTorch: torch.lcm. */
export const lcm: TensorOp = /* @__PURE__ */ binary('lcm', {
  tensors: true,
  forward: (e, a, b) => {
    const divisor = commonDivisor(a, b);
    return e.abs(e.mul(e.idiv(a, divisor), b));
  },
  check: (_a, _b, dtype) => noFloat('lcm', dtype, false),
});
export const lcm_: TensorOp = /* @__PURE__ */ inPlace(lcm);
