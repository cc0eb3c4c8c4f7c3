/** @file sin, cos, tan and their inverses on two float64 lanes. */
import { call, type FunctionBuilder, f64, f64x2, i32, i64, i64x2, select, v128, type Expr, type FunctionRef } from '../assembler/index.js';
import { withSign, nan } from './float64-exponential.js';
import { binaryCode, type MathLibrary, unaryCode, type V, type VectorFunction, type VLocal } from './library.js';

/** π/2 in three parts of 33 bits and a rest: products of the first ones with integers below 2^20 are exact. fdlibm, e_rem_pio2.c. */
const HALF_PI = [1.57079632673412561417, 6.0771005063039659766e-11, 2.0222662487111664558e-21, 8.47842766036889956997e-32];
const TWO_OVER_PI = 6.36619772367581382433e-1;
/** Up to here the parts above are exact enough. */
const NEAR = 823549;
const ROUND = 6755399441055744;

/** sin r = r + r³ S(r²), cos r = 1 − r²/2 + r⁴ C(r²), |r| ≤ π/4. fdlibm, k_sin.c and k_cos.c. */
const SIN = [
  1.58969099521155010221e-10, -2.50507602534068634195e-8, 2.75573137070700676789e-6, -1.98412698298579493134e-4, 8.33333333332248946124e-3,
  -1.66666666666666324348e-1,
];
const COS = [
  -1.13596475577881948265e-11, 2.0875723212981748279e-9, -2.75573143513906633035e-7, 2.48015872894767294178e-5, -1.38888888888741095749e-3,
  4.16666666666666019037e-2,
];

/** Words of 2/π: enough for the largest float64 with 160 bits to spare. */
const TWO_OVER_PI_WORDS = 40;

/** The first `words` words, of 32 bits, behind the point of 2/π = 1 / (π/2), from π by Machin's formula in whole numbers. */
function twoOverPi(words: number): bigint[] {
  const bits = BigInt(words * 32 + 64);
  const one = 1n << bits;
  const arctanOfInverse = (n: bigint): bigint => {
    let sum = 0n;
    for (let power = one / n, k = 1n; power !== 0n; power = -power / (n * n), k += 2n) sum += power / k;
    return sum;
  };
  const pi = 4n * (4n * arctanOfInverse(5n) - arctanOfInverse(239n));
  const inverse = (2n * one * one) / pi;
  return Array.from({ length: words }, (_, i) => (inverse >> (bits - 32n * BigInt(i + 1))) & 0xffffffffn);
}

type Reduce = FunctionRef<readonly ['f64', 'f64'], 'f64'>;

/**
 * x mod π/2 for large |x|, by Payne and Hanek: of x · 2/π the bits around the point, in words of 32. Gives the rest where `which` is 0, else the
 * quadrant.
 */
function largeReduction(lib: MathLibrary): Reduce {
  return lib.scalar('reduceLarge', (f, x, which) => {
    const bits = f.local('i64', i64.reinterpretF64(f64.abs(x)));
    const mantissa = f.local('i64', i64.or(i64.and(bits, 0xfffffffffffffn), 0x10000000000000n));
    // x = mantissa · 2^exponent, exponent ≥ −33. Words of 2/π far above the point give whole turns only: the first that counts.
    const exponent = f.local('i32', i32.sub(i32.wrapI64(i64.shrU(bits, 52)), 1075));
    const first = f.local('i32', select(i32.gtS(exponent, 64), i32.shrU(i32.sub(exponent, 64), 5), i32.const(0)));
    const word = Array.from({ length: 8 }, () => f.local('i64'));
    twoOverPi(TWO_OVER_PI_WORDS).forEach((value, i) => {
      word.forEach((w, k) => {
        if (i >= k) f.if(i32.eq(first, i - k), () => f.set(w, BigInt.asIntN(64, value)));
      });
    });
    // The product: words[k + 2] has the weight 2^(−32 k) times 2^(exponent − 32 first).
    const low = f.local('i64', i64.and(mantissa, 0xffffffffn));
    const high = f.local('i64', i64.shrU(mantissa, 32));
    const words = Array.from({ length: 11 }, () => f.local('i64'));
    const carry = f.local('i64');
    for (let k = 8; k >= 0; k--) {
      // Each product has up to 64 bits: its lower half counts here, its upper half one word further up.
      const a = f.local('i64', k > 0 ? i64.mul(low, word[k - 1]) : 0);
      const b = f.local('i64', k < 8 ? i64.mul(high, word[k]) : 0);
      const halves = i64.add(i64.and(a, 0xffffffffn), i64.and(b, 0xffffffffn));
      const total = f.local('i64', i64.add(carry, halves));
      f.set(words[k + 2], i64.and(total, 0xffffffffn));
      f.set(carry, i64.add(i64.shrU(total, 32), i64.add(i64.shrU(a, 32), i64.shrU(b, 32))));
    }
    f.set(words[1], carry);
    // Moves the point behind words[0]: by whole words, then by bits.
    const shift = f.local('i32', i32.add(i32.sub(exponent, i32.shl(first, 5)), 64));
    f.while(
      () => i32.geS(shift, 32),
      () => {
        for (let k = 0; k < 10; k++) f.set(words[k], words[k + 1]);
        f.increment(shift, -32);
      },
    );
    const by = f.local('i64', i64.extendI32U(shift));
    const down = f.local('i64', i64.sub(32, by));
    const shifted = (k: number): Expr<'i64'> => i64.or(i64.shl(words[k], by), i64.shrU(words[k + 1], down));
    const wordAt = (k: number): Expr<'i64'> => i64.and(shifted(k), 0xffffffffn);
    const a = f.local('i64', i64.or(i64.shl(wordAt(1), 32), wordAt(2)));
    const b = f.local('i64', i64.or(i64.shl(wordAt(3), 32), wordAt(4)));
    // As a signed fraction in [−½, ½): one quadrant more where it is above ½.
    const quadrant = f.local('i32', i32.wrapI64(i64.add(shifted(0), i64.shrU(a, 63))));
    const negative = f.local('i32', f64.lt(x, 0));
    f.if(f64.ne(which, 0), () => {
      f.set(quadrant, i32.and(select(negative, i32.sub(0, quadrant), quadrant), 3));
      f.return(f64.convertI32S(quadrant));
    });
    const fraction = f64.add(f64.mul(f64.convertI64S(a), 2 ** -64), f64.mul(f64.convertI64U(b), 2 ** -128));
    const r = f.local('f64', f64.mul(fraction, Math.PI / 2));
    f.return(select(negative, f64.neg(r), r));
  });
}

/** x = n π/2 + r. */
function reduce(f: FunctionBuilder, lib: MathLibrary, x: VLocal): { n: VLocal; r: VLocal } {
  const n = f.local('v128', f64x2.nearest(f64x2.mul(x, TWO_OVER_PI)));
  const r = f.local('v128', x);
  for (const part of HALF_PI) f.set(r, f64x2.sub(r, f64x2.mul(n, part)));
  const far = f.local('v128', f64x2.gt(f64x2.abs(x), NEAR));
  f.if(v128.anyTrue(far), () => {
    const both = largeReduction(lib);
    const part = (k: number, which: number): Expr<'f64'> => call(both, f64x2.extractLane(k, x), which);
    const parts = (which: number): V => f64x2.replaceLane(1, f64x2.splat(part(0, which)), part(1, which));
    f.set(n, v128.bitselect(parts(1), n, far));
    f.set(r, v128.bitselect(parts(0), r, far));
  });
  return { n, r };
}

function sinOf(lib: MathLibrary, r: VLocal, square: VLocal): V {
  return lib.madd64(f64x2.mul(square, r), lib.polynomial64(square, SIN), r);
}

function cosOf(f: FunctionBuilder, lib: MathLibrary, square: VLocal): V {
  const half = f.local('v128', f64x2.mul(square, 0.5));
  const w = f.local('v128', f64x2.sub(f64x2.const(1), half));
  // What 1 − r²/2 loses in rounding comes back.
  const lost = f64x2.sub(f64x2.sub(f64x2.const(1), w), half);
  return f64x2.add(w, lib.madd64(f64x2.mul(square, square), lib.polynomial64(square, COS), lost));
}

/** The quadrants that are odd, as a mask, and the sign of those beyond π. */
function quadrants(f: FunctionBuilder, n: V): { odd: VLocal; sign: VLocal } {
  const bits = f.local('v128', f64x2.add(n, ROUND));
  return {
    odd: f.local('v128', i64x2.ne(v128.and(bits, i64x2.const(1)), i64x2.const(0))),
    sign: f.local('v128', i64x2.shl(i64x2.shrU(bits, 1), 63)),
  };
}

const sine = (turn: number): VectorFunction =>
  unaryCode((f, lib, x) => {
    const { n, r } = reduce(f, lib, x);
    const { odd, sign } = quadrants(f, turn === 0 ? n : f64x2.add(n, turn));
    const square = f.local('v128', f64x2.mul(r, r));
    const y = f.local('v128', v128.xor(v128.bitselect(cosOf(f, lib, square), sinOf(lib, r, square), odd), sign));
    return v128.bitselect(y, nan(), f64x2.lt(f64x2.abs(x), Infinity));
  });

const tan: VectorFunction = unaryCode((f, lib, x) => {
  const { n, r } = reduce(f, lib, x);
  const { odd } = quadrants(f, n);
  const square = f.local('v128', f64x2.mul(r, r));
  const s = f.local('v128', sinOf(lib, r, square));
  const c = f.local('v128', cosOf(f, lib, square));
  const y = v128.bitselect(f64x2.div(f64x2.neg(c), s), f64x2.div(s, c), odd);
  return v128.bitselect(y, nan(), f64x2.lt(f64x2.abs(x), Infinity));
});

/** Cephes, atan.c: a rational function within tan π/8, and two turns beyond it. */
const ATAN_TOP = [
  -8.750608600031904122785e-1, -1.615753718733365076637e1, -7.50085579231470466734e1, -1.22886668449013617341e2, -6.485021904942025371773e1,
];
const ATAN_BOTTOM = [
  1, 2.485846490142306297962e1, 1.650270098316988542046e2, 4.328810604912902668951e2, 4.853903996359136964868e2, 1.945506571482613964425e2,
];

const atan: VectorFunction = unaryCode((f, lib, x) => {
  const size = f.local('v128', f64x2.abs(x));
  const large = f.local('v128', f64x2.gt(size, 2.4142135623730950488));
  const middle = f.local('v128', v128.andnot(f64x2.gt(size, 0.66), large));
  const turned = v128.bitselect(f64x2.div(f64x2.sub(size, 1), f64x2.add(size, 1)), size, middle);
  const t = f.local('v128', v128.bitselect(f64x2.div(f64x2.const(-1), size), turned, large));
  const z = f.local('v128', f64x2.mul(t, t));
  const p = f64x2.div(f64x2.mul(z, lib.polynomial64(z, ATAN_TOP)), lib.polynomial64(z, ATAN_BOTTOM));
  const near = f.local('v128', lib.madd64(t, p, t));
  const offset = v128.or(v128.and(large, f64x2.const(Math.PI / 2)), v128.and(middle, f64x2.const(Math.PI / 4)));
  const lost = v128.or(
    v128.and(large, f64x2.const(6.12323399573676588613e-17)),
    v128.and(middle, f64x2.const(3.061616997868382943065e-17)),
  );
  return withSign(f64x2.abs(f64x2.add(offset, f64x2.add(near, lost))), x);
});

/** 2 atan(x / (1 + √(1 − x²))). */
const asin: VectorFunction = unaryCode((f, lib, x) => {
  const root = f64x2.sqrt(f64x2.mul(f64x2.sub(f64x2.const(1), x), f64x2.add(x, 1)));
  const y = f.local('v128', lib.call('atan', f64x2.div(x, f64x2.add(root, 1))));
  return f64x2.add(y, y);
});

/** 2 atan √((1 − x) / (1 + x)). */
const acos: VectorFunction = unaryCode((f, lib, x) => {
  const y = f.local('v128', lib.call('atan', f64x2.sqrt(f64x2.div(f64x2.sub(f64x2.const(1), x), f64x2.add(x, 1)))));
  return f64x2.add(y, y);
});

/** The angle of (x, y), named as C names them: y first. */
const atan2: VectorFunction = binaryCode((f, lib, y, x) => {
  const a = f.local('v128', f64x2.abs(y));
  const b = f.local('v128', f64x2.abs(x));
  // Both 0: 0; both infinite: 1.
  const same = f.local('v128', v128.and(f64x2.eq(a, b), v128.or(f64x2.eq(a, 0), f64x2.eq(a, Infinity))));
  const ratio = v128.bitselect(v128.and(f64x2.gt(a, 0), f64x2.const(1)), f64x2.div(a, b), same);
  const angle = f.local('v128', lib.call('atan', ratio));
  const left = i64x2.shrS(x, 63);
  const turned = v128.bitselect(f64x2.sub(f64x2.const(Math.PI), f64x2.sub(angle, 1.2246467991473531772e-16)), angle, left);
  return v128.or(withSign(turned, y), v128.or(f64x2.ne(x, x), f64x2.ne(y, y)));
});

export const TRIGONOMETRIC_FUNCTIONS = { sin: sine(0), cos: sine(1), tan, asin, acos, atan, atan2 };
