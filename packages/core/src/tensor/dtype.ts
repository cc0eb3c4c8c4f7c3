/** @file The element types: names, sizes, host arrays, and PyTorch's promotion between them. */
import { DTypeError } from '../errors.js';
import { didYouMean } from '../suggest.js';

/** The element type of a tensor. `bool` is a byte that holds 0 or 1. PyTorch: torch.dtype. */
export type DType = 'float32' | 'float64' | 'float16' | 'bfloat16' | 'int32' | 'uint8' | 'bool';

/** The types that a pointwise program computes in; the others exist in memory only and widen when they are loaded. */
export type ComputeDType = 'float32' | 'float64' | 'int32' | 'bool';

/** A host array that can hold elements of some dtype. `float16` and `bfloat16` travel as their 16 bits. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array | Uint16Array;

export const float32 = 'float32';
export const float64 = 'float64';
export const float16 = 'float16';
export const bfloat16 = 'bfloat16';
export const int32 = 'int32';
export const uint8 = 'uint8';
export const bool = 'bool';

/** All dtypes, in order of promotion within their category. A dtype's place in this list is its number in program keys. */
export const DTYPES: readonly DType[] = ['bool', 'uint8', 'int32', 'float16', 'bfloat16', 'float32', 'float64'];

/** What is known of one dtype. */
export interface DTypeInfo {
  /** Bytes an element. */
  readonly size: number;
  readonly category: 'bool' | 'integer' | 'float';
  /** The type its elements have inside a pointwise program. */
  readonly compute: ComputeDType;
  /** The host array with the same bytes. */
  readonly array: new (lengthOrBuffer: number | ArrayBufferLike, offset?: number, length?: number) => TypedArray;
  /** Its place in {@link DTYPES}. */
  readonly index: number;
}

/** PyTorch's names for the same, and sizes. */
export const DTYPE_INFO: { readonly [D in DType]: DTypeInfo } = {
  bool: { size: 1, category: 'bool', compute: 'bool', array: Uint8Array as DTypeInfo['array'], index: 0 },
  uint8: { size: 1, category: 'integer', compute: 'int32', array: Uint8Array as DTypeInfo['array'], index: 1 },
  int32: { size: 4, category: 'integer', compute: 'int32', array: Int32Array as DTypeInfo['array'], index: 2 },
  float16: { size: 2, category: 'float', compute: 'float32', array: Uint16Array as DTypeInfo['array'], index: 3 },
  bfloat16: { size: 2, category: 'float', compute: 'float32', array: Uint16Array as DTypeInfo['array'], index: 4 },
  float32: { size: 4, category: 'float', compute: 'float32', array: Float32Array as DTypeInfo['array'], index: 5 },
  float64: { size: 8, category: 'float', compute: 'float64', array: Float64Array as DTypeInfo['array'], index: 6 },
};

export const isFloat = (dtype: DType): boolean => DTYPE_INFO[dtype].category === 'float';
export const isDType = (value: unknown): value is DType => typeof value === 'string' && Object.hasOwn(DTYPE_INFO, value);

/** For callers without a compiler. @throws DTypeError `ERR_DTYPE_UNKNOWN` */
export function requireDType(dtype: DType, op: string): DType {
  if (!isDType(dtype))
    throw new DTypeError(
      'ERR_DTYPE_UNKNOWN',
      `${op}: there is no dtype '${String(dtype)}'; there are ${DTYPES.join(', ')}${didYouMean(dtype, DTYPES)}`,
      {
        op,
      },
    );
  return dtype;
}

/** The dtype of a host array. `Uint16Array` has none: its 16 bits could be either half type. */
export function dtypeOfArray(array: ArrayBufferView): DType {
  if (array instanceof Float32Array) return 'float32';
  if (array instanceof Float64Array) return 'float64';
  if (array instanceof Int32Array || array instanceof Int16Array || array instanceof Int8Array || array instanceof BigInt64Array)
    return 'int32';
  if (array instanceof Uint8Array || array instanceof Uint8ClampedArray) return 'uint8';
  throw new DTypeError('ERR_DTYPE_ARRAY', `no dtype has the elements of a ${array.constructor.name}; convert it, or name the dtype`);
}

/**
 * The dtype in which two tensors of one rank class meet. PyTorch: torch.promote_types.
 *
 * @example promoteTypes('uint8', 'int32') // 'int32'
 * @example promoteTypes('float16', 'bfloat16') // 'float32'
 */
export function promoteTypes(a: DType, b: DType): DType {
  if (a === b) return a;
  const x = DTYPE_INFO[a];
  const y = DTYPE_INFO[b];
  if ((a === 'float16' && b === 'bfloat16') || (a === 'bfloat16' && b === 'float16')) return 'float32';
  return x.index > y.index ? a : b;
}

const CATEGORY_RANK = { bool: 0, integer: 1, float: 2 } as const;

/** Is `a`'s category (bool, integer, float) above `b`'s? */
export function categoryAbove(a: DType, b: DType): boolean {
  return CATEGORY_RANK[DTYPE_INFO[a].category] > CATEGORY_RANK[DTYPE_INFO[b].category];
}

/** May a result of dtype `from` be written into a tensor of dtype `to`? PyTorch: torch.can_cast. @example canCast('float32', 'int32') // false */
export const canCast = (from: DType, to: DType): boolean => !categoryAbove(from, to);

/** What a floating op computes integers and bools in. PyTorch: torch.get_default_dtype(). */
export function floatDType(dtype: DType): DType {
  return isFloat(dtype) ? dtype : 'float32';
}
