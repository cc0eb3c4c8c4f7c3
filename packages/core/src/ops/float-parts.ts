/** @file A float as fraction and exponent. */
import { gradState } from '../autograd/mode.js';
import type { Tensor } from '../tensor/tensor.js';
import { narrow } from '../tensor/value.js';
import { requireFloat } from './define.js';
import { e } from './expression.js';
import { OPS } from './registry.js';
import { attach, wrap } from './result.js';

OPS.set('frexp', { name: 'frexp', inputs: 1, differentiable: true });
/**
 * x = mantissa · 2^exponent with ½ ≤ |mantissa| < 1, the exponent int32; 0, NaN and infinities are their own mantissas. PyTorch: torch.frexp.
 */
export function frexp(x: Tensor): [mantissa: Tensor, exponent: Tensor] {
  requireFloat('frexp', x);
  const v = x.value;
  const plain = e.or(e.eq(v, 0), e.not(e.lt(e.abs(v), Infinity)));
  let fraction;
  let power;
  if (x.dtype === 'float64') {
    // A logarithm may be off by one where |x| is near a power of two: what it gives is set right.
    const size = e.where(plain, 1, e.abs(v));
    const guess = e.add(e.floor(e.log2(size)), 1);
    const half = e.floor(e.mul(guess, 0.5));
    const scaled = e.mul(e.mul(v, e.exp2(e.neg(half))), e.exp2(e.sub(half, guess)));
    const high = e.ge(e.abs(scaled), 1);
    const low = e.lt(e.abs(scaled), 0.5);
    fraction = e.where(high, e.mul(scaled, 0.5), e.where(low, e.mul(scaled, 2), scaled));
    power = e.add(e.cast(guess, 'int32'), e.sub(e.cast(high, 'int32'), e.cast(low, 'int32')));
  } else {
    // Subnormal numbers are made normal first.
    const small = e.lt(e.abs(v), 2 ** -126);
    const bits = e.bitcast(e.where(small, e.mul(v, 2 ** 24), v), 'int32');
    power = e.sub(e.and(e.shr(bits, 23), 255), e.where(small, e.scalar(126 + 24, 'int32', v), 126));
    fraction = e.bitcast(e.or(e.and(bits, -2139095041), 126 << 23), 'float32');
  }
  const mantissa = wrap(narrow(e.where(plain, v, fraction), x.dtype));
  const exponent = wrap(e.where(plain, 0, power));
  if (gradState.enabled && x.requiresGrad)
    attach(mantissa, 'FrexpBackward0', [x], (grad, node) => [grad.div(node.saved(0).to(grad.dtype).exp2())]).save(exponent);
  return [mantissa, exponent];
}

/** The real part, which is `x` itself: there are no complex numbers here. PyTorch: torch.real. */
export const real = (x: Tensor): Tensor => x;
