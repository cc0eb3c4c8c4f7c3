/** @file Hurwitz's zeta function as a formula. */
import type { Value } from '../tensor/value.js';
import type { Expression } from './expression.js';

/** B₂ₖ / (2k)! for k = 1, 2, … */
const BERNOULLI = [1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000, 1 / 74724249600];

/** Σ (q + i)^−s over i ≥ 0, for q > 0: ten terms, then the Euler–Maclaurin formula. */
export function hurwitz(e: Expression, s: Value, q: Value): Value {
  const power = (y: Value): Value => e.pow(y, e.neg(s));
  let sum = power(q);
  for (let i = 1; i < 10; i++) sum = e.add(sum, power(e.add(q, i)));
  const head = sum;
  const w = e.add(q, 10);
  const last = power(w);
  sum = e.add(sum, e.mul(last, e.add(e.div(w, e.sub(s, 1)), 0.5)));
  // last · s(s + 1)…(s + 2k − 2) / w^(2k − 1) · B₂ₖ / (2k)!
  let factor = e.div(e.mul(last, s), w);
  BERNOULLI.forEach((b, k) => {
    sum = e.add(sum, e.mul(factor, b));
    // A value that nobody reads would keep its arguments' memory.
    if (k === BERNOULLI.length - 1) return;
    factor = e.div(e.div(e.mul(factor, e.mul(e.add(s, 2 * k + 1), e.add(s, 2 * k + 2))), w), w);
  });
  // Where the terms vanish beside the sum so far, or it overflows, what is left over is neither here nor there.
  const vanishes = e.lt(e.abs(last), e.mul(e.abs(head), 2 ** -53));
  return e.where(e.or(vanishes, e.eq(head, Infinity)), head, sum);
}
