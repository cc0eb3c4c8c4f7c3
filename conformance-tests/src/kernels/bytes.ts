/** @file Numbers as the bytes that `write` takes and `read` gives: row-major, little-endian, PyTorch's element sizes. */
import { bf16BitsToF32, type DType, DTYPE_INFO, f16BitsToF32, f32ToBf16Bits, f32ToF16Bits } from '@tessera/core';

/** The bytes of numbers that the dtype can hold. */
export function toBytes(values: ArrayLike<number>, dtype: DType): Uint8Array {
  const array = new DTYPE_INFO[dtype].array(values.length);
  const convert = dtype === 'float16' ? f32ToF16Bits : dtype === 'bfloat16' ? f32ToBf16Bits : (x: number) => x;
  for (let i = 0; i < values.length; i++) array[i] = convert(values[i]);
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

export function fromBytes(bytes: Uint8Array, dtype: DType): number[] {
  const { array: Elements, size } = DTYPE_INFO[dtype];
  const copy = bytes.slice();
  const elements = Array.from(new Elements(copy.buffer, 0, copy.byteLength / size));
  if (dtype === 'float16') return elements.map(f16BitsToF32);
  return dtype === 'bfloat16' ? elements.map(bf16BitsToF32) : elements;
}

/** A number as a dtype holds it. */
export function rounded(x: number, dtype: DType): number {
  switch (dtype) {
    case 'float32':
      return Math.fround(x);
    case 'float64':
      return x;
    case 'int32':
      return x | 0;
    case 'uint8':
    case 'bool':
      return x & 255;
    case 'float16':
      return f16BitsToF32(f32ToF16Bits(x));
    case 'bfloat16':
      return bf16BitsToF32(f32ToBf16Bits(x));
    default:
      return dtype satisfies never;
  }
}
