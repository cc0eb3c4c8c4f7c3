/**
 * @file Functions of four float32 lanes that need more than float32 on their way: both halves in float64 side by side, with as many terms as a float32
 * result can tell. All are right to half a unit, but for halves that rounding cannot tell.
 */
import { f32x4, f64x2, type FunctionBuilder, i64x2, v128 } from '../assembler/index.js';
import { splitFloat32 } from './float32.js';
import { binaryCode, demotePair, type MathLibrary, promoteHigh, unaryCode, type V, type VectorFunction, type VLocal } from './library.js';

/** Added and subtracted again, it rounds to an integer; in between, the integer is in the low bits. */
const ROUND = 6755399441055744;

/** 2 artanh s = 2 s (1 + s²/3 + s⁴/5 + …), |s| < 0.172. */
const ARTANH = [2 / 11, 2 / 9, 2 / 7, 2 / 5, 2 / 3, 2];
/** 2^r for |r| ≤ ½: (ln 2)ⁿ / n!. */
const EXP2 = [8, 7, 6, 5, 4, 3, 2, 1, 0].map((n) => Math.LN2 ** n / Array.from({ length: n }, (_, i) => i + 1).reduce((a, b) => a * b, 1));

/** 2^(y (e + log₂(1 + m))) of two lanes. */
function powHalf(f: FunctionBuilder, lib: MathLibrary, e: V, m: V, y: V): V {
  const mantissa = f.local('v128', m);
  const s = f.local('v128', f64x2.div(mantissa, f64x2.add(mantissa, 2)));
  const z = f.local('v128', f64x2.mul(s, s));
  const log2 = lib.madd64(f64x2.mul(lib.polynomial64(z, ARTANH), s), 1 / Math.LN2, e);
  // Beyond these the result is 0 or infinite in float32.
  const t = f.local('v128', f64x2.pmin(f64x2.pmax(f64x2.mul(log2, y), f64x2.const(-300)), f64x2.const(300)));
  const bits = f.local('v128', f64x2.add(t, ROUND));
  const r = f.local('v128', f64x2.sub(t, f64x2.sub(bits, ROUND)));
  return f64x2.mul(lib.polynomial64(r, EXP2), i64x2.shl(i64x2.add(bits, 1023), 52));
}

/** x^y, with C's borders. */
const pow: VectorFunction = binaryCode((f, lib, x, y) => {
  const size = f.local('v128', f32x4.abs(x));
  const { e, m } = splitFloat32(f, size);
  const low = f.local('v128', powHalf(f, lib, f64x2.promoteLowF32x4(e), f64x2.promoteLowF32x4(m), f64x2.promoteLowF32x4(y)));
  const high = f.local('v128', powHalf(f, lib, promoteHigh(e), promoteHigh(m), promoteHigh(y)));
  const r = f.local('v128', demotePair(low, high));
  // 0 and ∞ as bases have no logarithm here: the result is 0 or ∞ by the sign of y.
  const negative = f.local('v128', f32x4.lt(y, 0));
  const zero = f32x4.eq(size, 0);
  const infinite = f.local('v128', f32x4.eq(size, Infinity));
  f.set(r, v128.bitselect(v128.and(negative, f32x4.const(Infinity)), r, zero));
  f.set(r, v128.bitselect(v128.andnot(f32x4.const(Infinity), negative), r, infinite));
  const whole = f.local('v128', f32x4.eq(f32x4.trunc(y), y));
  const half = f.local('v128', f32x4.mul(y, 0.5));
  const odd = v128.and(whole, f32x4.ne(f32x4.trunc(half), half));
  const signed = v128.xor(r, v128.and(v128.and(x, odd), f32x4.const(-0)));
  // A finite negative base (not −0, not −∞) with a fractional exponent is NaN, and what is NaN stays so.
  const fractional = v128.andnot(v128.andnot(f32x4.lt(x, 0), infinite), whole);
  const lost = v128.or(v128.or(f32x4.ne(x, x), f32x4.ne(y, y)), fractional);
  const real = v128.or(signed, lost);
  const minusOne = v128.and(f32x4.eq(x, -1), f32x4.eq(f32x4.abs(y), Infinity));
  const one = v128.or(v128.or(f32x4.eq(x, 1), f32x4.eq(y, 0)), minusOne);
  return v128.bitselect(f32x4.const(1), real, one);
});

/** π/2 in two parts; the product of the first with an integer below 2^20 is exact. */
const HALF_PI_HIGH = 1.57079632673412561417;
const HALF_PI_LOW = 6.07710050650619224932e-11;
/** Beyond, the parts above are not exact enough. */
const NEAR = 1e6;
/** Taylor's coefficients, in r². */
const SIN = [-1 / 39916800, 1 / 362880, -1 / 5040, 1 / 120, -1 / 6, 1];
const COS = [1 / 479001600, -1 / 3628800, 1 / 40320, -1 / 720, 1 / 24, -1 / 2, 1];

/** sin(x + turn · π/2) of two lanes. */
function sineHalf(f: FunctionBuilder, lib: MathLibrary, x: VLocal, turn: number): V {
  const bits = f.local('v128', f64x2.add(f64x2.mul(x, 2 / Math.PI), ROUND));
  const n = f.local('v128', f64x2.sub(bits, ROUND));
  const r = f.local('v128', lib.madd64(n, -HALF_PI_LOW, lib.madd64(n, -HALF_PI_HIGH, x)));
  const quadrant = f.local('v128', turn === 0 ? bits : i64x2.add(bits, turn));
  const odd = i64x2.sub(i64x2.const(0), v128.and(quadrant, i64x2.const(1)));
  const sign = i64x2.shl(i64x2.shrU(quadrant, 1), 63);
  const z = f.local('v128', f64x2.mul(r, r));
  const sine = f.local('v128', f64x2.mul(lib.polynomial64(z, SIN), r));
  return v128.xor(v128.bitselect(lib.polynomial64(z, COS), sine, odd), sign);
}

const sine = (turn: 0 | 1): VectorFunction =>
  unaryCode((f, lib, x) => {
    const halves = [f.local('v128', f64x2.promoteLowF32x4(x)), f.local('v128', promoteHigh(x))];
    const values = halves.map((half) => f.local('v128', sineHalf(f, lib, half, turn)));
    const y = f.local('v128', demotePair(values[0], values[1]));
    const near = f.local('v128', f32x4.lt(f32x4.abs(x), NEAR));
    f.if(v128.anyTrue(v128.not(near)), () => {
      const name = turn === 0 ? 'sin' : 'cos';
      const exact = demotePair(lib.call(name, halves[0]), lib.call(name, halves[1]));
      f.set(y, v128.bitselect(y, exact, near));
    });
    // −0 and the like are their own sine.
    return turn === 0 ? v128.bitselect(x, y, f32x4.eq(x, 0)) : y;
  });

export const FLOAT32_BY_FLOAT64 = { pow_f32: pow, sin_f32: sine(0), cos_f32: sine(1) };
