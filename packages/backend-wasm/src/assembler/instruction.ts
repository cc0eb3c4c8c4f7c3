/** @file What an instruction is: its code, what it takes and gives, and which immediates follow its code. */
import type { ResultType, ValueType } from './value-types.js';

/**
 * The immediates of an instruction:
 * - plain: none
 * - memory: alignment and offset; memoryLane: and a lane
 * - lane: a lane; shuffle: sixteen of them
 * - const: a value of the result's type
 */
export type Form = 'plain' | 'memory' | 'memoryLane' | 'lane' | 'shuffle' | 'const';

export interface Instruction<
  P extends readonly ValueType[] = readonly ValueType[],
  R extends ResultType = ResultType,
  F extends Form = Form,
> {
  /** A code of one byte, or a prefix times 4096 plus the number after it. */
  readonly code: number;
  readonly params: P;
  readonly result: R;
  readonly form: F;
  /** Of `memory` and `memoryLane`: how many bytes it touches. */
  readonly width: number;
  /** The alignment must be exact (atomics). */
  readonly aligned: boolean;
}

/** Codes behind a prefix byte. */
export const MISC = 0xfc000;
export const SIMD = 0xfd000;
export const ATOMIC = 0xfe000;

function make<const P extends readonly ValueType[], R extends ResultType, F extends Form>(
  code: number,
  params: P,
  result: R,
  form: F,
  width = 0,
  aligned = false,
): Instruction<P, R, F> {
  return { code, params, result, form, width, aligned };
}

export const plain = <const P extends readonly ValueType[], R extends ResultType>(code: number, params: P, result: R) =>
  make(code, params, result, 'plain');
export const unary = <T extends ValueType>(code: number, type: T) => make(code, [type], type, 'plain');
export const binary = <T extends ValueType>(code: number, type: T) => make(code, [type, type], type, 'plain');
/** Of scalars: gives an i32. (Those of vectors are {@link binary}: they give masks.) */
export const comparison = <T extends ValueType>(code: number, type: T) => make(code, [type, type], 'i32', 'plain');
export const load = <R extends ValueType>(code: number, result: R, width: number) => make(code, ['i32'], result, 'memory', width);
export const store = <T extends ValueType>(code: number, type: T, width: number) => make(code, ['i32', type], 'void', 'memory', width);
export const constant = <R extends ValueType>(code: number, result: R) => make(code, [], result, 'const');

const v = 'v128';
export const simdUnary = (n: number) => unary(SIMD + n, v);
export const simdBinary = (n: number) => binary(SIMD + n, v);
export const simdTernary = (n: number) => make(SIMD + n, [v, v, v], v, 'plain');
export const simdShift = (n: number) => make(SIMD + n, [v, 'i32'], v, 'plain');
export const simdTest = (n: number) => make(SIMD + n, [v], 'i32', 'plain');
export const splat = <T extends ValueType>(n: number, type: T) => make(SIMD + n, [type], v, 'plain');
export const extractLane = <R extends ValueType>(n: number, result: R) => make(SIMD + n, [v], result, 'lane');
export const replaceLane = <T extends ValueType>(n: number, type: T) => make(SIMD + n, [v, type], v, 'lane');
export const simdLoad = (n: number, width: number) => make(SIMD + n, ['i32'], v, 'memory', width);
export const simdLoadLane = (n: number, width: number) => make(SIMD + n, ['i32', v], v, 'memoryLane', width);
export const simdStoreLane = (n: number, width: number) => make(SIMD + n, ['i32', v], 'void', 'memoryLane', width);
export const shuffle = (n: number) => make(SIMD + n, [v, v], v, 'shuffle');

export const atomic = <const P extends readonly ValueType[], R extends ResultType>(n: number, params: P, result: R, width: number) =>
  make(ATOMIC + n, params, result, 'memory', width, true);
