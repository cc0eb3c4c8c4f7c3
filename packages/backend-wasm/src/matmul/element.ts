/** @file The element types of matrix kernels: how to load, multiply, add and store them, in vectors and one by one. */
import { type Expr, f32, f32x4, f64, f64x2, i32, i32x4, type Local, v128, type ValueType } from '../assembler/index.js';
import type { V128, Value } from '../code/emit.js';

type Vector = Expr<'v128'>;
type Binary<T extends ValueType> = (a: Expr<T>, b: Expr<T>) => Expr<T>;

/** The instructions of one element on the stack, whatever its type. */
interface ScalarFamily {
  readonly load: (address: Value, offset?: number) => Expr<ValueType>;
  readonly store: (address: Value, value: Expr<ValueType>, offset?: number) => Expr<'void'>;
  readonly add: Binary<ValueType>;
  readonly mul: Binary<ValueType>;
}
interface VectorFamily {
  readonly add: Binary<'v128'>;
  readonly mul: Binary<'v128'>;
  readonly extractLane: (lane: number, v: Vector) => Expr<ValueType>;
}

export interface Element {
  readonly dtype: 'float32' | 'float64' | 'int32';
  /** Of one element, in bytes. */
  readonly size: number;
  /** Elements in a vector. */
  readonly lanes: number;
  readonly type: 'f32' | 'f64' | 'i32';
  readonly scalar: ScalarFamily;
  readonly vector: VectorFamily;
  /** Loads one element into all lanes. */
  readonly splat: (address: Value, offset?: number) => Vector;
  /** a · b + c with one rounding. */
  readonly madd: ((a: Vector, b: Vector, c: Vector) => Vector) | null;
}

export const FLOAT32: Element = {
  dtype: 'float32',
  size: 4,
  lanes: 4,
  type: 'f32',
  scalar: f32 as unknown as ScalarFamily,
  vector: f32x4,
  splat: v128.load32Splat,
  madd: f32x4.relaxedMadd,
};
export const FLOAT64: Element = {
  dtype: 'float64',
  size: 8,
  lanes: 2,
  type: 'f64',
  scalar: f64 as unknown as ScalarFamily,
  vector: f64x2,
  splat: v128.load64Splat,
  madd: f64x2.relaxedMadd,
};
export const INT32: Element = {
  dtype: 'int32',
  size: 4,
  lanes: 4,
  type: 'i32',
  scalar: i32 as unknown as ScalarFamily,
  vector: i32x4,
  splat: v128.load32Splat,
  madd: null,
};

/** a · b + c in vectors; with one rounding where `fma`. */
export function multiplyAdd(e: Element, fma: boolean, a: Vector, b: Vector, c: V128): Vector {
  return fma && e.madd !== null ? e.madd(a, b, c) : e.vector.add(e.vector.mul(a, b), c);
}

/** The sum of a vector's lanes, pairwise. */
export function sumOfLanes(e: Element, v: V128): Expr<ValueType> {
  const lane = (i: number): Expr<ValueType> => e.vector.extractLane(i, v);
  const { add } = e.scalar;
  return e.lanes === 2 ? add(lane(0), lane(1)) : add(add(lane(0), lane(1)), add(lane(2), lane(3)));
}

/** A local of an element's type. */
export type Scalar = Local<'f32' | 'f64' | 'i32'>;
