/** @file Fused multiply-add, which JavaScript lacks: `a * b + c` with one rounding, in float32 and in float64. */

const SPLITTER = 2 ** 27 + 1;
const scratch = new Float64Array(1);
const scratchBits = new BigInt64Array(scratch.buffer);

/**
 * `a * b + c` rounded once to float32, for float32 arguments.
 *
 * The product of two float32 is exact in a double; the sum may not be, and rounding it to float32 afterwards would
 * round twice. The two roundings differ from one only if the double lies exactly halfway between two float32, which
 * is where the sum's own error decides.
 */
export function fma32(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const rounded = Math.fround(sum);
  const rest = sum - rounded;
  const otherNeighbour = rounded + 2 * rest;
  if (rest === 0 || Math.fround(otherNeighbour) !== otherNeighbour) return rounded; // no tie (or not finite)
  const error = twoSumError(product, c, sum);
  if (error === 0) return rounded; // a true tie: fround has rounded to even
  return error > 0 ? Math.max(rounded, otherNeighbour) : Math.min(rounded, otherNeighbour);
}

/**
 * `a * b + c` rounded once to float64, for finite values far from overflow and underflow (random numbers are).
 *
 * Source: Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to
 * odd" (2008), figure 3.
 */
export function fma64(a: number, b: number, c: number): number {
  const productHigh = a * b;
  const productLow = productError(a, b, productHigh);
  if (productLow === 0) return productHigh + c;
  const innerHigh = c + productLow;
  const innerLow = twoSumError(c, productLow, innerHigh);
  const outerHigh = productHigh + innerHigh;
  const outerLow = twoSumError(productHigh, innerHigh, outerHigh);
  return outerHigh + addRoundingToOdd(innerLow, outerLow);
}

/** What `a + b` lost when it was rounded to `sum` (Knuth's TwoSum). */
function twoSumError(a: number, b: number, sum: number): number {
  const bPart = sum - a;
  return a - (sum - bPart) + (b - bPart);
}

/** What `a * b` lost when it was rounded to `product` (Dekker's TwoProduct). */
export function productError(a: number, b: number, product: number): number {
  const aScaled = a * SPLITTER;
  const aHigh = aScaled - (aScaled - a);
  const aLow = a - aHigh;
  const bScaled = b * SPLITTER;
  const bHigh = bScaled - (bScaled - b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

/** `a + b` rounded to odd: of the two doubles around an inexact sum, the one whose last bit is set. */
function addRoundingToOdd(a: number, b: number): number {
  const sum = a + b;
  const error = twoSumError(a, b, sum);
  if (error === 0) return sum;
  scratch[0] = sum;
  const bits = scratchBits[0];
  if ((bits & 1n) === 1n) return sum;
  // Move one unit in the last place towards the exact value; the magnitude grows when both have the same sign.
  scratchBits[0] = error > 0 === sum > 0 ? bits + 1n : bits - 1n;
  return scratch[0];
}
