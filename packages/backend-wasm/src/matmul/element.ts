/** @file The element types of matrix kernels: how to load, multiply, add and store them, in vectors and one by one. */
import type { FunctionCode, Value } from '../code/function-code.js';

export interface Element {
  readonly dtype: 'float32' | 'float64' | 'int32';
  /** Of one element, in bytes. */
  readonly size: number;
  /** Elements in a vector. */
  readonly lanes: number;
  /** The type of one element on the stack. */
  readonly scalar: 'f32' | 'f64' | 'i32';
  readonly vector: 'f32x4' | 'f64x2' | 'i32x4';
  readonly splat: 'v128.load32_splat' | 'v128.load64_splat';
  readonly madd: string | null;
}

export const FLOAT32: Element = {
  dtype: 'float32',
  size: 4,
  lanes: 4,
  scalar: 'f32',
  vector: 'f32x4',
  splat: 'v128.load32_splat',
  madd: 'f32x4.relaxed_madd',
};
export const FLOAT64: Element = {
  dtype: 'float64',
  size: 8,
  lanes: 2,
  scalar: 'f64',
  vector: 'f64x2',
  splat: 'v128.load64_splat',
  madd: 'f64x2.relaxed_madd',
};
export const INT32: Element = {
  dtype: 'int32',
  size: 4,
  lanes: 4,
  scalar: 'i32',
  vector: 'i32x4',
  splat: 'v128.load32_splat',
  madd: null,
};

/** a · b + c in vectors; fused where `fma`, which rounds once. */
export function multiplyAdd(f: FunctionCode, e: Element, fma: boolean, a: Value, b: Value, c: Value): Value {
  if (fma && e.madd !== null) return f.op(e.madd, a, b, c);
  // The product first, as the engine then keeps the sum's register.
  return f.op(`${e.vector}.add`, f.op(`${e.vector}.mul`, a, b), c);
}

/** The sum of a vector's lanes, pairwise. */
export function sumOfLanes(f: FunctionCode, e: Element, v: Value): Value {
  const lane = (i: number): Value => f.lane(e.vector, v, i);
  const add = (a: Value, b: Value): Value => f.op(`${e.scalar}.add`, a, b);
  return e.lanes === 2 ? add(lane(0), lane(1)) : add(add(lane(0), lane(1)), add(lane(2), lane(3)));
}
