/** @file Circular and hyperbolic functions and their inverses, in radians. */
import { inPlace, unary, type UnaryOp } from './define.js';

/** sin x. PyTorch: torch.sin. */
export const sin: UnaryOp = unary('sin', { result: 'float', forward: (e, x) => e.sin(x), backward: (grad, x) => grad.mul(x.cos()) });
export const sin_: UnaryOp = inPlace(sin);

/** cos x. PyTorch: torch.cos. */
export const cos: UnaryOp = unary('cos', { result: 'float', forward: (e, x) => e.cos(x), backward: (grad, x) => grad.mul(x.sin().neg()) });
export const cos_: UnaryOp = inPlace(cos);

/** tan x. PyTorch: torch.tan. */
export const tan: UnaryOp = unary('tan', {
  result: 'float',
  forward: (e, x) => e.tan(x),
  backward: (grad, _x, out) => grad.mul(out.mul(out).add(1)),
  saves: 'out',
});
export const tan_: UnaryOp = inPlace(tan);

/** arcsin x. PyTorch: torch.asin. */
export const asin: UnaryOp = unary('asin', {
  result: 'float',
  forward: (e, x) => e.asin(x),
  backward: (grad, x) => grad.mul(x.mul(x).neg().add(1).rsqrt()),
});
export const asin_: UnaryOp = inPlace(asin);

/** arccos x. PyTorch: torch.acos. */
export const acos: UnaryOp = unary('acos', {
  result: 'float',
  forward: (e, x) => e.acos(x),
  backward: (grad, x) => grad.mul(x.mul(x).neg().add(1).rsqrt().neg()),
});
export const acos_: UnaryOp = inPlace(acos);

/** arctan x. PyTorch: torch.atan. */
export const atan: UnaryOp = unary('atan', {
  result: 'float',
  forward: (e, x) => e.atan(x),
  backward: (grad, x) => grad.div(x.mul(x).add(1)),
});
export const atan_: UnaryOp = inPlace(atan);

/** sinh x. PyTorch: torch.sinh. */
export const sinh: UnaryOp = unary('sinh', { result: 'float', forward: (e, x) => e.sinh(x), backward: (grad, x) => grad.mul(x.cosh()) });
export const sinh_: UnaryOp = inPlace(sinh);

/** cosh x. PyTorch: torch.cosh. */
export const cosh: UnaryOp = unary('cosh', { result: 'float', forward: (e, x) => e.cosh(x), backward: (grad, x) => grad.mul(x.sinh()) });
export const cosh_: UnaryOp = inPlace(cosh);

/** arsinh x. PyTorch: torch.asinh. */
export const asinh: UnaryOp = unary('asinh', {
  result: 'float',
  forward: (e, x) => e.asinh(x),
  backward: (grad, x) => grad.mul(x.mul(x).add(1).rsqrt()),
});
export const asinh_: UnaryOp = inPlace(asinh);

/** arcosh x. PyTorch: torch.acosh. */
export const acosh: UnaryOp = unary('acosh', {
  result: 'float',
  forward: (e, x) => e.acosh(x),
  backward: (grad, x) => grad.mul(x.mul(x).sub(1).rsqrt()),
});
export const acosh_: UnaryOp = inPlace(acosh);

/** artanh x. PyTorch: torch.atanh. */
export const atanh: UnaryOp = unary('atanh', {
  result: 'float',
  forward: (e, x) => e.atanh(x),
  backward: (grad, x) => grad.div(x.mul(x).neg().add(1)),
});
export const atanh_: UnaryOp = inPlace(atanh);

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
export const deg2rad: UnaryOp = unary('deg2rad', {
  result: 'float',
  forward: (e, x) => e.mul(x, DEGREE),
  backward: (grad) => grad.mul(DEGREE),
  saves: 'none',
});
export const deg2rad_: UnaryOp = inPlace(deg2rad);
/** Radians to degrees. PyTorch: torch.rad2deg. */
export const rad2deg: UnaryOp = unary('rad2deg', {
  result: 'float',
  forward: (e, x) => e.mul(x, 1 / DEGREE),
  backward: (grad) => grad.mul(1 / DEGREE),
  saves: 'none',
});
export const rad2deg_: UnaryOp = inPlace(rad2deg);

/** sin(πx) / (πx), and 1 at 0. PyTorch: torch.sinc. */
export const sinc: UnaryOp = unary('sinc', {
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
export const sinc_: UnaryOp = inPlace(sinc);
