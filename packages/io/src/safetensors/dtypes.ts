/** @file The element types of the safetensors format, in the order in which its reference implementation sorts them. */

/** Name to bits an element, by increasing alignment: a file lists its tensors by this order reversed. */
export const SAFETENSORS_BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

/** The format's name of an element type. */
export type SafetensorsDType = keyof typeof SAFETENSORS_BITS;

/** One tensor of a file: its bytes are row-major and little-endian. */
export interface SafetensorsTensor {
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  /** As parsed, a view of the file's bytes; its offset need not be a multiple of the element's size. */
  readonly data: Uint8Array;
}

/** A file begins with the length of its header, which takes so many bytes. */
export const LENGTH_BYTES = 8;

/** A header may be at most this long, in bytes; the reference implementation has the same limit. */
export const MAX_HEADER_BYTES = 100_000_000;

/** The one key of a header that names no tensor. */
export const METADATA_KEY = '__metadata__';

/** The bytes that a shape takes; NaN where they are no whole number of bytes or pass 2^53. */
export function tensorBytes(dtype: SafetensorsDType, shape: readonly number[]): number {
  let elements = 1;
  for (const size of shape) {
    elements *= size;
    if (!Number.isSafeInteger(elements)) return NaN;
  }
  const bits = elements * SAFETENSORS_BITS[dtype];
  return Number.isSafeInteger(bits) && bits % 8 === 0 ? bits / 8 : NaN;
}

export function isSafetensorsDType(name: unknown): name is SafetensorsDType {
  return typeof name === 'string' && Object.hasOwn(SAFETENSORS_BITS, name);
}
