/** @file Scalar functions that JavaScript lacks, in float64: the references of opcodes, and what plain backends may call. */

/** To the nearest integer, ties to even. */
export function roundHalfEven(x: number): number {
  if (!(Math.abs(x) < 4503599627370496)) return x;
  const magic = 4503599627370496;
  const r = x < 0 ? x - magic + magic : x + magic - magic;
  return r === 0 ? (x < 0 || Object.is(x, -0) ? -0 : 0) : r;
}

/** C's pow: JavaScript's gives NaN for pow(1, NaN), pow(±1, ±∞). */
export function pow(x: number, y: number): number {
  if (x === 1) return 1;
  if (x === -1 && (y === Infinity || y === -Infinity)) return 1;
  return x ** y;
}

const scratchF32 = new Float32Array(1);
const scratchU32 = new Uint32Array(scratchF32.buffer);

/** The nearest bfloat16 (ties to even) of a float32 value. */
export function roundToBfloat16(x: number): number {
  if (x !== x) return x;
  scratchF32[0] = x;
  const u = scratchU32[0]!;
  scratchU32[0] = ((u + 0x7fff + ((u >>> 16) & 1)) & 0xffff0000) >>> 0;
  return scratchF32[0]!;
}

/** The nearest float16 (ties to even) of a float32 value. */
export function roundToFloat16(x: number): number {
  const a = Math.abs(x);
  if (!(a < Infinity)) return x;
  if (a >= 65520) return x < 0 ? -Infinity : Infinity;
  // The spacing of float16 at |x|: adding and subtracting a power of two large enough rounds there, exactly, in float64.
  const unit = a < 6.103515625e-5 ? 5.9604644775390625e-8 : 2 ** (Math.floor(Math.log2(a)) - 10);
  const r = roundHalfEven(x / unit) * unit;
  return r === 0 && x < 0 ? -0 : r;
}

/** The first word of Philox4x32-10 (Salmon et al., 2011) for the counter (counter, 0, 0, 0) and the key (k0, k1), as an int32. */
export function philox(counter: number, k0: number, k1: number): number {
  let c0 = counter >>> 0;
  let c1 = 0;
  let c2 = 0;
  let c3 = 0;
  for (let round = 0; round < 10; round++) {
    const lo0 = Math.imul(c0, 0xd2511f53) >>> 0;
    const hi0 = mulHigh(c0, 0xd2511f53);
    const lo1 = Math.imul(c2, 0xcd9e8d57) >>> 0;
    const hi1 = mulHigh(c2, 0xcd9e8d57);
    c0 = (hi1 ^ c1 ^ k0) >>> 0;
    c1 = lo1;
    c2 = (hi0 ^ c3 ^ k1) >>> 0;
    c3 = lo0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  return c0 | 0;
}

/** The upper 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function mulHigh(a: number, b: number): number {
  const al = a & 0xffff;
  const ah = a >>> 16;
  const bl = b & 0xffff;
  const bh = b >>> 16;
  const mid = ah * bl + ((al * bl) >>> 16);
  const mid2 = al * bh + (mid % 65536);
  return (ah * bh + Math.floor(mid / 65536) + Math.floor(mid2 / 65536)) >>> 0;
}

/**
 * erf in float64, error below 1e-15: the Maclaurin series of erf for |x| < 3, and 1 − erfc beyond. Abramowitz and Stegun, 7.1.6.
 */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 2.5) {
    // erf x = 2/√π · e^(−x²) · Σ 2^n x^(2n+1) / (1·3·…·(2n+1)): all terms have one sign, so nothing cancels.
    const square = a * a;
    let term = a;
    let sum = a;
    for (let n = 1; n < 80; n++) {
      term *= (2 * square) / (2 * n + 1);
      sum += term;
      if (term < sum * 1e-17) break;
    }
    const r = 1.1283791670955126 * Math.exp(-square) * sum;
    return x < 0 ? -r : x === 0 ? x : r;
  }
  return x !== x ? x : x < 0 ? erfc(a) - 1 : 1 - erfc(a);
}

/** erfc in float64: a continued fraction for x ≥ 2.5 (Abramowitz and Stegun, 7.1.14), 1 − erf below. */
export function erfc(x: number): number {
  if (x < 0.5) return 1 - erf(x);
  if (x > 27.3) return 0;
  if (x < 2.5) return x < 1 ? 1 - erf(x) : fractionErfc(x, 400);
  return fractionErfc(x, 120);
}

function fractionErfc(x: number, terms: number): number {
  // e^(−x²) with the square split in two, so that its rounding does not grow with x.
  const high = Math.fround(x);
  const low = x - high;
  let f = 0;
  for (let n = terms; n >= 1; n--) f = n / 2 / (x + f);
  return (Math.exp(-high * high) * Math.exp(-low * (x + high))) / (1.7724538509055159 * (x + f));
}

/** erfinv in float64: Giles's approximation (2012), then two steps of Halley's method. */
export function erfinv(y: number): number {
  const a = Math.abs(y);
  if (!(a < 1)) return a === 1 ? (y < 0 ? -Infinity : Infinity) : NaN;
  if (y === 0) return y;
  let w = -Math.log((1 - a) * (1 + a));
  let x: number;
  if (w < 5) {
    w -= 2.5;
    x = 2.81022636e-8;
    for (const c of [3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164, 0.246640727, 1.50140941])
      x = c + x * w;
  } else {
    w = Math.sqrt(w) - 3;
    x = -0.000200214257;
    for (const c of [0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047, 1.00167406, 2.83297682])
      x = c + x * w;
  }
  x *= a;
  for (let step = 0; step < 2; step++) {
    const error = a < 0.5 ? erf(x) - a : 1 - a - erfc(x);
    const delta = error / (1.1283791670955126 * Math.exp(-x * x));
    x -= delta / (1 + x * delta);
  }
  return y < 0 ? -x : x;
}

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** ln |Γ(x)| in float64: Lanczos (g = 7), by reflection below 0.5; near its zeros at 1 and 2 by the Taylor series. */
export function lgamma(x: number): number {
  if (x !== x) return x;
  if (x === Infinity || x === -Infinity) return Infinity;
  if (x <= 0 && Math.floor(x) === x) return Infinity;
  if (x < 0.5) {
    const r = x - Math.round(x);
    return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * r))) - lgamma(1 - x);
  }
  if (Math.abs(x - 1) < 0.2) return lgamma1p(x - 1);
  if (Math.abs(x - 2) < 0.2) return Math.log1p(x - 2) + lgamma1p(x - 2);
  const z = x - 1;
  let sum = LANCZOS[0]!;
  for (let i = 1; i < 9; i++) sum += LANCZOS[i]! / (z + i);
  const t = z + 7.5;
  return 0.91893853320467274 + (z + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** ζ(k) − 1 for k = 2, 3, … */
const ZETA_MINUS_1 = [
  0.6449340668482264, 0.2020569031595943, 0.08232323371113819, 0.03692775514336993, 0.01734306198444914, 0.008349277381922827,
  0.004077356197944339, 0.0020083928260822144, 0.000994575127818085, 0.0004941886041194646, 0.0002460865533080483, 0.00012271334757848915,
  6.124813505870483e-5, 3.058823630702049e-5, 1.528225940865187e-5, 7.637197637899762e-6, 3.81729326499984e-6, 1.908212716553939e-6,
  9.539620338727962e-7,
];

/** ln Γ(1 + d) for |d| ≤ 0.2: −γd + Σ ζ(k) (−d)^k / k, with the part of ζ(k) = 1 summed as −ln(1 + d) + d. */
function lgamma1p(d: number): number {
  let sum = 0;
  let power = d;
  for (let k = 2; k < 21; k++) {
    power *= -d;
    sum -= (ZETA_MINUS_1[k - 2]! * power) / k;
  }
  return -0.5772156649015329 * d + (d - Math.log1p(d)) + sum;
}

/** ψ(x) in float64: recurrence up to 10, then the asymptotic series; by reflection below 0. */
export function digamma(x: number): number {
  if (x === 0) return Object.is(x, -0) ? Infinity : -Infinity;
  if (x < 0) {
    if (Math.floor(x) === x) return NaN;
    const r = x - Math.round(x);
    return digamma(1 - x) - Math.PI / Math.tan(Math.PI * r);
  }
  let result = 0;
  while (x < 10) {
    result -= 1 / x;
    x += 1;
  }
  if (x === Infinity) return Infinity;
  const y = 1 / (x * x);
  const series = y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y * (1 / 240 - y * (1 / 132 - y * (691 / 32760 - y / 12))))));
  return result + Math.log(x) - 0.5 / x - series;
}
