/** @file What numbers a dtype holds. */
import { DTypeError } from '../errors.js';
import { DTYPE_INFO, type DType, isFloat, requireDType } from './dtype.js';

/** The numbers of a floating dtype. PyTorch: torch.finfo. */
export interface FloatLimits {
  readonly dtype: DType;
  readonly bits: number;
  /** The spacing of the numbers at 1. */
  readonly eps: number;
  readonly max: number;
  readonly min: number;
  /** The least number above 0 with all its digits. */
  readonly smallestNormal: number;
  /** The same, as PyTorch and NumPy also call it. */
  readonly tiny: number;
  /** 10 to the power −(decimal digits). */
  readonly resolution: number;
}

/** Digits after the first of a binary number, the largest exponent, and decimal digits that always survive. */
const FLOATS: { readonly [D in DType]?: readonly [mantissa: number, exponent: number, decimals: number] } = {
  float16: [10, 15, 3],
  bfloat16: [7, 127, 2],
  float32: [23, 127, 6],
  float64: [52, 1023, 15],
};

/**
 * The limits of a floating dtype. PyTorch: torch.finfo.
 * @throws DTypeError `ERR_DTYPE`
 * @example finfo('float32').eps // 1.1920928955078125e-7
 */
export function finfo(dtype: DType): FloatLimits {
  const format = FLOATS[requireDType(dtype, 'finfo')];
  if (format === undefined)
    throw new DTypeError('ERR_DTYPE', `finfo: ${dtype} is no floating dtype; see iinfo`, { op: 'finfo', dtypes: [dtype] });
  const [mantissa, exponent, decimals] = format;
  const max = (2 - 2 ** -mantissa) * 2 ** exponent;
  const smallestNormal = 2 ** (1 - exponent);
  return {
    dtype,
    bits: DTYPE_INFO[dtype].size * 8,
    eps: 2 ** -mantissa,
    max,
    min: -max,
    smallestNormal,
    tiny: smallestNormal,
    resolution: Number(`1e-${decimals}`),
  };
}

/** The numbers of an integer dtype. PyTorch: torch.iinfo. */
export interface IntegerLimits {
  readonly dtype: DType;
  readonly bits: number;
  readonly max: number;
  readonly min: number;
}

/**
 * The limits of an integer dtype. PyTorch: torch.iinfo.
 * @throws DTypeError `ERR_DTYPE`
 * @example iinfo('int32').max // 2147483647
 */
export function iinfo(dtype: DType): IntegerLimits {
  if (requireDType(dtype, 'iinfo') === 'uint8') return { dtype, bits: 8, max: 255, min: 0 };
  if (dtype === 'int32') return { dtype, bits: 32, max: 2 ** 31 - 1, min: -(2 ** 31) };
  const other = isFloat(dtype) ? '; see finfo' : '';
  throw new DTypeError('ERR_DTYPE', `iinfo: ${dtype} is no integer dtype${other}`, { op: 'iinfo', dtypes: [dtype] });
}
