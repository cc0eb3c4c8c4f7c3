/** @file Powers, remainders and other functions of two tensors. */
import { DTypeError, ValueError } from '../errors.js';
import { type DType, DTYPE_INFO } from '../tensor/dtype.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import type { Value } from '../tensor/value.js';
import { binary, asFirst, type BinaryOp, inPlace, notTensor, type NumberOp, type Operand, type TensorOp } from './define.js';
import { e, type Expression } from './expression.js';
import { filled, zerosOf } from './fill.js';
import { powerOf } from './power.js';
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
  return e.where(
    e.and(unit, e.or(e.ge(exponent, 0), e.ne(base, 0))),
    small,
    e.where(e.or(e.lt(exponent, 0), e.gt(exponent, 31)), 0, result),
  );
}

const powWith: BinaryOp<[number | null]> = /* @__PURE__ */ binary<[number | null]>('pow', {
  forward: (e, a, b, exponent) => {
    const { compute } = DTYPE_INFO[a.dtype];
    if (compute === 'float32' || compute === 'float64') return powerOf(e, a, exponent ?? b);
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
export function pow(a: Operand, exponent: Operand): Tensor {
  if (!isTensor(a)) return pow(firstOf('pow', a, exponent), exponent);
  return powWith(a, exponent, exponentOf(a, exponent));
}
const powWith_ = /* @__PURE__ */ inPlace(powWith);
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

/** A number in the first place as a tensor. */
const firstOf = (op: string, a: number | boolean, b: Operand): Tensor => (isTensor(b) ? asFirst(op, a, b) : notTensor(op, 'input', a));

/** base^x for a number `base`. PyTorch: number ** tensor, torch.pow(number, tensor). */
export function rpow(x: Tensor, base: number | Tensor): Tensor {
  return pow(base, x);
}

/** x². PyTorch: torch.square. */
export const square = (x: Tensor): Tensor => pow(x, 2);
export const square_ = (x: Tensor): Tensor => pow_(x, 2);

/** a^b in float64. PyTorch: torch.float_power. */
export const floatPower = (a: Operand, exponent: Operand): Tensor =>
  pow((isTensor(a) ? a : firstOf('floatPower', a, exponent)).to('float64'), isTensor(exponent) ? exponent.to('float64') : exponent);
export function floatPower_(a: Tensor, exponent: Operand): Tensor {
  if (a.dtype !== 'float64')
    throw new DTypeError(
      'ERR_INPLACE_DTYPE',
      `floatPower_: the base given to float_power_ has dtype ${a.dtype} but the operation's result requires dtype float64`,
      { op: 'floatPower_', dtypes: [a.dtype] },
    );
  return pow_(a, isTensor(exponent) ? exponent.to('float64') : exponent);
}

// ── remainders ──

const noBool =
  (name: string) =>
  (_a: Tensor, _b: Operand, dtype: DType): void => {
    if (dtype === 'bool') throw new DTypeError('ERR_DTYPE', `${name}: not implemented for 'Bool'`, { op: name, dtypes: ['bool'] });
  };
const isInt = (x: Value): boolean => DTYPE_INFO[x.dtype].compute === 'int32';

/** a − b · ⌊a / b⌋, with the sign of b, as Python's %. Integers modulo 0 are 0. PyTorch: torch.remainder. */
export const remainder: NumberOp = /* @__PURE__ */ binary('remainder', {
  numbers: 'beside-tensor',
  forward: (e, a, b) => {
    const rest = isInt(a) ? e.irem(a, b) : e.fmod(a, b);
    return e.where(e.and(e.ne(rest, 0), e.ne(e.lt(b, 0), e.lt(rest, 0))), e.add(rest, b), rest);
  },
  backward: [(grad) => grad, (grad, a, b) => grad.neg().mul((a as Tensor).div(b, { roundingMode: 'floor' }))],
  saves: ['', 'ab'],
  check: noBool('remainder'),
});
export const remainder_: BinaryOp = /* @__PURE__ */ inPlace(remainder);

/** a − b · trunc(a / b), with the sign of a, as C's fmod. PyTorch: torch.fmod. */
export const fmod: BinaryOp = /* @__PURE__ */ binary('fmod', {
  forward: (e, a, b) => (isInt(a) ? e.irem(a, b) : e.fmod(a, b)),
  backward: [(grad) => grad, (grad, a, b) => grad.neg().mul((a as Tensor).div(b, { roundingMode: 'trunc' }))],
  saves: ['', 'ab'],
  check: noBool('fmod'),
});
export const fmod_: BinaryOp = /* @__PURE__ */ inPlace(fmod);

// ── angles, signs, lengths ──

/** The angle of the point (b, a), in (−π, π]. PyTorch: torch.atan2. */
export const atan2: TensorOp = /* @__PURE__ */ binary('atan2', {
  tensors: true,
  result: 'float',
  forward: (e, a, b) => e.atan2(a, b),
  backward: [
    (grad, a, b) => grad.mul((b as Tensor).div((a as Tensor).square().add((b as Tensor).square()))),
    (grad, a, b) => grad.mul((a as Tensor).neg().div((a as Tensor).square().add((b as Tensor).square()))),
  ],
  saves: ['ab', 'ab'],
});
export const atan2_: TensorOp = /* @__PURE__ */ inPlace(atan2);
/** PyTorch: torch.arctan2. */
export const arctan2: TensorOp = atan2;
export const arctan2_: TensorOp = atan2_;

/** Does a float carry a minus? −0 does. */
function isNegative(e: Expression, x: Value): Value {
  return x.dtype === 'float64' ? e.or(e.lt(x, 0), e.and(e.eq(x, 0), e.lt(e.div(1, x), 0))) : e.lt(e.bitcast(x, 'int32'), 0);
}

/** |a| with the sign of b. PyTorch: torch.copysign. */
export const copysign: BinaryOp = /* @__PURE__ */ binary('copysign', {
  result: 'float',
  forward: (e, a, b) => {
    const size = e.abs(a);
    return e.where(isNegative(e, b), e.neg(size), size);
  },
  backward: [(grad, a, _b, out) => grad.mul(out.div(a as Tensor).maskedFill((a as Tensor).eq(0), 0)), (grad) => zerosOf(grad, grad.shape)],
  saves: ['ao', ''],
});
export const copysign_: BinaryOp = /* @__PURE__ */ inPlace(copysign);

/** √(a² + b²), without overflow on the way. PyTorch: torch.hypot. */
export const hypot: TensorOp = /* @__PURE__ */ binary('hypot', {
  tensors: true,
  forward: (e, a, b) => {
    const x = e.abs(a);
    const y = e.abs(b);
    const large = e.max(x, y);
    const ratio = e.div(e.min(x, y), e.where(e.eq(large, 0), 1, large));
    const length = e.mul(large, e.sqrt(e.add(e.mul(ratio, ratio), 1)));
    return e.where(e.or(e.eq(x, Infinity), e.eq(y, Infinity)), Infinity, length);
  },
  backward: [(grad, a, _b, out) => grad.mul((a as Tensor).div(out)), (grad, _a, b, out) => grad.mul((b as Tensor).div(out))],
  saves: ['ao', 'bo'],
  check: (_a, _b, dtype) => requireFloats('hypot', dtype),
});
export const hypot_: TensorOp = /* @__PURE__ */ inPlace(hypot);

function requireFloats(name: string, dtype: DType): void {
  if (DTYPE_INFO[dtype].category !== 'float')
    throw new DTypeError('ERR_DTYPE', `${name}: not implemented for ${dtype}`, { op: name, dtypes: [dtype] });
}

// ── logarithms of sums and products ──

/** ln(e^a + e^b), without overflow on the way. PyTorch: torch.logaddexp. */
export const logaddexp: TensorOp = /* @__PURE__ */ binary('logaddexp', {
  tensors: true,
  result: 'float',
  forward: (e, a, b) =>
    e.where(e.and(e.eq(a, b), e.eq(e.abs(a), Infinity)), a, e.add(e.max(a, b), e.log1p(e.exp(e.neg(e.abs(e.sub(a, b))))))),
  backward: [(grad, a, b) => grad.div((b as Tensor).sub(a).exp().add(1)), (grad, a, b) => grad.div((a as Tensor).sub(b).exp().add(1))],
  saves: ['ab', 'ab'],
  check: (_a, _b, dtype) => requireFloats('logaddexp', dtype),
});
/** log₂(2^a + 2^b). PyTorch: torch.logaddexp2. */
export const logaddexp2: TensorOp = /* @__PURE__ */ binary('logaddexp2', {
  tensors: true,
  result: 'float',
  forward: (e, a, b) =>
    e.where(
      e.and(e.eq(a, b), e.eq(e.abs(a), Infinity)),
      a,
      e.add(e.max(a, b), e.mul(e.log1p(e.exp2(e.neg(e.abs(e.sub(a, b))))), Math.LOG2E)),
    ),
  backward: [(grad, a, b) => grad.div((b as Tensor).sub(a).exp2().add(1)), (grad, a, b) => grad.div((a as Tensor).sub(b).exp2().add(1))],
  saves: ['ab', 'ab'],
  check: (_a, _b, dtype) => requireFloats('logaddexp2', dtype),
});

const xlogyOf: NumberOp = /* @__PURE__ */ binary('xlogy', {
  numbers: 'beside-tensor',
  result: 'float',
  forward: (e, x, y) => e.where(e.isnan(y), y, e.where(e.eq(x, 0), 0, e.mul(x, e.log(y)))),
  backward: [
    (grad, x, y) => grad.mul(asTensor(y, grad).log()).maskedFill((x as Tensor).eq(0).logicalAnd(asTensor(y, grad).le(0)), 0),
    (grad, x, y) => grad.mul(x).div(y),
  ],
  saves: ['ab', 'ab'],
});
const xlogyOf_ = /* @__PURE__ */ inPlace(xlogyOf);
/** x · ln y, and 0 where x is 0. PyTorch: torch.xlogy. */
export const xlogy = (x: Operand, y: Operand): Tensor => xlogyOf(x, y);
export const xlogy_ = (x: Tensor, y: Operand): Tensor => xlogyOf_(x, y);
const asTensor = (x: Operand, like: Tensor): Tensor => (isTensor(x) ? x : filled([], x, like.dtype, like.device));

// ── larger and smaller, without NaN; steps; scaling ──

/** The larger of two; a NaN gives way. PyTorch: torch.fmax. */
export const fmax: TensorOp = /* @__PURE__ */ binary('fmax', {
  tensors: true,
  forward: (e, a, b) =>
    DTYPE_INFO[a.dtype].category === 'float' ? e.where(e.isnan(b), a, e.where(e.isnan(a), b, e.max(a, b))) : e.max(a, b),
  backward: [
    (grad, a, b) => choose((a as Tensor).ge(b).logicalOr((b as Tensor).isnan()), grad, 0),
    (grad, a, b) => choose((a as Tensor).ge(b).logicalOr((b as Tensor).isnan()), 0, grad),
  ],
  saves: ['ab', 'ab'],
});
/** The smaller of two; a NaN gives way. PyTorch: torch.fmin. */
export const fmin: TensorOp = /* @__PURE__ */ binary('fmin', {
  tensors: true,
  forward: (e, a, b) =>
    DTYPE_INFO[a.dtype].category === 'float' ? e.where(e.isnan(b), a, e.where(e.isnan(a), b, e.min(a, b))) : e.min(a, b),
  backward: [
    (grad, a, b) => choose((a as Tensor).le(b).logicalOr((b as Tensor).isnan()), grad, 0),
    (grad, a, b) => choose((a as Tensor).le(b).logicalOr((b as Tensor).isnan()), 0, grad),
  ],
  saves: ['ab', 'ab'],
});

/** 0 below 0, 1 above, and `values` at 0. PyTorch: torch.heaviside. */
export const heaviside: TensorOp = /* @__PURE__ */ binary('heaviside', {
  tensors: true,
  forward: (e, x, values) => {
    if (x.dtype === 'bool') return e.or(x, values);
    const step = e.cast(e.gt(x, 0), DTYPE_INFO[x.dtype].compute);
    return e.where(e.eq(x, 0), values, step);
  },
  check: (x, values) => {
    if ((values as Tensor).dtype !== x.dtype)
      throw new DTypeError(
        'ERR_DTYPE_MIX',
        `heaviside: heaviside is not yet implemented for tensors with different dtypes: ${x.dtype} and ${(values as Tensor).dtype}`,
        { op: 'heaviside', dtypes: [x.dtype, (values as Tensor).dtype] },
      );
  },
});
export const heaviside_: TensorOp = /* @__PURE__ */ inPlace(heaviside);

/** x · 2^exponent. PyTorch: torch.ldexp. */
export const ldexp = (x: Tensor, exponent: Tensor): Tensor => requireTensor('ldexp', x).mul(powerOfTwo(exponent));
export const ldexp_ = (x: Tensor, exponent: Tensor): Tensor => x.mul_(powerOfTwo(exponent));
const powerOfTwo = (exponent: Tensor): Tensor =>
  rpow(requireTensor('ldexp', exponent).isFloatingPoint() ? exponent : exponent.to('float32'), 2);
const requireTensor = (name: string, x: Tensor): Tensor => (isTensor(x) ? x : notTensor(name, 'input', x));

/**
 * The float next to a on the way to b. PyTorch: torch.nextafter.
 * @throws DTypeError for integers and the halves.
 */
export const nextafter: TensorOp = /* @__PURE__ */ binary('nextafter', {
  tensors: true,
  forward: (e, a, b) => {
    const up = e.lt(a, b);
    if (a.dtype === 'float64') {
      // Rump, Zimmermann, Boldo and Melquiond, 2009: exact outside of the subnormal numbers.
      const step = e.add(e.mul(e.abs(a), 2 ** -53 * (1 + 2 ** -52)), 5e-324);
      return e.where(e.eq(a, b), b, e.where(up, e.add(a, step), e.where(e.gt(a, b), e.sub(a, step), e.add(a, b))));
    }
    const bits = e.bitcast(a, 'int32');
    const next = e.bitcast(e.where(e.eq(up, e.gt(a, 0)), e.add(bits, 1), e.sub(bits, 1)), 'float32');
    const least = e.bitcast(e.where(up, e.add(e.mul(bits, 0), 1), -2147483647), 'float32');
    const moved = e.where(e.eq(a, 0), least, next);
    return e.where(e.eq(a, b), b, e.where(e.or(e.isnan(a), e.isnan(b)), e.add(a, b), moved));
  },
  check: (_a, _b, dtype) => {
    if (dtype !== 'float32' && dtype !== 'float64')
      throw new DTypeError('ERR_DTYPE', `nextafter: not implemented for ${dtype}`, { op: 'nextafter', dtypes: [dtype] });
  },
});
export const nextafter_: TensorOp = /* @__PURE__ */ inPlace(nextafter);
