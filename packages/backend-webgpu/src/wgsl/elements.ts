/** @file Elements in memory: how each dtype is bound, loaded and stored. */
import type { DType } from '@tessera/core/backend';
import type { Stored } from './source.js';

/** 1-byte types lie four to a word, the halves two to a word. */
export const PER_WORD: { readonly [D in DType]: 1 | 2 | 4 } = {
  float32: 1,
  float64: 1,
  int32: 1,
  float16: 2,
  bfloat16: 2,
  uint8: 4,
  bool: 4,
};

export const isNarrow = (dtype: DType): boolean => PER_WORD[dtype] > 1;

export function storedAs(dtype: DType): Stored {
  return dtype === 'float32' ? 'f32' : dtype === 'int32' ? 'i32' : 'u32';
}

/** The element at `offset` (a u32 expression) of a binding, in its compute dtype. */
export function loadElement(binding: string, dtype: DType, offset: string): string {
  switch (dtype) {
    case 'uint8':
      return `i32((${binding}[${offset} >> 2u] >> ((${offset} & 3u) * 8u)) & 255u)`;
    case 'bool':
      return `(((${binding}[${offset} >> 2u] >> ((${offset} & 3u) * 8u)) & 255u) != 0u)`;
    case 'float16':
      return `k_from_f16((${binding}[${offset} >> 1u] >> ((${offset} & 1u) * 16u)) & 0xffffu)`;
    case 'bfloat16':
      return `k_from_bf16((${binding}[${offset} >> 1u] >> ((${offset} & 1u) * 16u)) & 0xffffu)`;
    default:
      return `${binding}[${offset}]`;
  }
}

/** A value of the compute dtype as the bits that a narrow dtype stores, a u32. */
export function narrowBits(value: string, dtype: DType): string {
  switch (dtype) {
    case 'uint8':
      return `(bitcast<u32>(${value}) & 255u)`;
    case 'bool':
      return `select(0u, 1u, ${value})`;
    case 'float16':
      return `k_to_f16(${value})`;
    default:
      return `k_to_bf16(${value})`;
  }
}

/** The same for any dtype: what one word for itself would hold. */
export function wordBits(value: string, dtype: DType): string {
  return dtype === 'float32' || dtype === 'int32' ? `bitcast<u32>(${value})` : narrowBits(value, dtype);
}

/** Four elements from `offset` (a multiple of four, a u32 expression) on, of a binding of {@link storedAsFours}, as floats. */
export function loadFour(binding: string, dtype: DType, stored: Stored, offset: string): string {
  const at = `${binding}[(${offset}) >> 2u]`;
  if (stored !== 'u32x2') return stored === 'f16x4' ? `vec4f(${at})` : at;
  const widen = dtype === 'float16' ? 'k_from_f16' : 'k_from_bf16';
  return `vec4f(${['x', 'y'].flatMap((c) => [`${widen}(${at}.${c} & 0xffffu)`, `${widen}(${at}.${c} >> 16u)`]).join(', ')})`;
}

/** One of the elements of such a binding. */
export function loadOfFours(binding: string, dtype: DType, stored: Stored, offset: string): string {
  const at = `${binding}[(${offset}) >> 2u]`;
  if (stored !== 'u32x2') return `f32(${at}[(${offset}) & 3u])`;
  const widen = dtype === 'float16' ? 'k_from_f16' : 'k_from_bf16';
  return `${widen}((${at}[((${offset}) >> 1u) & 1u] >> (((${offset}) & 1u) * 16u)) & 0xffffu)`;
}

/** How floats that are loaded four at a time are bound; `halves`: the adapter has shader-f16. */
export const storedAsFours = (dtype: DType, halves: boolean): Stored =>
  dtype === 'float32' ? 'f32x4' : dtype === 'float16' && halves ? 'f16x4' : 'u32x2';
