/** @file The value types of WebAssembly, and their codes. */

/** What a local, a parameter or a result can be. */
export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';
/** What an expression gives: a value, or nothing (a store, a call without result). */
export type ResultType = ValueType | 'void';

export const TYPE_CODE: { readonly [T in ResultType]: number } = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b, void: 0x40 };

export const TYPE_NAME: ReadonlyMap<number, ResultType> = new Map(
  Object.entries(TYPE_CODE).map(([name, code]) => [code, name as ResultType]),
);
