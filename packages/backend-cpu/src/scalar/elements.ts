/** @file Elements of the dtypes: how a value is loaded from a typed array into a register, and stored. */
import {
  bf16BitsToF32,
  type ComputeDType,
  type DType,
  f16BitsToF32,
  f32ToBf16Bits,
  f32ToF16Bits,
  type TypedArray,
} from '@tessera/core/backend';

/** What generated code calls for dtypes whose array holds bits. */
export const ELEMENT_FUNCTIONS = { bf16BitsToF32, f16BitsToF32, f32ToBf16Bits, f32ToF16Bits };

/** The register's value of an array element, given the text of the latter. */
export function loadText(dtype: DType, element: string): string {
  return dtype === 'float16' ? `f16BitsToF32(${element})` : dtype === 'bfloat16' ? `bf16BitsToF32(${element})` : element;
}

/** What is assigned to an array element, given the text of a register. (uint8 needs nothing: the array takes it modulo 256.) */
export function storeText(dtype: DType, register: string): string {
  return dtype === 'float16' ? `f32ToF16Bits(${register})` : dtype === 'bfloat16' ? `f32ToBf16Bits(${register})` : register;
}

/** A scalar argument as a register has it. */
export function scalarText(dtype: ComputeDType, argument: string): string {
  return dtype === 'float32'
    ? `fround(${argument})`
    : dtype === 'float64'
      ? `+${argument}`
      : dtype === 'int32'
        ? `${argument} | 0`
        : `${argument} ? 1 : 0`;
}

export function scalarValue(dtype: ComputeDType, argument: number): number {
  return dtype === 'float32' ? Math.fround(argument) : dtype === 'float64' ? argument : dtype === 'int32' ? argument | 0 : argument ? 1 : 0;
}

/** Copies `count` elements, `stride` apart, into the first of `row`, as registers have them. */
export function loadRow(dtype: DType, data: TypedArray, at: number, stride: number, row: Float64Array, count: number): void {
  if (dtype === 'float16') for (let j = 0; j < count; j++, at += stride) row[j] = f16BitsToF32(data[at]);
  else if (dtype === 'bfloat16') for (let j = 0; j < count; j++, at += stride) row[j] = bf16BitsToF32(data[at]);
  else for (let j = 0; j < count; j++, at += stride) row[j] = data[at];
}

/** The reverse of {@link loadRow}. */
export function storeRow(dtype: DType, data: TypedArray, at: number, stride: number, row: Float64Array, count: number): void {
  if (dtype === 'float16') for (let j = 0; j < count; j++, at += stride) data[at] = f32ToF16Bits(row[j]);
  else if (dtype === 'bfloat16') for (let j = 0; j < count; j++, at += stride) data[at] = f32ToBf16Bits(row[j]);
  else for (let j = 0; j < count; j++, at += stride) data[at] = row[j];
}
