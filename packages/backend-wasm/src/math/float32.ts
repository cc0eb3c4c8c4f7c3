/**
 * @file Functions on four float32 lanes, in float32 arithmetic throughout: the ones that training spends its time in. Bounds are in units in the last
 * place against the exact result, over all float32 arguments, as test/math.test.ts measures them.
 */
import { f32x4, type FunctionBuilder, i32x4, v128 } from '../assembler/index.js';
import { type MathLibrary, unaryCode, type V, type VectorFunction, type VLocal } from './library.js';

const LOG2E = 1.44269504088896341;
/** ln 2 in two parts; the product of the first with an integer below 2^9 is exact. */
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.1219444e-4;
/** Added and subtracted again, it rounds to an integer; in between, the integer is in the low bits. */
const ROUND = 12582912;
const MIN_NORMAL = 1.1754943508222875e-38;
/** Beyond this e^x is ∞. */
const EXP_MAX = 88.72283172607422;

/** x = n ln 2 + r: n as a float and in the low bits of `bits`, |r| ≤ ln 2 / 2. */
function reduce(f: FunctionBuilder, lib: MathLibrary, x: VLocal): { bits: VLocal; n: VLocal; r: VLocal } {
  const bits = f.local('v128', lib.madd(x, LOG2E, ROUND));
  const n = f.local('v128', f32x4.sub(bits, ROUND));
  const high = f.local('v128', lib.madd(n, -LN2_HIGH, x));
  return { bits, n, r: f.local('v128', lib.madd(n, -LN2_LOW, high)) };
}

/** (e^r − 1 − r) / r² for |r| ≤ ln 2 / 2. Cephes, expf. */
const EXP = [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1];

/** (e^r − 1 − r) / r² for 0 ≤ r < ln 2: e^r to 3e-9. */
const EXP_FROM_0 = [0.001912050531245768, 0.007869288325309753, 0.0418543666601181, 0.16663210093975067, 0.5000022649765015];
/** (2^r − 1) / r for 0 ≤ r < 1: 2^r to 2e-9. */
const EXP2_FROM_0 = [
  0.000215659718378447, 0.0012482289457693696, 0.009673775173723698, 0.05548618361353874, 0.24022908508777618, 0.6931470632553101,
];

/**
 * x within bounds, and NaN as it is. The lower bound has to be one whose exponent n is −127, the upper one's 128: {@link power} makes these 0 and ∞.
 */
const bounded = (x: V, low: number, high: number): V => f32x4.pmin(f32x4.pmax(x, f32x4.const(low)), f32x4.const(high));

/**
 * 2^n for integers −127 ≤ n ≤ 128, of which the first gives 0 and the last ∞. Times a number of [1, 2), that is: 0 below the least normal number, ∞ above
 * the largest, and every number between. It takes exponents rounded down: with others' [√½, √2) there are 255 of them, one too many.
 */
const power = (n: VLocal): V => i32x4.shl(f32x4.add(n, ROUND + 127), 23);

/** e^x: 1.5 ulp, 1.6 with fused operations; below the least normal number it is 0. */
const exp: VectorFunction = unaryCode((f, lib, x) => {
  const c = f.local('v128', bounded(x, -87.5, 89));
  const n = f.local('v128', f32x4.floor(f32x4.mul(c, LOG2E)));
  const high = f.local('v128', lib.madd(n, -LN2_HIGH, c));
  const r = f.local('v128', lib.madd(n, -LN2_LOW, high));
  const square = f.local('v128', f32x4.mul(r, r));
  const p = f32x4.add(lib.madd(lib.polynomial(f, r, EXP_FROM_0), square, r), 1);
  return f32x4.mul(p, power(n));
});

/** 2^x: 2 ulp; below the least normal number it is 0. */
const exp2: VectorFunction = unaryCode((f, lib, x) => {
  const c = f.local('v128', bounded(x, -127, 128));
  const n = f.local('v128', f32x4.floor(c));
  const r = f.local('v128', f32x4.sub(c, n));
  const p = lib.madd(lib.polynomial(f, r, EXP2_FROM_0), r, 1);
  return f32x4.mul(p, power(n));
});

/** e^x − 1: 2 ulp. 2^n (e^r − 1) + (2^n − 1), halved meanwhile, so that n = 128 does not overflow. */
const expm1: VectorFunction = unaryCode((f, lib, x) => {
  const clamped = f.local('v128', f32x4.pmin(f32x4.const(EXP_MAX), f32x4.pmax(f32x4.const(-18), x)));
  const { bits, r } = reduce(f, lib, clamped);
  const square = f.local('v128', f32x4.mul(r, r));
  const p = f.local('v128', lib.madd(lib.polynomial(f, r, EXP), square, r));
  const half = f.local('v128', i32x4.add(i32x4.shl(bits, 23), 126 << 23));
  const doubled = f.local('v128', lib.madd(p, half, f32x4.sub(half, 0.5)));
  const y = f.local('v128', f32x4.add(doubled, doubled));
  // Tiny ones are their own result: the zero keeps its sign.
  const small = v128.bitselect(x, y, f32x4.lt(f32x4.abs(x), 1e-7));
  return v128.bitselect(small, f32x4.mul(x, Infinity), f32x4.le(x, EXP_MAX));
});

/** (ln(1 + f) − f + f²/2) / f³ for 1 + f in [√½, √2). Cephes, logf. */
const LOG = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1,
  3.3333331174e-1,
];

/** x = 2^e · (1 + m): the parts of a positive x, subnormal ones too. */
export function splitFloat32(f: FunctionBuilder, x: VLocal): { e: VLocal; m: VLocal } {
  const tiny = f.local('v128', f32x4.lt(x, MIN_NORMAL));
  const scaled = f.local('v128', v128.bitselect(f32x4.mul(x, 8388608), x, tiny));
  const exponent = f.local('v128', i32x4.shrS(i32x4.sub(scaled, 0x3f3504f3), 23));
  const m = f.local('v128', f32x4.sub(i32x4.sub(scaled, i32x4.shl(exponent, 23)), 1));
  const e = f.local('v128', f32x4.sub(f32x4.convertI32x4S(exponent), v128.and(tiny, f32x4.const(23))));
  return { e, m };
}

/** −∞ for 0, NaN below, ∞ for ∞, NaN for NaN; else y. */
function logBorders(x: VLocal, y: V): V {
  const finite = v128.bitselect(y, x, f32x4.lt(x, Infinity));
  const positive = v128.bitselect(finite, f32x4.const(NaN), f32x4.gt(x, 0));
  return v128.bitselect(f32x4.const(-Infinity), positive, f32x4.eq(x, 0));
}

/** f³ P(f) − f²/2: what is to be added to f for ln(1 + f). */
function logTail(f: FunctionBuilder, lib: MathLibrary, m: VLocal): VLocal {
  const square = f.local('v128', f32x4.mul(m, m));
  const cubic = f32x4.mul(f32x4.mul(lib.polynomial(f, m, LOG), m), square);
  return f.local('v128', cubic);
}

/** ln x: 1 ulp. */
const log: VectorFunction = unaryCode((f, lib, x) => {
  const { e, m } = splitFloat32(f, x);
  const cubic = logTail(f, lib, m);
  const low = lib.madd(e, LN2_LOW, cubic);
  const y = lib.madd(f32x4.mul(m, m), -0.5, low);
  return logBorders(x, lib.madd(e, LN2_HIGH, f32x4.add(m, y)));
});

/** ln x / ln b: e log_b 2 + ln(1 + m) / ln b. */
const logBase = (oneOverLn: number, twoHigh: number, twoLow: number): VectorFunction =>
  unaryCode((f, lib, x) => {
    const { e, m } = splitFloat32(f, x);
    const natural = f.local('v128', f32x4.add(m, lib.madd(f32x4.mul(m, m), -0.5, logTail(f, lib, m))));
    return logBorders(x, lib.madd(e, twoHigh, lib.madd(e, twoLow, f32x4.mul(natural, oneOverLn))));
  });

/** ln(1 + x): 3 ulp. ln u + (x − (u − 1)) / u with u = 1 + x rounded. */
const log1p: VectorFunction = unaryCode((f, lib, x) => {
  const u = f.local('v128', f32x4.add(x, 1));
  const lost = f32x4.div(f32x4.sub(x, f32x4.sub(u, 1)), u);
  const usable = v128.and(f32x4.lt(f32x4.abs(x), 16777216), f32x4.ne(u, 0));
  const correction = f.local('v128', v128.and(lost, usable));
  const y = f32x4.add(lib.call('log_f32', u), correction);
  return v128.bitselect(x, y, f32x4.lt(f32x4.abs(x), 1e-8));
});

/** (2^r − 1) / r for |r| ≤ ½: relative error 1.1e-8. */
const EXP2_MINUS_1 = [
  0.00015403512225020677, 0.0013390849344432354, 0.009618237614631653, 0.05550357326865196, 0.24022649228572845, 0.6931471824645996,
];
/** From here on tanh is 1. */
const TANH_MAX = 9.02;

/** tanh x = E / (E + 2), E = e^2x − 1: 4 ulp, 4.5 with fused operations. (A rational function in x, as others have it, takes as long and has 5.6.) */
const tanh: VectorFunction = unaryCode((f, lib, x) => {
  const clamped = f32x4.pmin(f32x4.pmax(x, f32x4.const(-TANH_MAX)), f32x4.const(TANH_MAX));
  const y = f.local('v128', f32x4.mul(clamped, 2 * LOG2E));
  const bits = f.local('v128', f32x4.add(y, ROUND));
  const r = f.local('v128', f32x4.sub(y, f32x4.sub(bits, ROUND)));
  const p = f.local('v128', f32x4.mul(lib.polynomial(f, r, EXP2_MINUS_1), r));
  const power = f.local('v128', i32x4.add(i32x4.shl(bits, 23), 127 << 23));
  const e = f.local('v128', lib.madd(p, power, f32x4.sub(power, 1)));
  // The sign of zero is lost on the way.
  return v128.or(f32x4.div(e, f32x4.add(e, 2)), v128.and(x, f32x4.const(-0)));
});

/** erf x: 7 ulp. A rational function in x² times x. XLA, ErfImpl32. */
const ERF_TOP = [
  -2.72614225801306e-10, 2.77068142495902e-8, -2.10102402082508e-6, -5.69250639462346e-5, -7.34990630326855e-4, -2.95459980854025e-3,
  -1.60960333262415e-2,
];
const ERF_BOTTOM = [-1.45660718464996e-5, -2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3, -1.42647390514189e-2];

const erf: VectorFunction = unaryCode((f, lib, x) => {
  const c = f.local('v128', f32x4.pmin(f32x4.const(4), f32x4.pmax(f32x4.const(-4), x)));
  const s = f.local('v128', f32x4.mul(c, c));
  // The quotient first: times a tiny c the numerator alone would lose its bits.
  const y = f.local('v128', f32x4.mul(f32x4.div(lib.polynomial(f, s, ERF_TOP), lib.polynomial(f, s, ERF_BOTTOM)), c));
  // From 3.64 on it may pass 1 by two roundings: of GELU, x (1 + erf x), nothing finite would be left far below 0.
  f.set(y, f32x4.pmin(f32x4.const(1), f32x4.pmax(f32x4.const(-1), y)));
  return v128.bitselect(y, f32x4.add(x, x), f32x4.eq(x, x));
});

export const FLOAT32_FUNCTIONS = {
  exp_f32: exp,
  exp2_f32: exp2,
  expm1_f32: expm1,
  log_f32: log,
  log2_f32: logBase(LOG2E, 1, 0),
  log10_f32: logBase(Math.LOG10E, 0.30078125, 2.48745663981195213739e-4),
  log1p_f32: log1p,
  tanh_f32: tanh,
  erf_f32: erf,
};
