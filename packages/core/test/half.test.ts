/** @file float16 and bfloat16 over all 65,536 patterns, and their rounding against plain arithmetic. */
import { describe, expect, it } from 'vitest';
import {
  bf16BitsToF32,
  bf16ToF32Array,
  f16BitsToF32,
  f16ToF32Array,
  f32ToBf16Array,
  f32ToBf16Bits,
  f32ToF16Array,
  f32ToF16Bits,
} from '../src/tensor/half.js';

const patterns = Uint16Array.from({ length: 65536 }, (_, i) => i);

/** The value of a 16-bit float by its definition. */
function definition(bits: number, exponentBits: number): number {
  const fractionBits = 15 - exponentBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits & 0x7fff) >>> fractionBits;
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  if (exponent === 2 ** exponentBits - 1) return fraction ? NaN : sign * Infinity;
  return exponent ? sign * (1 + fraction) * 2 ** (exponent - bias) : sign * fraction * 2 ** (1 - bias);
}

describe.each([
  {
    format: 'float16',
    exponentBits: 5,
    quiet: 0x200,
    narrow: f32ToF16Bits,
    widen: f16BitsToF32,
    narrowAll: f32ToF16Array,
    widenAll: f16ToF32Array,
  },
  {
    format: 'bfloat16',
    exponentBits: 8,
    quiet: 0x40,
    narrow: f32ToBf16Bits,
    widen: bf16BitsToF32,
    narrowAll: f32ToBf16Array,
    widenAll: bf16ToF32Array,
  },
])('$format', ({ exponentBits, quiet, narrow, widen, narrowAll, widenAll }) => {
  const infinity = (2 ** exponentBits - 1) << (15 - exponentBits);
  const isNaNBits = (bits: number): boolean => (bits & 0x7fff) > infinity;

  it('widens each pattern to its value', () => {
    const all = widenAll(patterns);
    const wrong = patterns.filter((bits) => {
      const value = definition(bits, exponentBits);
      return !Object.is(widen(bits), value) || !Object.is(all[bits], value);
    });
    expect(wrong).toHaveLength(0);
  });

  it('gives each pattern back; NaN becomes quiet and keeps its sign and payload', () => {
    const back = narrowAll(widenAll(patterns));
    const wrong = patterns.filter((bits) => back[bits] !== (isNaNBits(bits) ? bits | quiet : bits));
    expect(wrong).toHaveLength(0);
    const wrongOneByOne = patterns.filter((bits) => !isNaNBits(bits) && narrow(widen(bits)) !== bits);
    expect(wrongOneByOne).toHaveLength(0);
  });

  it('rounds to nearest even between each two neighbours', () => {
    const wrong: unknown[] = [];
    for (let bits = 0; bits < infinity; bits++) {
      const low = definition(bits, exponentBits);
      // Above the largest finite value the next one would be 2^(max exponent), where infinity stands.
      const high = bits + 1 === infinity ? 2 * low - definition(bits - 1, exponentBits) : definition(bits + 1, exponentBits);
      const middle = (low + high) / 2; // a float32, since both have at most 11 bits
      const even = bits & 1 ? bits + 1 : bits;
      const below = Math.fround(middle - (high - low) / 64);
      const above = Math.fround(middle + (high - low) / 64);
      for (const [value, expected] of [
        [middle, even],
        [below, bits],
        [above, bits + 1],
      ]) {
        if (narrow(value) !== expected || narrow(-value) !== (expected | 0x8000)) wrong.push({ value, expected, actual: narrow(value) });
      }
    }
    expect(wrong).toEqual([]);
  });

  it('takes infinities, zeros and what is far too small', () => {
    expect([Infinity, -Infinity, 0, -0, 1e-46, -1e-46].map(narrow)).toEqual([infinity, infinity | 0x8000, 0, 0x8000, 0, 0x8000]);
  });

  it('writes into the array that it is given, at its offset', () => {
    const out = new Uint16Array(4).subarray(1, 3);
    expect(narrowAll(Float32Array.of(9, 1, -2).subarray(1), out)).toBe(out);
    expect(widenAll(out, new Float32Array(4).subarray(2))).toEqual(Float32Array.of(1, -2));
  });
});
