/** @file Between bytes of a device and host arrays. */
import { DTYPE_INFO, type DType, type TypedArray } from './dtype.js';
import { bf16BitsToF32, f16BitsToF32, f32ToBf16Bits, f32ToF16Bits } from './half.js';
import type { Shape } from './shape.js';

/** Elements as numbers. */
export type HostArray = Float32Array | Float64Array | Int32Array | Uint8Array;
/** Numbers (or booleans), or arrays of them, to any depth. */
export type NestedArray = number | boolean | NestedArray[];

/** Device bytes as numbers; the halves widen to float32. */
export function decode(bytes: Uint8Array, dtype: DType): HostArray {
  const { size, array } = DTYPE_INFO[dtype];
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  const raw = new array(aligned.buffer, aligned.byteOffset, aligned.byteLength / size);
  if (dtype === 'float16') return Float32Array.from(raw, f16BitsToF32);
  if (dtype === 'bfloat16') return Float32Array.from(raw, bf16BitsToF32);
  return raw as HostArray;
}

const saturate = (x: number): number => (x !== x ? 0 : x >= 2147483647 ? 2147483647 : x <= -2147483648 ? -2147483648 : Math.trunc(x));

/** Numbers as the bytes of `dtype`, converted as the opcode `cast` converts. */
export function encode(values: ArrayLike<number>, dtype: DType): Uint8Array {
  const n = values.length;
  let out: TypedArray;
  switch (dtype) {
    case 'float32':
      out = values instanceof Float32Array ? values : Float32Array.from(values);
      break;
    case 'float64':
      out = values instanceof Float64Array ? values : Float64Array.from(values);
      break;
    case 'int32':
      out = values instanceof Int32Array ? values : Int32Array.from(values, saturate);
      break;
    case 'uint8':
      out = values instanceof Uint8Array ? values : Uint8Array.from(values, saturate);
      break;
    case 'bool':
      out = Uint8Array.from(values, (x) => (x !== 0 ? 1 : 0));
      break;
    default: {
      out = new Uint16Array(n);
      const convert = dtype === 'float16' ? f32ToF16Bits : f32ToBf16Bits;
      for (let i = 0; i < n; i++) out[i] = convert(values[i]!);
    }
  }
  return new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
}

export function nest(data: HostArray, shape: Shape, dtype: DType): NestedArray {
  let at = 0;
  const level = (d: number): NestedArray => {
    if (d === shape.length) return dtype === 'bool' ? data[at++] !== 0 : data[at++]!;
    const out: NestedArray[] = [];
    for (let i = 0; i < shape[d]!; i++) out.push(level(d + 1));
    return out;
  };
  return level(0);
}
