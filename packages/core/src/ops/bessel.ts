/** @file Modified Bessel functions of the first kind. */
import type { Value } from '../tensor/value.js';
import { inPlace, unary, type UnaryOp } from './define.js';
import type { Expression } from './expression.js';
import { I0_FAR, I0_NEAR, I1_FAR, I1_NEAR, polynomial } from './polynomials.js';

/** e^−|x| · I₀(x). */
function scaledI0(e: Expression, x: Value): Value {
  const y = e.abs(x);
  const near = polynomial(e, e.sub(e.mul(e.min(y, 8), 0.25), 1), I0_NEAR);
  const far = e.max(y, 8);
  return e.where(e.le(y, 8), near, e.div(polynomial(e, e.sub(e.div(16, far), 1), I0_FAR), e.sqrt(far)));
}

/** The modified Bessel function I₀. PyTorch: torch.i0. */
export const i0: UnaryOp = /* @__PURE__ */ unary('i0', {
  result: 'float',
  forward: (e, x) => e.mul(scaledI0(e, x), e.exp(e.abs(x))),
  backward: (grad, x) => grad.mul(i1(x)),
});
export const i0_: UnaryOp = /* @__PURE__ */ inPlace(i0);

/** e^−|x| · I₁(x). */
function scaledI1(e: Expression, x: Value): Value {
  const y = e.abs(x);
  const near = e.mul(polynomial(e, e.sub(e.mul(e.min(y, 8), 0.25), 1), I1_NEAR), y);
  const far = e.max(y, 8);
  const size = e.where(e.le(y, 8), near, e.div(polynomial(e, e.sub(e.div(16, far), 1), I1_FAR), e.sqrt(far)));
  return e.where(e.lt(x, 0), e.neg(size), size);
}

/** The modified Bessel function I₁. PyTorch: torch.special.i1. */
export const i1: UnaryOp = /* @__PURE__ */ unary('i1', {
  result: 'float',
  forward: (e, x) => e.mul(scaledI1(e, x), e.exp(e.abs(x))),
  // I₁′ = I₀ − I₁ / x, and ½ at 0.
  backward: (grad, x, out) => {
    const tiny = x.abs().le(1e-6);
    return grad.mul(
      i0(x)
        .sub(out.div(x.maskedFill(tiny, 1)))
        .maskedFill(tiny, 0.5),
    );
  },
  saves: 'both',
});

/** e^−|x| · I₀(x). PyTorch: torch.special.i0e. */
export const i0e: UnaryOp = /* @__PURE__ */ unary('i0e', {
  result: 'float',
  forward: (e, x) => scaledI0(e, x),
  backward: (grad, x, out) => grad.mul(i1e(x).sub(x.sign().mul(out))),
  saves: 'both',
});

/** e^−|x| · I₁(x). PyTorch: torch.special.i1e. */
export const i1e: UnaryOp = /* @__PURE__ */ unary('i1e', {
  result: 'float',
  forward: (e, x) => scaledI1(e, x),
  backward: (grad, x, out) => {
    const tiny = x.abs().le(1e-6);
    const y = x.maskedFill(tiny, 1);
    return grad.mul(
      i0e(x)
        .sub(out.mul(x.sign().add(y.reciprocal())))
        .maskedFill(tiny, 0.5),
    );
  },
  saves: 'both',
});
