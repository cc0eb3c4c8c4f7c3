/** @file How layers take their options. */
import type { DeviceLike, DType } from '@tessera/core';

/** Where and as what a layer's parameters are made. */
export interface FactoryOptions {
  readonly device?: DeviceLike;
  readonly dtype?: DType;
}

/** These two out of a layer's options, for the functions that make tensors. */
export const factory = ({ device, dtype }: FactoryOptions): FactoryOptions => ({
  ...(device === undefined ? {} : { device }),
  ...(dtype === undefined ? {} : { dtype }),
});

/**
 * The options of a layer whose first one people write as a plain value: `new Dropout(0.5)` for `new Dropout({ p: 0.5 })`.
 * `more` are options that follow the plain value.
 */
export function withFirst<O extends object>(first: unknown, name: keyof O & string, more?: O): O {
  if (typeof first === 'object' && first !== null && !Array.isArray(first)) return first as O;
  return { ...(more as O), ...(first === undefined ? {} : { [name]: first }) };
}
