/** @file How layers take their options. */
import { checkOptions, type DeviceLike, type DType, type OptionNames, refuseMore, kindOf, ValueError } from '@tessera/core';

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

/** A number of features or channels, of callers without a compiler. @throws ValueError `ERR_LAYER_OPTION` */
export function requireCount(owner: string, name: string, value: unknown): void {
  if (!Number.isInteger(value) || (value as number) < 0)
    throw new ValueError('ERR_LAYER_OPTION', `${owner}: ${name} must be a whole number, not ${kindOf(value)}`);
}

/** A size for all dims, or one for each of `rank` dims (0: of any number of them). @throws ValueError `ERR_LAYER_OPTION` */
export function requireSize(owner: string, name: string, value: unknown, rank = 0): void {
  const list = typeof value === 'number' ? [value] : value;
  const fits = Array.isArray(list) && list.every(Number.isInteger) && (rank === 0 || list.length === 1 || list.length === rank);
  if (!fits)
    throw new ValueError(
      'ERR_LAYER_OPTION',
      `${owner}: ${name} must be a whole number or an array of ${rank === 0 ? 'them' : rank}, not ${kindOf(value)}`,
    );
}

/**
 * The options of a layer whose first one people write as a plain value: `new Dropout(0.5)` for `new Dropout({ p: 0.5 })`.
 * `more` are options that follow the plain value.
 *
 * @param owner The layer, for messages.
 * @throws ValueError `ERR_OPTION` for a name that is none of `names`, or for what is neither a value nor options.
 */
export function withFirst<O extends object>(owner: string, names: OptionNames<O>, first: unknown, name: keyof O & string, more?: O): O {
  if (typeof first === 'string' || typeof first === 'function') refuseMore(owner, first);
  if (typeof first === 'object' && first !== null && !Array.isArray(first)) {
    if (more !== undefined) refuseMore(owner, more);
    return checkOptions(owner, first as O, names);
  }
  checkOptions(owner, more, names);
  return { ...(more as O), ...(first === undefined ? {} : { [name]: first }) };
}
