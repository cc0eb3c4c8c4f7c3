/**
 * @file The float32 log, sine and cosine behind PyTorch's `randn`, bit for bit.
 *
 * These are the Cephes polynomials of ATen/native/cpu/avx_mathfun.h with the multiply-adds that gcc contracts in
 * PyTorch's AVX2 build. They live here because random numbers must not depend on a platform's math library;
 * they are no general replacement for `Math.log`: arguments are those that Box-Muller makes.
 */
import { fma32 } from './fma.js';

const fround = Math.fround;
const floatScratch = new Float32Array(1);
const intScratch = new Int32Array(floatScratch.buffer);

const SQRT_HALF = fround(Math.SQRT1_2);
const LOG_FIRST = fround(7.0376836292e-2);
const LOG_COEFFICIENTS = Float32Array.of(
  -1.151461031e-1,
  1.167699874e-1,
  -1.2420140846e-1,
  1.4249322787e-1,
  -1.6668057665e-1,
  2.0000714765e-1,
  -2.4999993993e-1,
  3.3333331174e-1,
);
const LOG_Q1 = fround(-2.1219444e-4);
const LOG_Q2 = fround(0.693359375);

/** Natural logarithm of a float32 in (0, 1]. */
export function logFloat32(x: number): number {
  floatScratch[0] = x;
  const bits = intScratch[0];
  intScratch[0] = (bits & ~0x7f800000) | 0x3f000000;
  const mantissa = floatScratch[0]; // in [0.5, 1)
  const small = mantissa < SQRT_HALF;
  const e = (bits >> 23) - 0x7f + (small ? 0 : 1);
  const m = fround(fround(mantissa - 1) + (small ? mantissa : 0));
  const z = fround(m * m);
  let y = LOG_FIRST;
  for (let i = 0; i < LOG_COEFFICIENTS.length; i++) y = fma32(y, m, LOG_COEFFICIENTS[i]);
  y = fround(y * m);
  y = fma32(y, z, fround(e * LOG_Q1));
  y = fma32(-z, 0.5, y);
  return fma32(e, LOG_Q2, fround(m + y));
}

const FOUR_OVER_PI = fround(1.27323954473516);
const PI_4_A = fround(-0.78515625);
const PI_4_B = fround(-2.4187564849853515625e-4);
const PI_4_C = fround(-3.774894977445941e-8);
const COS_0 = fround(2.443315711809948e-5);
const COS_1 = fround(-1.388731625493765e-3);
const COS_2 = fround(4.166664568298827e-2);
const SIN_0 = fround(-1.9515295891e-4);
const SIN_1 = fround(8.3321608736e-3);
const SIN_2 = fround(-1.6666654611e-1);

/** Writes the sine and the cosine of a float32 in [0, 2π] to `out[0]` and `out[1]`. */
export function sinCosFloat32(x: number, out: Float32Array): void {
  const octant = (Math.trunc(fround(x * FOUR_OVER_PI)) + 1) & ~1;
  let r = fma32(octant, PI_4_A, x);
  r = fma32(octant, PI_4_B, r);
  r = fma32(octant, PI_4_C, r);
  const z = fround(r * r);

  let cosine = fma32(COS_0, z, COS_1);
  cosine = fma32(cosine, z, COS_2);
  cosine = fround(cosine * z);
  cosine = fma32(cosine, z, -fround(z * 0.5));
  cosine = fround(cosine + 1);

  let sine = fma32(SIN_0, z, SIN_1);
  sine = fma32(sine, z, SIN_2);
  sine = fround(sine * z);
  sine = fma32(sine, r, r);

  const swapped = (octant & 2) !== 0;
  const sinMagnitude = swapped ? cosine : sine;
  const cosMagnitude = swapped ? sine : cosine;
  out[0] = (octant & 4) !== 0 ? -sinMagnitude : sinMagnitude;
  out[1] = ((octant - 2) & 4) === 0 ? -cosMagnitude : cosMagnitude;
}
