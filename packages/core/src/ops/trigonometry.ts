/** @file Circular and hyperbolic functions and their inverses, in radians. */
import { inPlace, unary, type UnaryOp } from './define.js';

/** sin x. PyTorch: torch.sin. */
export const sin: UnaryOp = /* @__PURE__ */ unary('sin', {
  result: 'float',
  forward: (e, x) => e.sin(x),
  backward: (grad, x) => grad.mul(x.cos()),
});
export const sin_: UnaryOp = /* @__PURE__ */ inPlace(sin);

/** cos x. PyTorch: torch.cos. */
export const cos: UnaryOp = /* @__PURE__ */ unary('cos', {
  result: 'float',
  forward: (e, x) => e.cos(x),
  backward: (grad, x) => grad.mul(x.sin().neg()),
});
export const cos_: UnaryOp = /* @__PURE__ */ inPlace(cos);

/** tan x. PyTorch: torch.tan. */
export const tan: UnaryOp = /* @__PURE__ */ unary('tan', {
  result: 'float',
  forward: (e, x) => e.tan(x),
  backward: (grad, _x, out) => grad.mul(out.mul(out).add(1)),
  saves: 'out',
});
export const tan_: UnaryOp = /* @__PURE__ */ inPlace(tan);

/** arcsin x. PyTorch: torch.asin. */
export const asin: UnaryOp = /* @__PURE__ */ unary('asin', {
  result: 'float',
  forward: (e, x) => e.asin(x),
  backward: (grad, x) => grad.mul(x.mul(x).neg().add(1).rsqrt()),
});
export const asin_: UnaryOp = /* @__PURE__ */ inPlace(asin);

/** arccos x. PyTorch: torch.acos. */
export const acos: UnaryOp = /* @__PURE__ */ unary('acos', {
  result: 'float',
  forward: (e, x) => e.acos(x),
  backward: (grad, x) => grad.mul(x.mul(x).neg().add(1).rsqrt().neg()),
});
export const acos_: UnaryOp = /* @__PURE__ */ inPlace(acos);

/** arctan x. PyTorch: torch.atan. */
export const atan: UnaryOp = /* @__PURE__ */ unary('atan', {
  result: 'float',
  forward: (e, x) => e.atan(x),
  backward: (grad, x) => grad.div(x.mul(x).add(1)),
});
export const atan_: UnaryOp = /* @__PURE__ */ inPlace(atan);

/** sinh x. PyTorch: torch.sinh. */
export const sinh: UnaryOp = /* @__PURE__ */ unary('sinh', {
  result: 'float',
  forward: (e, x) => e.sinh(x),
  backward: (grad, x) => grad.mul(x.cosh()),
});
export const sinh_: UnaryOp = /* @__PURE__ */ inPlace(sinh);

/** cosh x. PyTorch: torch.cosh. */
export const cosh: UnaryOp = /* @__PURE__ */ unary('cosh', {
  result: 'float',
  forward: (e, x) => e.cosh(x),
  backward: (grad, x) => grad.mul(x.sinh()),
});
export const cosh_: UnaryOp = /* @__PURE__ */ inPlace(cosh);

/** arsinh x. PyTorch: torch.asinh. */
export const asinh: UnaryOp = /* @__PURE__ */ unary('asinh', {
  result: 'float',
  forward: (e, x) => e.asinh(x),
  backward: (grad, x) => grad.mul(x.mul(x).add(1).rsqrt()),
});
export const asinh_: UnaryOp = /* @__PURE__ */ inPlace(asinh);

/** arcosh x. PyTorch: torch.acosh. */
export const acosh: UnaryOp = /* @__PURE__ */ unary('acosh', {
  result: 'float',
  forward: (e, x) => e.acosh(x),
  backward: (grad, x) => grad.mul(x.mul(x).sub(1).rsqrt()),
});
export const acosh_: UnaryOp = /* @__PURE__ */ inPlace(acosh);

/** artanh x. PyTorch: torch.atanh. */
export const atanh: UnaryOp = /* @__PURE__ */ unary('atanh', {
  result: 'float',
  forward: (e, x) => e.atanh(x),
  backward: (grad, x) => grad.div(x.mul(x).neg().add(1)),
});
export const atanh_: UnaryOp = /* @__PURE__ */ inPlace(atanh);

/** PyTorch: torch.arcsin. */
export const arcsin: UnaryOp = asin;
export const arcsin_: UnaryOp = asin_;
/** PyTorch: torch.arccos. */
export const arccos: UnaryOp = acos;
export const arccos_: UnaryOp = acos_;
/** PyTorch: torch.arctan. */
export const arctan: UnaryOp = atan;
export const arctan_: UnaryOp = atan_;
/** PyTorch: torch.arcsinh. */
export const arcsinh: UnaryOp = asinh;
export const arcsinh_: UnaryOp = asinh_;
/** PyTorch: torch.arccosh. */
export const arccosh: UnaryOp = acosh;
export const arccosh_: UnaryOp = acosh_;
/** PyTorch: torch.arctanh. */
export const arctanh: UnaryOp = atanh;
export const arctanh_: UnaryOp = atanh_;

const DEGREE = Math.PI / 180;
/** Degrees to radians. PyTorch: torch.deg2rad. */
export const deg2rad: UnaryOp = /* @__PURE__ */ unary('deg2rad', {
  result: 'float',
  forward: (e, x) => e.mul(x, DEGREE),
  backward: (grad) => grad.mul(DEGREE),
  saves: 'none',
});
export const deg2rad_: UnaryOp = /* @__PURE__ */ inPlace(deg2rad);
/** Radians to degrees. PyTorch: torch.rad2deg. */
export const rad2deg: UnaryOp = /* @__PURE__ */ unary('rad2deg', {
  result: 'float',
  forward: (e, x) => e.mul(x, 1 / DEGREE),
  backward: (grad) => grad.mul(1 / DEGREE),
  saves: 'none',
});
export const rad2deg_: UnaryOp = /* @__PURE__ */ inPlace(rad2deg);

/** sin(πx) / (πx), and 1 at 0. PyTorch: torch.sinc. */
export const sinc: UnaryOp = /* @__PURE__ */ unary('sinc', {
  result: 'float',
  forward: (e, x) => {
    const angle = e.mul(x, Math.PI);
    return e.where(e.eq(x, 0), 1, e.div(e.sin(angle), angle));
  },
  backward: (grad, x) => {
    const angle = x.mul(Math.PI);
    const slope = angle.mul(angle.cos()).sub(angle.sin()).div(angle.mul(x));
    return grad.mul(slope).maskedFill(x.eq(0), 0);
  },
});
export const sinc_: UnaryOp = /* @__PURE__ */ inPlace(sinc);
