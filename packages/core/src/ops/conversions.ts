/** @file Conversions by their names: methods only, since the names are those of dtypes too. */
import type { Tensor } from '../tensor/tensor.js';
import { cast } from './cast.js';

/** PyTorch: Tensor.float(). */
export const float = (x: Tensor): Tensor => cast(x, 'float32');
/** PyTorch: Tensor.double(). */
export const double = (x: Tensor): Tensor => cast(x, 'float64');
/** PyTorch: Tensor.half(). */
export const half = (x: Tensor): Tensor => cast(x, 'float16');
/** PyTorch: Tensor.bfloat16(). */
export const bfloat16 = (x: Tensor): Tensor => cast(x, 'bfloat16');
/** PyTorch: Tensor.int(). */
export const int = (x: Tensor): Tensor => cast(x, 'int32');
/** int32, in which 64-bit integers are kept here. PyTorch: Tensor.long(). */
export const long = (x: Tensor): Tensor => cast(x, 'int32');
/** PyTorch: Tensor.byte(). */
export const byte = (x: Tensor): Tensor => cast(x, 'uint8');
/** PyTorch: Tensor.bool(). */
export const bool = (x: Tensor): Tensor => cast(x, 'bool');
/** PyTorch: Tensor.type_as(). */
export const typeAs = (x: Tensor, other: Tensor): Tensor => cast(x, other.dtype);
