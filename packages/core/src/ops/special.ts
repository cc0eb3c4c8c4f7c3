/** @file torch.special: functions that are no methods. Exported as `special`. */
import type { Tensor } from '../tensor/tensor.js';
import { isTensor } from '../tensor/tensor.js';
import type { Value } from '../tensor/value.js';
import { sigmoid } from './activations.js';
import { xlogy } from './binary-math.js';
import { binary, type BinaryOp, notTensor, type Operand, unary, type UnaryOp } from './define.js';
import type { Expression } from './expression.js';
import { filled } from './fill.js';
import { i0, i0e, i1, i1e } from './bessel.js';
import { hurwitz } from './hurwitz.js';
import { ERFCX, polynomial } from './polynomials.js';
import { digamma, erf, erfc, erfinv, lgamma, logit, mvlgamma, polygamma } from './special-math.js';
import { sinc } from './trigonometry.js';
import { exp2, expm1, log1p, round } from './unary-math.js';
import { DTYPE_INFO, floatDType } from '../tensor/dtype.js';

export {
  digamma,
  digamma as psi,
  erf,
  erfc,
  erfinv,
  exp2,
  expm1,
  i0,
  i0e,
  i1,
  i1e,
  lgamma as gammaln,
  log1p,
  logit,
  mvlgamma as multigammaln,
  round,
  sigmoid as expit,
  sinc,
  xlogy,
};

/** The nth derivative of digamma. PyTorch: torch.special.polygamma (n first). */
const polygammaFirst = (n: number, x: Tensor): Tensor => polygamma(x, n);
export { polygammaFirst as polygamma };

/** −x ln x for x > 0, 0 at 0, −∞ below. PyTorch: torch.special.entr. */
export const entr: UnaryOp = /* @__PURE__ */ unary('entr', {
  result: 'float',
  forward: (e, x) =>
    e.where(
      e.isnan(x),
      x,
      e.where(e.gt(x, 0), e.mul(e.neg(x), e.log(x)), e.where(e.eq(x, 0), e.scalar(0, DTYPE_INFO[x.dtype].compute, x), -Infinity)),
    ),
  backward: (grad, x) => grad.mul(x.log().add(1).neg()),
});

/** e^(x²) erfc x for x ≥ 0. */
function scaledErfc(e: Expression, x: Value): Value {
  const t = e.where(e.lt(x, 1e30), e.div(e.sub(x, 3.75), e.add(x, 3.75)), 1);
  return e.div(polynomial(e, t, ERFCX), e.add(e.mul(x, 2), 1));
}

function erfcxOf(e: Expression, x: Value): Value {
  const right = scaledErfc(e, e.abs(x));
  return e.where(e.lt(x, 0), e.sub(e.mul(e.exp(e.mul(x, x)), 2), right), e.where(e.isnan(x), x, right));
}

/** e^(x²) · erfc x, without its overflow. PyTorch: torch.special.erfcx. */
export const erfcx: UnaryOp = /* @__PURE__ */ unary('erfcx', {
  result: 'float',
  forward: (e, x) => erfcxOf(e, x),
  backward: (grad, x, out) =>
    grad.mul(
      x
        .mul(2)
        .mul(out)
        .sub(2 / Math.sqrt(Math.PI)),
    ),
  saves: 'both',
});

/** The standard normal distribution function. PyTorch: torch.special.ndtr. */
export const ndtr: UnaryOp = /* @__PURE__ */ unary('ndtr', {
  result: 'float',
  forward: (e, x) => e.mul(e.erfc(e.mul(x, -Math.SQRT1_2)), 0.5),
  backward: (grad, x) =>
    grad.mul(
      x
        .mul(x)
        .mul(-0.5)
        .exp()
        .mul(1 / Math.sqrt(2 * Math.PI)),
    ),
});

/** Its logarithm, accurate far below 0. PyTorch: torch.special.log_ndtr. */
export const logNdtr: UnaryOp = /* @__PURE__ */ unary('logNdtr', {
  result: 'float',
  forward: (e, x) => {
    const t = e.mul(x, Math.SQRT1_2);
    const low = e.sub(e.log(e.mul(scaledErfc(e, e.abs(t)), 0.5)), e.mul(t, t));
    return e.where(e.lt(x, -1), low, e.log1p(e.mul(e.erfc(t), -0.5)));
  },
  backward: (grad, x) => grad.div(erfcx(x.mul(-Math.SQRT1_2))).mul(Math.sqrt(2 / Math.PI)),
});

/** The inverse of `ndtr`. PyTorch: torch.special.ndtri. */
export const ndtri: UnaryOp = /* @__PURE__ */ unary('ndtri', {
  result: 'float',
  forward: (e, x) => e.mul(e.erfinv(e.sub(e.mul(x, 2), 1)), Math.SQRT2),
  backward: (grad, _x, out) =>
    grad.mul(
      out
        .mul(out)
        .mul(0.5)
        .exp()
        .mul(Math.sqrt(2 * Math.PI)),
    ),
  saves: 'out',
});

const zetaOf: BinaryOp = /* @__PURE__ */ binary('zeta', {
  result: 'float',
  // ∞ at s = 1 and at the poles q = 0, −1, …; NaN for s < 1 and, with a fractional s, for q below 0.
  forward: (e, s, q) => {
    const bad = e.or(e.lt(s, 1), e.and(e.lt(q, 0), e.ne(s, e.floor(s))));
    const pole = e.or(e.eq(s, 1), e.and(e.le(q, 0), e.eq(q, e.floor(q))));
    const sum = hurwitz(e, s, q);
    return e.where(e.or(e.lt(s, 1), e.and(bad, e.not(pole))), NaN, e.where(pole, Infinity, sum));
  },
  backward: [null, (grad, s, q) => grad.mul((s as Tensor).neg().mul(zeta((s as Tensor).add(1), q)))],
  saves: ['', 'ab'],
});

/** Hurwitz's zeta function Σ (q + i)^−s; differentiable in q. PyTorch: torch.special.zeta. */
export function zeta(s: Operand, q: Operand): Tensor {
  if (isTensor(s)) return zetaOf(s, isTensor(q) ? q : filled([], q, floatDType(s.dtype), s.device));
  const like = isTensor(q) ? q : notTensor('zeta', 'other', q);
  return zetaOf(filled([], s, floatDType(like.dtype), like.device), like);
}

const xlog1pyOf: BinaryOp = /* @__PURE__ */ binary('xlog1py', {
  result: 'float',
  forward: (e, x, y) => e.where(e.isnan(y), y, e.where(e.eq(x, 0), 0, e.mul(x, e.log1p(y)))),
  backward: [
    (grad, x, y) => grad.mul((y as Tensor).log1p()).maskedFill((x as Tensor).eq(0).logicalAnd((y as Tensor).le(-1)), 0),
    (grad, x, y) => grad.mul(x).div((y as Tensor).add(1)),
  ],
  saves: ['ab', 'ab'],
});

/** x · ln(1 + y), and 0 where x is 0. PyTorch: torch.special.xlog1py. */
export function xlog1py(x: Operand, y: Operand): Tensor {
  if (isTensor(x)) return xlog1pyOf(x, isTensor(y) ? y : filled([], y, floatDType(x.dtype), x.device));
  const like = isTensor(y) ? y : notTensor('xlog1py', 'other', y);
  return xlog1pyOf(filled([], x, floatDType(like.dtype), like.device), like);
}
