/** @file exp, log and what follows from them, on two float64 lanes. Bounds are in units in the last place of float64. */
import { f64x2, i64x2, v128, type FunctionBuilder } from '../assembler/index.js';
import { binaryCode, type MathLibrary, unaryCode, type V, type VectorFunction, type VLocal } from './library.js';

const LOG2E = 1.4426950408889634;
/** ln 2 in two parts; the product of the first with an integer below 2^20 is exact. */
const LN2_HIGH = 6.9314718036912381649e-1;
const LN2_LOW = 1.90821492927058770002e-10;
/** Added and subtracted again, it rounds to an integer; in between, the integer is in the low bits. */
const ROUND = 6755399441055744;
/** 1/3! … 1/13!: e^r = 1 + r + r²/2 + r³ P(r). */
const EXP = [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3].map((n) => 1 / Array.from({ length: n }, (_, i) => i + 1).reduce((a, b) => a * b, 1));

/** 2^k for whole k in [−1022, 1023]. */
const powerOfTwo = (k: V): V => i64x2.shl(i64x2.add(f64x2.add(k, ROUND), 1023), 52);

export const nan = (): V => f64x2.const(NaN);
/** The sign bit of `x` on the positive `y`. */
export const withSign = (y: V, x: V): V => v128.or(y, v128.and(x, f64x2.const(-0)));

/** x = n ln 2 + r. */
function reduce(f: FunctionBuilder, lib: MathLibrary, x: VLocal): { n: VLocal; r: VLocal } {
  const n = f.local('v128', f64x2.nearest(f64x2.mul(x, LOG2E)));
  return { n, r: f.local('v128', lib.madd64(n, -LN2_LOW, lib.madd64(n, -LN2_HIGH, x))) };
}

/** y · 2^n for |n| up to 2000, by two factors. */
function scale(f: FunctionBuilder, y: V, n: VLocal): V {
  const half = f.local('v128', f64x2.floor(f64x2.mul(n, 0.5)));
  return f64x2.mul(f64x2.mul(y, powerOfTwo(half)), powerOfTwo(f64x2.sub(n, half)));
}

/** e^r − 1 − r. */
function expTail(f: FunctionBuilder, lib: MathLibrary, r: VLocal): V {
  const square = f.local('v128', f64x2.mul(r, r));
  return lib.madd64(f64x2.mul(square, r), lib.polynomial64(r, EXP), f64x2.mul(square, 0.5));
}

const exp: VectorFunction = unaryCode((f, lib, x) => {
  const c = f.local('v128', f64x2.pmin(f64x2.pmax(x, f64x2.const(-760)), f64x2.const(720)));
  const { n, r } = reduce(f, lib, c);
  return scale(f, f64x2.add(f64x2.add(expTail(f, lib, r), r), 1), n);
});

const exp2: VectorFunction = unaryCode((f, lib, x) => {
  const c = f.local('v128', f64x2.pmin(f64x2.pmax(x, f64x2.const(-1100)), f64x2.const(1030)));
  const n = f.local('v128', f64x2.nearest(c));
  const r = f.local('v128', f64x2.mul(f64x2.sub(c, n), Math.LN2));
  return scale(f, f64x2.add(f64x2.add(expTail(f, lib, r), r), 1), n);
});

/** e^x − 1 = 2^n (e^r − 1) + (2^n − 1). */
const expm1: VectorFunction = unaryCode((f, lib, x) => {
  const c = f.local('v128', f64x2.pmin(f64x2.pmax(x, f64x2.const(-45)), f64x2.const(720)));
  const { n, r } = reduce(f, lib, c);
  const p = f.local('v128', f64x2.add(expTail(f, lib, r), r));
  const two = f.local('v128', powerOfTwo(f64x2.pmin(n, f64x2.const(1000))));
  const y = lib.madd64(p, two, f64x2.sub(two, 1));
  const large = f64x2.gt(n, 1000);
  const exact = v128.bitselect(lib.call('exp', x), y, large);
  return v128.bitselect(x, exact, f64x2.lt(f64x2.abs(x), 1e-17));
});

/** 2/3, 2/5 … of the series of artanh, as fdlibm has them. */
const LOG = [
  1.479819860511658591e-1, 1.531383769920937332e-1, 1.818357216161805012e-1, 2.222219843214978396e-1, 2.857142874366239149e-1,
  3.999999999940941908e-1, 6.66666666666673513e-1,
];
const MIN_NORMAL = 2.2250738585072014e-308;

/** x = 2^e (1 + m): ln x = e ln 2 + m − m²/2 + s (m²/2 + R), s = m / (2 + m). fdlibm, e_log.c. */
function logParts(f: FunctionBuilder, lib: MathLibrary, x: VLocal): { e: VLocal; m: VLocal; tail: VLocal } {
  const tiny = f.local('v128', f64x2.lt(x, MIN_NORMAL));
  const scaled = f.local('v128', v128.bitselect(f64x2.mul(x, 4503599627370496), x, tiny));
  const exponent = f.local('v128', i64x2.shrS(i64x2.sub(scaled, 0x3fe6a09e667f3bcdn), 52));
  const m = f.local('v128', f64x2.sub(i64x2.sub(scaled, i64x2.shl(exponent, 52)), 1));
  // The integer into the low bits of ROUND, as a float.
  const asFloat = f64x2.sub(i64x2.add(exponent, 0x4338000000000000n), ROUND);
  const e = f.local('v128', f64x2.sub(asFloat, v128.and(tiny, f64x2.const(52))));
  const s = f.local('v128', f64x2.div(m, f64x2.add(m, 2)));
  const z = f.local('v128', f64x2.mul(s, s));
  const half = f.local('v128', f64x2.mul(f64x2.mul(m, m), 0.5));
  const r = f64x2.mul(lib.polynomial64(z, LOG), z);
  const tail = f.local('v128', f64x2.sub(f64x2.mul(s, f64x2.add(half, r)), half));
  return { e, m, tail };
}

function logBorders(x: VLocal, y: V): V {
  const finite = v128.bitselect(y, x, f64x2.lt(x, Infinity));
  const positive = v128.bitselect(finite, nan(), f64x2.gt(x, 0));
  return v128.bitselect(f64x2.const(-Infinity), positive, f64x2.eq(x, 0));
}

const log: VectorFunction = unaryCode((f, lib, x) => {
  const { e, m, tail } = logParts(f, lib, x);
  return logBorders(x, lib.madd64(e, LN2_HIGH, f64x2.add(m, lib.madd64(e, LN2_LOW, tail))));
});

const logBase = (oneOverLn: number, two: number): VectorFunction =>
  unaryCode((f, lib, x) => {
    const { e, m, tail } = logParts(f, lib, x);
    return logBorders(x, lib.madd64(e, two, f64x2.mul(f64x2.add(m, tail), oneOverLn)));
  });

/** ln u + (x − (u − 1)) / u with u = 1 + x rounded. */
const log1p: VectorFunction = unaryCode((f, lib, x) => {
  const u = f.local('v128', f64x2.add(x, 1));
  const lost = f64x2.div(f64x2.sub(x, f64x2.sub(u, 1)), u);
  const usable = v128.and(f64x2.lt(f64x2.abs(x), 9007199254740992), f64x2.ne(u, 0));
  const correction = f.local('v128', v128.and(lost, usable));
  return v128.bitselect(x, f64x2.add(lib.call('log', u), correction), f64x2.lt(f64x2.abs(x), 1e-17));
});

/** e^(y ln |x|), and what C says of the borders. The error grows with |y ln x|: up to 1e-13, relative. */
const pow: VectorFunction = binaryCode((f, lib, x, y) => {
  const size = f.local('v128', f64x2.abs(x));
  const r = f.local('v128', lib.call('exp', f64x2.mul(y, lib.call('log', size))));
  const whole = f.local('v128', f64x2.eq(f64x2.trunc(y), y));
  const half = f.local('v128', f64x2.mul(y, 0.5));
  const odd = f.local('v128', v128.and(whole, f64x2.ne(f64x2.trunc(half), half)));
  const signed = f.local('v128', v128.xor(r, v128.and(v128.and(x, odd), f64x2.const(-0))));
  // A finite negative base (not −0, not −∞) with a fractional exponent is NaN.
  const fractional = v128.andnot(v128.and(f64x2.lt(x, 0), f64x2.gt(x, -Infinity)), whole);
  const real = f.local('v128', v128.bitselect(nan(), signed, fractional));
  const minusOne = v128.and(f64x2.eq(x, -1), f64x2.eq(f64x2.abs(y), Infinity));
  const one = v128.or(v128.or(f64x2.eq(x, 1), f64x2.eq(y, 0)), minusOne);
  return v128.bitselect(f64x2.const(1), real, one);
});

/** Functions of e^x, accurate near 0 by e^x − 1. */
const tanh: VectorFunction = unaryCode((f, lib, x) => {
  const size = f.local('v128', f64x2.pmin(f64x2.abs(x), f64x2.const(22)));
  const t = f.local('v128', lib.call('expm1', f64x2.add(size, size)));
  return withSign(f64x2.div(t, f64x2.add(t, 2)), x);
});

const sinh: VectorFunction = unaryCode((f, lib, x) => {
  const size = f.local('v128', f64x2.abs(x));
  const t = f.local('v128', lib.call('expm1', size));
  const small = f64x2.mul(f64x2.add(t, f64x2.div(t, f64x2.add(t, 1))), 0.5);
  // e^x overflows before e^x / 2 does.
  const half = f.local('v128', lib.call('exp', f64x2.mul(size, 0.5)));
  const large = f64x2.mul(f64x2.mul(half, 0.5), half);
  return withSign(v128.bitselect(large, small, f64x2.gt(size, 22)), x);
});

const cosh: VectorFunction = unaryCode((f, lib, x) => {
  const half = f.local('v128', lib.call('exp', f64x2.mul(f64x2.abs(x), 0.5)));
  const e = f.local('v128', f64x2.mul(half, half));
  const large = f64x2.mul(f64x2.mul(half, 0.5), half);
  return v128.bitselect(large, f64x2.mul(f64x2.add(e, f64x2.div(f64x2.const(1), e)), 0.5), f64x2.gt(e, 1e18));
});

/** log1p(x + x² / (1 + √(x² + 1))), and ln 2x where x² would overflow. */
const asinh: VectorFunction = unaryCode((f, lib, x) => {
  const size = f.local('v128', f64x2.abs(x));
  const square = f.local('v128', f64x2.mul(size, size));
  const near = lib.call('log1p', f64x2.add(size, f64x2.div(square, f64x2.add(f64x2.sqrt(f64x2.add(square, 1)), 1))));
  const far = f64x2.add(lib.call('log', size), Math.LN2);
  return withSign(v128.bitselect(far, near, f64x2.gt(size, 1e9)), x);
});

const acosh: VectorFunction = unaryCode((f, lib, x) => {
  const t = f.local('v128', f64x2.sub(x, 1));
  const root = f64x2.sqrt(f64x2.add(f64x2.add(t, t), f64x2.mul(t, t)));
  const near = lib.call('log1p', f64x2.add(t, root));
  const y = v128.bitselect(f64x2.add(lib.call('log', x), Math.LN2), near, f64x2.gt(x, 1e9));
  return v128.bitselect(y, nan(), f64x2.ge(x, 1));
});

const atanh: VectorFunction = unaryCode((f, lib, x) => {
  const size = f.local('v128', f64x2.abs(x));
  const y = f64x2.mul(lib.call('log1p', f64x2.div(f64x2.add(size, size), f64x2.sub(f64x2.const(1), size))), 0.5);
  return withSign(v128.bitselect(nan(), y, f64x2.gt(size, 1)), x);
});

export const EXPONENTIAL_FUNCTIONS = {
  exp,
  exp2,
  expm1,
  log,
  log2: logBase(LOG2E, 1),
  log10: logBase(Math.LOG10E, 0.30102999566398119521),
  log1p,
  pow,
  tanh,
  sinh,
  cosh,
  asinh,
  acosh,
  atanh,
};
