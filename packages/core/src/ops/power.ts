/** @file Powers with a known exponent: a square, a root or a quotient where it is one, exact where a power is not. */
import type { Value } from '../tensor/value.js';
import type { Expression, Term } from './expression.js';

export function powerOf(e: Expression, base: Value, exponent: Term): Value {
  switch (exponent) {
    case 1:
      return base;
    case 2:
      return e.mul(base, base);
    case 3:
      return e.mul(e.mul(base, base), base);
    case 0.5:
      return e.sqrt(base);
    case -0.5:
      return e.div(1, e.sqrt(base));
    case -1:
      return e.div(1, base);
    case -2:
      return e.div(1, e.mul(base, base));
    default:
      return e.pow(base, exponent);
  }
}
