/** @file float16 and bfloat16 in registers: four of them as 16 bits in 32-bit lanes, to and from four float32 lanes. */
import { f32x4, type FunctionBuilder, i32x4, v128 } from '../assembler/index.js';
import type { V, VLocal } from '../math/library.js';

/** 2^112, which moves float16's exponents to float32's places; subnormals come out right by themselves. */
const MAGIC = 2 ** 112;

export function float16ToFloat32(f: FunctionBuilder, bits: V): V {
  const h = f.local('v128', bits);
  const shifted = f.local('v128', i32x4.shl(v128.and(h, i32x4.const(0x7fff)), 13));
  const value = f32x4.mul(shifted, MAGIC);
  // Infinity and NaN had the largest exponent: they get float32's.
  const special = v128.and(i32x4.geU(shifted, 0x7c00 << 13), i32x4.const(0x7f800000));
  const sign = i32x4.shl(v128.and(h, i32x4.const(0x8000)), 16);
  return v128.or(v128.or(value, special), sign);
}

/** To the nearest, ties to even; the bits in the lower half of each lane. */
export function float32ToFloat16(f: FunctionBuilder, value: VLocal): V {
  const size = f.local('v128', v128.and(value, i32x4.const(0x7fffffff)));
  // Subnormal results: adding ½ · 2^(−24 + 24) rounds at the last bit that float16 has.
  const subnormal = i32x4.sub(f32x4.add(size, 0.5), 0x3f000000);
  const odd = v128.and(i32x4.shrU(size, 13), i32x4.const(1));
  const normal = i32x4.shrU(i32x4.add(i32x4.add(size, 0xfff - (112 << 23)), odd), 13);
  const finite = v128.bitselect(subnormal, normal, i32x4.ltU(size, 113 << 23));
  const isNaN = v128.and(i32x4.gtU(size, 0x7f800000), i32x4.const(0x200));
  const large = v128.or(i32x4.const(0x7c00), isNaN);
  const result = v128.bitselect(large, finite, i32x4.geU(size, 143 << 23));
  return v128.or(result, v128.and(i32x4.shrU(value, 16), i32x4.const(0x8000)));
}

/** To the nearest, ties to even; NaN stays NaN. */
export function float32ToBfloat16(value: VLocal): V {
  const odd = v128.and(i32x4.shrU(value, 16), i32x4.const(1));
  const rounded = i32x4.add(i32x4.add(value, 0x7fff), odd);
  return i32x4.shrU(v128.bitselect(rounded, i32x4.const(0x7fc00000), f32x4.eq(value, value)), 16);
}

export const bfloat16ToFloat32 = (bits: V): V => i32x4.shl(bits, 16);
