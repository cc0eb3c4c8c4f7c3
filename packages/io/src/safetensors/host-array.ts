/** @file From the format's element types to the framework's, and back. */
import { DTYPE_INFO, FormatError, NotSupportedError } from '@tessera/core';
import type { DType, TypedArray } from '@tessera/core';
import type { SafetensorsDType, SafetensorsTensor } from './dtypes.js';

/** The values of a tensor as the framework takes them. */
export interface HostArray {
  readonly dtype: DType;
  /** An array of its own, aligned. float16 and bfloat16 are their 16 bits. */
  readonly array: TypedArray;
}

/** The types whose bytes stay as they are. */
const SAME_BYTES: Partial<Record<SafetensorsDType, DType>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I32: 'int32',
  U8: 'uint8',
  BOOL: 'bool',
};

/** Integer types without a dtype of their own: they are read as int32, with a range check. */
const INTEGERS: Partial<Record<SafetensorsDType, (buffer: ArrayBuffer) => ArrayLike<number | bigint>>> = {
  I64: (buffer) => new BigInt64Array(buffer),
  U64: (buffer) => new BigUint64Array(buffer),
  U32: (buffer) => new Uint32Array(buffer),
  U16: (buffer) => new Uint16Array(buffer),
  I16: (buffer) => new Int16Array(buffer),
  I8: (buffer) => new Int8Array(buffer),
};

/**
 * Copies a tensor's values out of its file.
 *
 * @param name For messages.
 * @throws FormatError ERR_SAFETENSORS_RANGE for an integer beyond int32, ERR_SAFETENSORS_BOOL for a bool that is
 * neither 0 nor 1; NotSupportedError ERR_SAFETENSORS_DTYPE for a type that the framework lacks (C64, F8_*, …).
 */
export function toHostArray(name: string, { dtype, data }: SafetensorsTensor): HostArray {
  const { buffer } = new Uint8Array(data); // a copy, which slice() of a Buffer is not
  const same = SAME_BYTES[dtype];
  if (same === 'bool') checkBools(name, data);
  if (same) return { dtype: same, array: new DTYPE_INFO[same].array(buffer) };
  if (dtype === 'I64') return { dtype: 'int32', array: int64ToInt32(name, new BigInt64Array(buffer)) };
  const integers = INTEGERS[dtype]?.(buffer);
  if (!integers)
    throw new NotSupportedError('ERR_SAFETENSORS_DTYPE', `${name}: no dtype of the framework holds ${dtype}`, { tensor: name, dtype });
  return { dtype: 'int32', array: Int32Array.from(integers, (value, i) => checkInt32(name, value, i)) };
}

/**
 * int64 as int32, which is the framework's integer type.
 * @throws FormatError ERR_SAFETENSORS_RANGE where a value does not fit; it names the first.
 */
export function int64ToInt32(name: string, values: BigInt64Array): Int32Array {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  const out = new Int32Array(values.length);
  for (let i = 0; i < out.length; i++) {
    const low = words[2 * i]; // typed arrays are little-endian wherever JavaScript runs today
    if (words[2 * i + 1] !== low >> 31) checkInt32(name, values[i], i);
    out[i] = low;
  }
  return out;
}

/** int32 as the bytes of int64, which PyTorch expects in checkpoints (`num_batches_tracked`, indices). */
export function int32ToInt64Bytes(values: Int32Array): Uint8Array {
  const words = new Int32Array(values.length * 2);
  for (let i = 0; i < values.length; i++) {
    words[2 * i] = values[i];
    words[2 * i + 1] = values[i] >> 31;
  }
  return new Uint8Array(words.buffer);
}

const NAMES: { readonly [D in DType]: SafetensorsDType } = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int32: 'I32',
  uint8: 'U8',
  bool: 'BOOL',
};

/** The format's name of a dtype. */
export const fileDType = (dtype: DType): SafetensorsDType => NAMES[dtype];

/**
 * A tensor of a file from the framework's values; the bytes are shared, not copied, unless they widen.
 *
 * @param integers `'I64'` writes int32 values as int64.
 */
export function fromHostArray({ dtype, array }: HostArray, shape: readonly number[], integers: 'I32' | 'I64' = 'I32'): SafetensorsTensor {
  if (dtype === 'int32' && integers === 'I64') return { dtype: 'I64', shape, data: int32ToInt64Bytes(array as Int32Array) };
  return { dtype: NAMES[dtype], shape, data: new Uint8Array(array.buffer, array.byteOffset, array.byteLength) };
}

function checkInt32(name: string, value: number | bigint, index: number): number {
  if (value < -(2 ** 31) || value > 2 ** 31 - 1) {
    throw new FormatError('ERR_SAFETENSORS_RANGE', `${name}: element ${index} is ${value}, beyond int32, the framework's integer type`, {
      tensor: name,
    });
  }
  return Number(value);
}

function checkBools(name: string, data: Uint8Array): void {
  const bad = data.findIndex((byte) => byte > 1);
  if (bad >= 0)
    throw new FormatError('ERR_SAFETENSORS_BOOL', `${name}: element ${bad} is the byte ${data[bad]}, and a bool is 0 or 1`, {
      tensor: name,
    });
}
