/** @file erf, the gamma functions and the remainder on two float64 lanes. */
import { call, type Expr, f64, f64x2, type FunctionBuilder, i32, i64, select, v128 } from '../assembler/index.js';
import { nan, withSign } from './float64-exponential.js';
import { binaryCode, type MathLibrary, unaryCode, type V, type VectorFunction, type VLocal } from './library.js';

/** fdlibm, s_erf.c: numerators and denominators by intervals of |x|, highest power first. */
const ERF_NEAR = [
  [
    -2.37630166566501626084e-5, -5.77027029648944159157e-3, -2.84817495755985104766e-2, -3.2504210724700149937e-1,
    1.28379167095512558561e-1,
  ],
  [
    -3.9602282787753681232e-6, 1.32494738004321644526e-4, 5.08130628187576562776e-3, 6.50222499887672944485e-2, 3.97917223959155352819e-1,
    1,
  ],
];
/** Around 1: erf x = 0.845… + P(|x| − 1) / Q(|x| − 1). */
const ERX = 8.45062911510467529297e-1;
const ERF_ONE = [
  [
    -2.166375594868790843e-3, 3.54783043256182359371e-2, -1.10894694282396677476e-1, 3.18346619901161753674e-1, -3.72207876035701323847e-1,
    4.14856118683748331666e-1, -2.36211856075265944077e-3,
  ],
  [
    1.1984499846799107417e-2, 1.36370839120290507362e-2, 1.26171219808761642112e-1, 7.18286544141962662868e-2, 5.40397917702171048937e-1,
    1.06420880400844228286e-1, 1,
  ],
];
/** 1.25 ≤ |x| < 1/0.35, in 1/x². */
const ERFC_MIDDLE = [
  [
    -9.81432934416914548592, -8.12874355063065934246e1, -1.84605092906711035994e2, -1.62396669462573470355e2, -6.23753324503260060396e1,
    -1.05586262253232909814e1, -6.93858572707181764372e-1, -9.86494403484714822705e-3,
  ],
  [
    -6.04244152148580987438e-2, 6.57024977031928170135, 1.08635005541779435134e2, 4.29008140027567833386e2, 6.45387271733267880336e2,
    4.34565877475229228821e2, 1.376577541435190426e2, 1.96512716674392571292e1, 1,
  ],
];
/** 1/0.35 ≤ |x| < 28. */
const ERFC_FAR = [
  [
    -4.83519191608651397019e2, -1.02509513161107724954e3, -6.37566443368389627722e2, -1.60636384855821916062e2, -1.77579549177547519889e1,
    -7.99283237680523006574e-1, -9.86494292470009928597e-3,
  ],
  [
    -2.24409524465858183362e1, 4.74528541206955367215e2, 2.55305040643316442583e3, 3.19985821950859553908e3, 1.53672958608443695994e3,
    3.25792512996573918826e2, 3.03380607434824582924e1, 1,
  ],
];

const ratio = (lib: MathLibrary, x: VLocal, [top, bottom]: readonly (readonly number[])[]): V =>
  f64x2.div(lib.polynomial64(x, top), lib.polynomial64(x, bottom));

/** erfc of `size` = |x| ≥ 1.25: e^(−z² − 0.5625) e^((z − x)(z + x) + R/S) / x, z = x with its lower half cleared. */
function erfcTail(f: FunctionBuilder, lib: MathLibrary, size: VLocal): VLocal {
  const s = f.local('v128', f64x2.div(f64x2.const(1), f64x2.mul(size, size)));
  const near = f.local('v128', ratio(lib, s, ERFC_MIDDLE));
  const r = v128.bitselect(near, ratio(lib, s, ERFC_FAR), f64x2.lt(size, 1 / 0.35));
  const z = f.local('v128', v128.and(size, v128.const(Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0, 255, 255, 255, 255))));
  const first = lib.call('exp', f64x2.sub(f64x2.neg(f64x2.mul(z, z)), 0.5625));
  const second = lib.call('exp', f64x2.add(f64x2.mul(f64x2.sub(z, size), f64x2.add(z, size)), r));
  const y = f64x2.div(f64x2.mul(first, second), size);
  return f.local('v128', v128.andnot(y, f64x2.gt(size, 28)));
}

const erf: VectorFunction = unaryCode((f, lib, x) => {
  const size = f.local('v128', f64x2.abs(x));
  const square = f.local('v128', f64x2.mul(x, x));
  const s = f.local('v128', f64x2.sub(size, 1));
  const near = f.local('v128', lib.madd64(ratio(lib, square, ERF_NEAR), size, size));
  const one = f.local('v128', f64x2.add(ratio(lib, s, ERF_ONE), ERX));
  const y = f.local('v128', v128.bitselect(near, one, f64x2.lt(size, 0.84375)));
  const far = f.local('v128', f64x2.ge(size, 1.25));
  f.if(v128.anyTrue(far), () => f.set(y, v128.bitselect(f64x2.sub(f64x2.const(1), erfcTail(f, lib, size)), y, far)));
  return v128.bitselect(withSign(y, x), x, f64x2.eq(x, x));
});

const erfc: VectorFunction = unaryCode((f, lib, x) => {
  const size = f.local('v128', f64x2.abs(x));
  const square = f.local('v128', f64x2.mul(x, x));
  const s = f.local('v128', f64x2.sub(size, 1));
  const near = f.local('v128', lib.madd64(ratio(lib, square, ERF_NEAR), x, x));
  const one = f.local('v128', ratio(lib, s, ERF_ONE));
  const negative = f.local('v128', f64x2.lt(x, 0));
  const aroundOne = v128.bitselect(f64x2.add(f64x2.add(one, ERX), 1), f64x2.sub(f64x2.const(1 - ERX), one), negative);
  const y = f.local('v128', v128.bitselect(f64x2.sub(f64x2.const(1), near), aroundOne, f64x2.lt(size, 0.84375)));
  const far = f.local('v128', f64x2.ge(size, 1.25));
  f.if(v128.anyTrue(far), () => {
    const tail = erfcTail(f, lib, size);
    f.set(y, v128.bitselect(v128.bitselect(f64x2.sub(f64x2.const(2), tail), tail, negative), y, far));
  });
  return v128.bitselect(y, x, f64x2.eq(x, x));
});

/** Giles (2012), "Approximating the erfinv function", single precision; two steps of Halley's method make it double. */
const GILES = [
  [2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164, 0.246640727, 1.50140941],
  [-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047, 1.00167406, 2.83297682],
];

const erfinv: VectorFunction = unaryCode((f, lib, y) => {
  const a = f.local('v128', f64x2.abs(y));
  const rest = f.local('v128', f64x2.sub(f64x2.const(1), a));
  const w = f.local('v128', f64x2.neg(lib.call('log', f64x2.mul(rest, f64x2.add(a, 1)))));
  const near = f.local('v128', f64x2.sub(w, 2.5));
  const far = f.local('v128', f64x2.sub(f64x2.sqrt(w), 3));
  const start = v128.bitselect(lib.polynomial64(near, GILES[0]), lib.polynomial64(far, GILES[1]), f64x2.lt(w, 5));
  const x = f.local('v128', f64x2.mul(start, a));
  for (let step = 0; step < 2; step++) {
    const inner = f.local('v128', f64x2.sub(lib.call('erf', x), a));
    const outer = f64x2.sub(rest, lib.call('erfc', x));
    const error = v128.bitselect(inner, outer, f64x2.lt(a, 0.5));
    const slope = f64x2.mul(lib.call('exp', f64x2.neg(f64x2.mul(x, x))), 1.1283791670955126);
    const delta = f.local('v128', f64x2.div(error, slope));
    f.set(x, f64x2.sub(x, f64x2.div(delta, lib.madd64(x, delta, 1))));
  }
  const edge = v128.bitselect(f64x2.const(Infinity), nan(), f64x2.eq(a, 1));
  const inside = v128.bitselect(x, edge, f64x2.lt(a, 1));
  return v128.bitselect(y, withSign(inside, y), f64x2.eq(y, 0));
});

const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905, -0.13857109526572012,
  9.9843695780195716e-6, 1.5056327351493116e-7,
];
/** ζ(k) − 1 for k = 2, 3, … */
const ZETA_MINUS_1 = [
  0.6449340668482264, 0.2020569031595943, 0.08232323371113819, 0.03692775514336993, 0.01734306198444914, 0.008349277381922827,
  0.004077356197944339, 0.0020083928260822144, 0.000994575127818085, 0.0004941886041194646, 0.0002460865533080483, 0.00012271334757848915,
  6.124813505870483e-5, 3.058823630702049e-5, 1.528225940865187e-5, 7.637197637899762e-6, 3.81729326499984e-6, 1.908212716553939e-6,
  9.539620338727962e-7,
];
/** ln Γ(1 + d) / d + γ as a polynomial in d, without the part of ζ(k) = 1: the coefficients of d¹⁹ … d¹. */
const GAMMA_NEAR_ONE = ZETA_MINUS_1.map((z, i) => (z * (i % 2 === 0 ? 1 : -1)) / (i + 2)).reverse();

/** ln Γ(1 + d) for |d| ≤ 0.2. */
function lgammaNearOne(lib: MathLibrary, d: VLocal): V {
  const series = f64x2.mul(f64x2.mul(lib.polynomial64(d, GAMMA_NEAR_ONE), d), d);
  const unit = f64x2.sub(d, lib.call('log1p', d));
  return f64x2.add(f64x2.add(f64x2.mul(d, -0.5772156649015329), unit), series);
}

/** ln |Γ(x)|: Lanczos (g = 7), by reflection below 0.5, by its Taylor series near its zeros at 1 and 2. */
const lgamma: VectorFunction = unaryCode((f, lib, x) => {
  const low = f.local('v128', f64x2.lt(x, 0.5));
  const p = f.local('v128', v128.bitselect(f64x2.sub(f64x2.const(1), x), x, low));
  const z = f.local('v128', f64x2.sub(p, 1));
  const sum = f.local('v128', f64x2.const(0.99999999999980993));
  LANCZOS.forEach((c, i) => f.set(sum, f64x2.add(sum, f64x2.div(f64x2.const(c), f64x2.add(z, i + 1)))));
  const t = f.local('v128', f64x2.add(z, 7.5));
  // (z + ½) ln t − t, in an order that does not overflow before the result does.
  const main = f64x2.sub(f64x2.mul(f64x2.add(z, 0.5), f64x2.sub(lib.call('log', t), 1)), 7);
  const y = f.local('v128', f64x2.add(f64x2.add(main, 0.91893853320467274), lib.call('log', sum)));
  const second = f.local('v128', f64x2.sub(p, 2));
  const nearOne = f.local('v128', f64x2.lt(f64x2.abs(z), 0.2));
  const nearTwo = f.local('v128', f64x2.lt(f64x2.abs(second), 0.2));
  f.if(v128.anyTrue(v128.or(nearOne, nearTwo)), () => {
    f.set(y, v128.bitselect(lgammaNearOne(lib, z), y, nearOne));
    f.set(y, v128.bitselect(f64x2.add(lib.call('log1p', second), lgammaNearOne(lib, second)), y, nearTwo));
  });
  f.if(v128.anyTrue(low), () => {
    const r = f.local('v128', f64x2.sub(x, f64x2.nearest(x)));
    const sine = f64x2.abs(lib.call('sin', f64x2.mul(r, Math.PI)));
    const reflected = f64x2.sub(lib.call('log', f64x2.div(f64x2.const(Math.PI), sine)), y);
    f.set(y, v128.bitselect(reflected, y, low));
  });
  const pole = v128.and(f64x2.le(x, 0), f64x2.eq(f64x2.floor(x), x));
  const infinite = v128.or(pole, f64x2.eq(f64x2.abs(x), Infinity));
  return v128.bitselect(f64x2.const(Infinity), v128.bitselect(y, x, f64x2.eq(x, x)), infinite);
});

/** 1/12, −1/120, …: the asymptotic series of ψ in 1/x². */
const DIGAMMA = [1 / 12, -691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12];

/** ψ(x): recurrence up to 10, then the asymptotic series; by reflection below 0. */
const digamma: VectorFunction = unaryCode((f, lib, x) => {
  const negative = f.local('v128', f64x2.lt(x, 0));
  const p = f.local('v128', v128.bitselect(f64x2.sub(f64x2.const(1), x), x, negative));
  const result = f.local('v128', f64x2.const(0));
  for (let i = 0; i < 10; i++) {
    const small = f.local('v128', f64x2.lt(p, 10));
    f.set(result, f64x2.sub(result, v128.and(f64x2.div(f64x2.const(1), p), small)));
    f.set(p, f64x2.add(p, v128.and(f64x2.const(1), small)));
  }
  const inverse = f.local('v128', f64x2.div(f64x2.const(1), p));
  const square = f.local('v128', f64x2.mul(inverse, inverse));
  const series = f64x2.mul(lib.polynomial64(square, DIGAMMA), square);
  f.set(result, f64x2.sub(f64x2.sub(f64x2.add(result, lib.call('log', p)), f64x2.mul(inverse, 0.5)), series));
  f.if(v128.anyTrue(negative), () => {
    const r = f64x2.sub(x, f64x2.nearest(x));
    const turn = f64x2.div(f64x2.const(Math.PI), lib.call('tan', f64x2.mul(r, Math.PI)));
    f.set(result, v128.bitselect(f64x2.sub(result, turn), result, negative));
  });
  const pole = v128.and(negative, f64x2.eq(f64x2.floor(x), x));
  const zero = withSign(f64x2.const(Infinity), f64x2.neg(x));
  const y = v128.bitselect(nan(), v128.bitselect(x, result, f64x2.eq(x, Infinity)), pole);
  return v128.bitselect(zero, y, f64x2.eq(x, 0));
});

/** fmod of scalars by long division in whole numbers. musl, fmod.c. */
function longDivision(lib: MathLibrary) {
  return lib.scalar('longDivision', (f, x, y) => {
    const EXPONENT = 0x7ffn;
    const MANTISSA = 0xfffffffffffffn;
    const HIDDEN = 0x10000000000000n;
    const bits = f.local('i64', i64.reinterpretF64(x));
    const sign = f.local('i64', i64.and(bits, 1n << 63n));
    const parts = (value: Expr<'f64'>) => {
      const u = f.local('i64', i64.reinterpretF64(f64.abs(value)));
      const e = f.local('i32', i32.wrapI64(i64.and(i64.shrU(u, 52), EXPONENT)));
      const m = f.local('i64', i64.and(u, MANTISSA));
      // A subnormal has exponent 1 and no hidden bit.
      f.if(
        i32.eqz(e),
        () => f.set(e, 1),
        () => f.set(m, i64.or(m, HIDDEN)),
      );
      return { e, m };
    };
    f.if(i32.eqz(f64.lt(f64.abs(x), Infinity)), () => f.return(f64.const(NaN)));
    f.if(i32.or(f64.eq(y, 0), f64.ne(y, y)), () => f.return(f64.const(NaN)));
    f.if(f64.lt(f64.abs(x), f64.abs(y)), () => f.return(x));
    const a = parts(x);
    const b = parts(y);
    const r = f.local('i64', a.m);
    const steps = f.local('i32', i32.sub(a.e, b.e));
    f.block((done) =>
      f.loop((again) => {
        f.if(i64.geU(r, b.m), () => f.set(r, i64.sub(r, b.m)));
        f.brIf(done, i32.eqz(steps));
        f.set(r, i64.shl(r, 1));
        f.increment(steps, -1);
        f.br(again);
      }),
    );
    // r · 2^(e − 1075), exactly: r has no more than 53 bits.
    const e = b.e;
    f.if(i64.eqz(r), () => f.return(f64.reinterpretI64(sign)));
    f.while(
      () => i32.and(i32.gtS(e, 1), i64.ltU(r, HIDDEN)),
      () => {
        f.set(r, i64.shl(r, 1));
        f.increment(e, -1);
      },
    );
    const field = select(i64.geU(r, HIDDEN), i64.shl(i64.extendI32U(e), 52), i64.const(0));
    f.return(f64.reinterpretI64(i64.or(sign, i64.or(field, i64.and(r, MANTISSA)))));
  });
}

/** a − b trunc(a / b), exact: lane by lane. */
const fmod: VectorFunction = binaryCode((_f, lib, x, y) => {
  const slow = longDivision(lib);
  const lane = (k: number): Expr<'f64'> => call(slow, f64x2.extractLane(k, x), f64x2.extractLane(k, y));
  return f64x2.replaceLane(1, f64x2.splat(lane(0)), lane(1));
});

export const SPECIAL_FUNCTIONS = { erf, erfc, erfinv, lgamma, digamma, fmod };
