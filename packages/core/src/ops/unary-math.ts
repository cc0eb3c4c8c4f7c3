/** @file Exponentials, logarithms, powers, rounding and signs, elementwise. */
import { DTypeError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { inPlace, unary, type UnaryOp } from './define.js';

const noBool =
  (name: string) =>
  (x: Tensor): void => {
    if (x.dtype === 'bool') throw new DTypeError('ERR_DTYPE', `${name}: not implemented for 'Bool'`, { op: name, dtypes: ['bool'] });
  };

// ── exponentials and logarithms ──

/** e^x. PyTorch: torch.exp. */
export const exp: UnaryOp = unary('exp', { result: 'float', forward: (e, x) => e.exp(x), backward: (grad, _x, out) => grad.mul(out), saves: 'out' });
export const exp_: UnaryOp = inPlace(exp);

/** ln x. PyTorch: torch.log. */
export const log: UnaryOp = unary('log', { result: 'float', forward: (e, x) => e.log(x), backward: (grad, x) => grad.div(x) });
export const log_: UnaryOp = inPlace(log);

// ── powers ──

/** √x. PyTorch: torch.sqrt. */
export const sqrt: UnaryOp = unary('sqrt', { result: 'float', forward: (e, x) => e.sqrt(x), backward: (grad, _x, out) => grad.div(out.mul(2)), saves: 'out' });
export const sqrt_: UnaryOp = inPlace(sqrt);

/** 1 / √x. PyTorch: torch.rsqrt. */
export const rsqrt: UnaryOp = unary('rsqrt', {
  result: 'float',
  forward: (e, x) => e.div(1, e.sqrt(x)),
  backward: (grad, _x, out) => grad.mul(-0.5).mul(out.mul(out).mul(out)),
  saves: 'out',
});
export const rsqrt_: UnaryOp = inPlace(rsqrt);

/** 1 / x. PyTorch: torch.reciprocal. */
export const reciprocal: UnaryOp = unary('reciprocal', {
  result: 'float',
  forward: (e, x) => e.div(1, x),
  backward: (grad, _x, out) => grad.neg().mul(out.mul(out)),
  saves: 'out',
});
export const reciprocal_: UnaryOp = inPlace(reciprocal);

// ── signs ──

/** |x|. PyTorch: torch.abs. */
export const abs: UnaryOp = unary('abs', { forward: (e, x) => e.abs(x), backward: (grad, x) => grad.mul(x.sign()), check: noBool('abs') });
export const abs_: UnaryOp = inPlace(abs);

/** −1, 0 or 1; 0 for NaN. PyTorch: torch.sign. */
export const sign: UnaryOp = unary('sign', {
  forward: (e, x) => (x.dtype === 'bool' ? x : e.sign(x)),
  backward: (grad) => grad.mul(0),
  saves: 'none',
});
export const sign_: UnaryOp = inPlace(sign);
