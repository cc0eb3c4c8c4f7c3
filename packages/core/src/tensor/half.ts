/**
 * @file float16 and bfloat16 as bits: conversions to float32, which are exact, and from it, rounding to nearest even.
 *
 * NaN keeps its sign and the top bits of its payload, and becomes quiet, as F16C hardware does it.
 */

const floatScratch = new Float32Array(1);
const bitScratch = new Uint32Array(floatScratch.buffer);

/**
 * The 16 bits of a number as a float16. A number that is no float32 is rounded to float32 first.
 * @example f32ToF16Bits(65520) // 0x7c00: the first number that rounds to infinity
 */
export function f32ToF16Bits(value: number): number {
  floatScratch[0] = value;
  return narrowToF16(bitScratch[0]);
}

/** The value of a float16. */
export function f16BitsToF32(bits: number): number {
  bitScratch[0] = widenF16(bits);
  return floatScratch[0];
}

/** The 16 bits of a number as a bfloat16. A number that is no float32 is rounded to float32 first. */
export function f32ToBf16Bits(value: number): number {
  floatScratch[0] = value;
  return narrowToBf16(bitScratch[0]);
}

/** The value of a bfloat16. */
export function bf16BitsToF32(bits: number): number {
  bitScratch[0] = bits << 16;
  return floatScratch[0];
}

/** All of `source` as float16 bits, into `out` or a new array. */
export function f32ToF16Array(source: Float32Array, out = new Uint16Array(source.length)): Uint16Array {
  const bits = bitsOf(source);
  for (let i = 0; i < bits.length; i++) out[i] = narrowToF16(bits[i]);
  return out;
}

/** All float16 of `source` as float32, into `out` or a new array. */
export function f16ToF32Array(source: Uint16Array, out = new Float32Array(source.length)): Float32Array {
  const bits = bitsOf(out);
  for (let i = 0; i < source.length; i++) bits[i] = widenF16(source[i]);
  return out;
}

/** All of `source` as bfloat16 bits, into `out` or a new array. */
export function f32ToBf16Array(source: Float32Array, out = new Uint16Array(source.length)): Uint16Array {
  const bits = bitsOf(source);
  for (let i = 0; i < bits.length; i++) out[i] = narrowToBf16(bits[i]);
  return out;
}

/** All bfloat16 of `source` as float32, into `out` or a new array. */
export function bf16ToF32Array(source: Uint16Array, out = new Float32Array(source.length)): Float32Array {
  const bits = bitsOf(out);
  for (let i = 0; i < source.length; i++) bits[i] = source[i] << 16;
  return out;
}

/** Bits are copied as integers, since a NaN that passes through a JavaScript number may lose its payload. */
function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

function narrowToF16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x1ff); // NaN
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 65536 and above
  if (magnitude >= 0x38800000) {
    // Normal, from 2^-14: the exponent's bias changes by 112, and a carry out of the fraction moves it on by itself.
    const rounded = magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1);
    return sign | (rounded >>> 13);
  }
  if (magnitude <= 0x33000000) return sign; // up to 2^-25, which is a tie with 0, the even one
  // Subnormal: the fraction with its leading 1, counted in units of 2^-24.
  const shift = 126 - (magnitude >>> 23);
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  const whole = fraction >>> shift;
  const rest = fraction & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (rest > half || (rest === half && whole & 1) ? whole + 1 : whole);
}

function widenF16(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const magnitude = bits & 0x7fff;
  if (magnitude >= 0x7c00) return sign | 0x7f800000 | ((magnitude & 0x3ff) << 13);
  if (magnitude >= 0x0400) return sign | ((magnitude << 13) + 0x38000000);
  if (magnitude === 0) return sign;
  // Subnormal: shift the fraction until its leading 1 stands where a float32 leaves it out.
  const shift = Math.clz32(magnitude) - 21;
  return sign | (((113 - shift) << 23) + ((magnitude << (shift + 13)) & 0x7fffff));
}

function narrowToBf16(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40; // NaN
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}
