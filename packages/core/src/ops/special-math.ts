/** @file The error function, the gamma function and their kin, as far as they are methods in PyTorch. The rest of torch.special is in special.ts. */
import { ValueError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Value } from '../tensor/value.js';
import { inPlace, unary, type UnaryOp } from './define.js';
import type { Expression } from './expression.js';
import { hurwitz } from './hurwitz.js';

const SLOPE = 2 / Math.sqrt(Math.PI);

/** 2/√π ∫₀ˣ e^(−t²) dt. PyTorch: torch.erf. */
export const erf: UnaryOp = /* @__PURE__ */ unary('erf', {
  result: 'float',
  forward: (e, x) => e.erf(x),
  backward: (grad, x) => grad.mul(x.mul(x).neg().exp().mul(SLOPE)),
});
export const erf_: UnaryOp = /* @__PURE__ */ inPlace(erf);

/** 1 − erf x, accurate where that is small. PyTorch: torch.erfc. */
export const erfc: UnaryOp = /* @__PURE__ */ unary('erfc', {
  result: 'float',
  forward: (e, x) => e.erfc(x),
  backward: (grad, x) => grad.mul(x.mul(x).neg().exp().mul(-SLOPE)),
});
export const erfc_: UnaryOp = /* @__PURE__ */ inPlace(erfc);

/** The x with erf x = y. PyTorch: torch.erfinv. */
export const erfinv: UnaryOp = /* @__PURE__ */ unary('erfinv', {
  result: 'float',
  forward: (e, x) => e.erfinv(x),
  backward: (grad, _x, out) =>
    grad.mul(
      out
        .mul(out)
        .exp()
        .mul(1 / SLOPE),
    ),
  saves: 'out',
});
export const erfinv_: UnaryOp = /* @__PURE__ */ inPlace(erfinv);

/** ln |Γ(x)|. PyTorch: torch.lgamma. */
export const lgamma: UnaryOp = /* @__PURE__ */ unary('lgamma', {
  result: 'float',
  forward: (e, x) => e.lgamma(x),
  backward: (grad, x) => grad.mul(x.digamma()),
});
export const lgamma_: UnaryOp = /* @__PURE__ */ inPlace(lgamma);

/** d/dx ln Γ(x). PyTorch: torch.digamma. */
export const digamma: UnaryOp = /* @__PURE__ */ unary('digamma', {
  result: 'float',
  forward: (e, x) => e.digamma(x),
  backward: (grad, x) => grad.mul(polygamma(x, 1)),
});
export const digamma_: UnaryOp = /* @__PURE__ */ inPlace(digamma);

/** ψ′(x): the recurrence up to x + 6, then its asymptotic series; by reflection below ½. */
function trigamma(e: Expression, x: Value): Value {
  const low = e.lt(x, 0.5);
  const z = e.where(low, e.sub(1, x), x);
  let sum: Value | null = null;
  for (let i = 0; i < 6; i++) {
    const y = e.add(z, i);
    const term = e.div(1, e.mul(y, y));
    sum = sum === null ? term : e.add(sum, term);
  }
  const w = e.div(1, e.add(z, 6));
  const ww = e.mul(w, w);
  const series = e.add(e.add(e.mul(w, 0.5), 1), e.mul(ww, e.sub(1 / 6, e.mul(ww, e.sub(1 / 30, e.mul(ww, 1 / 42))))));
  const right = e.add(sum!, e.mul(series, w));
  const s = e.sin(e.mul(x, Math.PI));
  return e.where(low, e.sub(e.div(Math.PI * Math.PI, e.mul(s, s)), right), right);
}

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));

const polygammaOf: UnaryOp<[number]> = /* @__PURE__ */ unary<[number]>('polygamma', {
  result: 'float',
  forward: (e, x, n) => {
    if (n === 1) return trigamma(e, x);
    const s = e.add(e.mul(x, 0), n + 1);
    return e.mul(hurwitz(e, s, x), (n % 2 === 1 ? 1 : -1) * factorial(n));
  },
  backward: (grad, x, _out, n) => grad.mul(polygamma(x, n + 1)),
});
const polygammaOf_ = /* @__PURE__ */ inPlace(polygammaOf);

/**
 * The nth derivative of digamma; for n ≥ 2 at positive x only, NaN elsewhere. The method is `x.polygamma(n)`, as in PyTorch; torch.polygamma
 * takes n first.
 * @throws ValueError `ERR_POLYGAMMA` for a negative n.
 */
export function polygamma(x: Tensor, n: number): Tensor {
  checkOrder(n);
  return n === 0 ? digamma(x) : polygammaOf(x, n);
}
export function polygamma_(x: Tensor, n: number): Tensor {
  checkOrder(n);
  return n === 0 ? digamma_(x) : polygammaOf_(x, n);
}
function checkOrder(n: number): void {
  if (!(Number.isInteger(n) && n >= 0))
    throw new ValueError('ERR_POLYGAMMA', `polygamma: polygamma(n, x) does not support negative or fractional n, but it is ${n}`, {
      op: 'polygamma',
    });
}

/** ln of the multivariate gamma function with dimension p. PyTorch: torch.mvlgamma. */
export function mvlgamma(x: Tensor, p: number): Tensor {
  if (!(Number.isInteger(p) && p >= 1))
    throw new ValueError('ERR_MVLGAMMA', `mvlgamma: p has to be greater than or equal to 1, but is ${p}`, { op: 'mvlgamma' });
  let sum = lgamma(x).add((p * (p - 1) * Math.log(Math.PI)) / 4);
  for (let j = 1; j < p; j++) sum = sum.add(lgamma(x.sub(j / 2)));
  return sum;
}

export { i0, i0_ } from './bessel.js';

/**
 * ln(x / (1 − x)), the inverse of the sigmoid; `eps` bounds x to [eps, 1 − eps] first. PyTorch: torch.logit.
 * @example x.logit(1e-6)
 */
export const logit: UnaryOp<[(number | null)?]> = /* @__PURE__ */ unary<[(number | null)?]>('logit', {
  result: 'float',
  forward: (e, x, eps) => {
    const z = eps === undefined || eps === null ? x : e.where(e.isnan(x), x, e.min(e.max(x, eps), 1 - eps));
    return e.log(e.div(z, e.sub(1, z)));
  },
  backward: (grad, x, _out, eps) => {
    const slope = grad.div(x.mul(x.neg().add(1)));
    if (eps === undefined || eps === null) return slope.maskedFill(x.lt(0).logicalOr(x.gt(1)), NaN);
    return slope.maskedFill(x.lt(eps).logicalOr(x.gt(1 - eps)), 0);
  },
});
export const logit_: UnaryOp<[(number | null)?]> = /* @__PURE__ */ inPlace(logit);
