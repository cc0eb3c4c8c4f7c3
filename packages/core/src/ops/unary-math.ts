/** @file Exponentials, logarithms, powers, rounding and signs, elementwise. */
import { checkOptions, type OptionNames } from '../options.js';
import { DTypeError } from '../errors.js';
import { DTYPE_INFO } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { inPlace, requireFloat, unary, type UnaryOp } from './define.js';
import type { Expression } from './expression.js';
import type { Value } from '../tensor/value.js';
import { zerosOf } from './fill.js';

const noBool =
  (name: string) =>
  (x: Tensor): void => {
    if (x.dtype === 'bool') throw new DTypeError('ERR_DTYPE', `${name}: not implemented for 'Bool'`, { op: name, dtypes: ['bool'] });
  };
/** The derivative of a staircase. */
const flat = (grad: Tensor): Tensor => zerosOf(grad, grad.shape);

// ── exponentials and logarithms ──

/** e^x. PyTorch: torch.exp. */
export const exp: UnaryOp = /* @__PURE__ */ unary('exp', {
  result: 'float',
  forward: (e, x) => e.exp(x),
  backward: (grad, _x, out) => grad.mul(out),
  saves: 'out',
});
export const exp_: UnaryOp = /* @__PURE__ */ inPlace(exp);

/** 2^x. PyTorch: torch.exp2. */
export const exp2: UnaryOp = /* @__PURE__ */ unary('exp2', {
  result: 'float',
  forward: (e, x) => e.exp2(x),
  backward: (grad, _x, out) => grad.mul(out).mul(Math.LN2),
  saves: 'out',
});
export const exp2_: UnaryOp = /* @__PURE__ */ inPlace(exp2);

/** e^x − 1, accurate near 0. PyTorch: torch.expm1. */
export const expm1: UnaryOp = /* @__PURE__ */ unary('expm1', {
  result: 'float',
  forward: (e, x) => e.expm1(x),
  backward: (grad, _x, out) => grad.mul(out.add(1)),
  saves: 'out',
});
export const expm1_: UnaryOp = /* @__PURE__ */ inPlace(expm1);

/** ln x. PyTorch: torch.log. */
export const log: UnaryOp = /* @__PURE__ */ unary('log', {
  result: 'float',
  forward: (e, x) => e.log(x),
  backward: (grad, x) => grad.div(x),
});
export const log_: UnaryOp = /* @__PURE__ */ inPlace(log);

/** log₂ x. PyTorch: torch.log2. */
export const log2: UnaryOp = /* @__PURE__ */ unary('log2', {
  result: 'float',
  forward: (e, x) => e.log2(x),
  backward: (grad, x) => grad.div(x.mul(Math.LN2)),
});
export const log2_: UnaryOp = /* @__PURE__ */ inPlace(log2);

/** log₁₀ x. PyTorch: torch.log10. */
export const log10: UnaryOp = /* @__PURE__ */ unary('log10', {
  result: 'float',
  forward: (e, x) => e.log10(x),
  backward: (grad, x) => grad.div(x.mul(Math.LN10)),
});
export const log10_: UnaryOp = /* @__PURE__ */ inPlace(log10);

/** ln(1 + x), accurate near 0. PyTorch: torch.log1p. */
export const log1p: UnaryOp = /* @__PURE__ */ unary('log1p', {
  result: 'float',
  forward: (e, x) => e.log1p(x),
  backward: (grad, x) => grad.div(x.add(1)),
});
export const log1p_: UnaryOp = /* @__PURE__ */ inPlace(log1p);

// ── powers ──

/** √x. PyTorch: torch.sqrt. */
export const sqrt: UnaryOp = /* @__PURE__ */ unary('sqrt', {
  result: 'float',
  forward: (e, x) => e.sqrt(x),
  backward: (grad, _x, out) => grad.div(out.mul(2)),
  saves: 'out',
});
export const sqrt_: UnaryOp = /* @__PURE__ */ inPlace(sqrt);

/** 1 / √x. PyTorch: torch.rsqrt. */
export const rsqrt: UnaryOp = /* @__PURE__ */ unary('rsqrt', {
  result: 'float',
  forward: (e, x) => e.div(1, e.sqrt(x)),
  backward: (grad, _x, out) => grad.mul(-0.5).mul(out.mul(out).mul(out)),
  saves: 'out',
});
export const rsqrt_: UnaryOp = /* @__PURE__ */ inPlace(rsqrt);

/** 1 / x. PyTorch: torch.reciprocal. */
export const reciprocal: UnaryOp = /* @__PURE__ */ unary('reciprocal', {
  result: 'float',
  forward: (e, x) => e.div(1, x),
  backward: (grad, _x, out) => grad.neg().mul(out.mul(out)),
  saves: 'out',
});
export const reciprocal_: UnaryOp = /* @__PURE__ */ inPlace(reciprocal);

// ── signs ──

/** |x|. PyTorch: torch.abs. */
export const abs: UnaryOp = /* @__PURE__ */ unary('abs', {
  forward: (e, x) => e.abs(x),
  backward: (grad, x) => grad.mul(x.sign()),
  check: noBool('abs'),
});
export const abs_: UnaryOp = /* @__PURE__ */ inPlace(abs);
/** PyTorch: torch.absolute. */
export const absolute: UnaryOp = abs;
export const absolute_: UnaryOp = abs_;

/** −1, 0 or 1; 0 for NaN. PyTorch: torch.sign. */
export const sign: UnaryOp = /* @__PURE__ */ unary('sign', {
  forward: (e, x) => (x.dtype === 'bool' ? x : e.sign(x)),
  backward: flat,
  saves: 'none',
});
export const sign_: UnaryOp = /* @__PURE__ */ inPlace(sign);
/** The same for real numbers. PyTorch: torch.sgn. */
export const sgn: UnaryOp = /* @__PURE__ */ unary('sgn', {
  forward: (e, x) => (x.dtype === 'bool' ? x : e.sign(x)),
  backward: flat,
  saves: 'none',
});
export const sgn_: UnaryOp = /* @__PURE__ */ inPlace(sgn);

/** x. PyTorch: torch.positive. @throws DTypeError for bool. */
export function positive(x: Tensor): Tensor {
  noBool('positive')(x);
  return x;
}

// ── rounding: whole numbers are what they are ──

const rounding =
  (op: (e: Expression, x: Value) => Value): ((e: Expression, x: Value) => Value) =>
  (e, x) =>
    DTYPE_INFO[x.dtype].category === 'float' ? op(e, x) : x;

/** The largest whole number ≤ x. PyTorch: torch.floor. */
export const floor: UnaryOp = /* @__PURE__ */ unary('floor', {
  forward: rounding((e, x) => e.floor(x)),
  backward: flat,
  saves: 'none',
  check: noBool('floor'),
});
export const floor_: UnaryOp = /* @__PURE__ */ inPlace(floor);

/** The smallest whole number ≥ x. PyTorch: torch.ceil. */
export const ceil: UnaryOp = /* @__PURE__ */ unary('ceil', {
  forward: rounding((e, x) => e.ceil(x)),
  backward: flat,
  saves: 'none',
  check: noBool('ceil'),
});
export const ceil_: UnaryOp = /* @__PURE__ */ inPlace(ceil);

/** x without its fraction. PyTorch: torch.trunc. */
export const trunc: UnaryOp = /* @__PURE__ */ unary('trunc', {
  forward: rounding((e, x) => e.trunc(x)),
  backward: flat,
  saves: 'none',
  check: noBool('trunc'),
});
export const trunc_: UnaryOp = /* @__PURE__ */ inPlace(trunc);
/** PyTorch: torch.fix. */
export const fix: UnaryOp = trunc;
export const fix_: UnaryOp = trunc_;

export interface RoundOptions {
  /** Digits after the point; negative ones count tens. Default 0. */
  readonly decimals?: number;
}
const ROUND_OPTIONS: OptionNames<RoundOptions> = { decimals: true };
/** To the nearest whole number (or multiple of 10^−decimals), halves to the even one. PyTorch: torch.round. */
export const round: UnaryOp<[RoundOptions?]> = /* @__PURE__ */ unary<[RoundOptions?]>('round', {
  forward: (e, x, options) => {
    if (DTYPE_INFO[x.dtype].category !== 'float') return x;
    const decimals = options?.decimals ?? 0;
    if (decimals === 0) return e.round(x);
    const tens = 10 ** Math.abs(decimals);
    return decimals > 0 ? e.div(e.round(e.mul(x, tens)), tens) : e.mul(e.round(e.div(x, tens)), tens);
  },
  backward: flat,
  saves: 'none',
  check: (x, options) => {
    noBool('round')(x);
    if ((checkOptions('round', options, ROUND_OPTIONS)?.decimals ?? 0) !== 0) requireFloat('round', x);
  },
});
export const round_: UnaryOp<[RoundOptions?]> = /* @__PURE__ */ inPlace(round);

/** The fraction, with the sign of x: x − trunc x. PyTorch: torch.frac. */
export const frac: UnaryOp = /* @__PURE__ */ unary('frac', {
  forward: (e, x) => e.sub(x, e.trunc(x)),
  backward: (grad) => grad,
  saves: 'none',
  check: (x) => requireFloat('frac', x),
});
export const frac_: UnaryOp = /* @__PURE__ */ inPlace(frac);
