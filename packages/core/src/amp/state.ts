/** @file Whether mixed precision is on. Ops with a policy ask one question; see `policy.ts` for what they do then. */
import type { DType } from '../tensor/dtype.js';

/** The dtypes that autocast may lower to. */
export type HalfDType = 'float16' | 'bfloat16';

/** The state of autocast in this copy of core, as that of the tape is kept: JavaScript runs one synchronous piece of code at a time. */
export const autocasting: { on: boolean; dtype: HalfDType; cache: boolean } = { on: false, dtype: 'float16', cache: true };

/** What was in effect, to be given back. */
export interface AutocastState {
  readonly on: boolean;
  readonly dtype: HalfDType;
  readonly cache: boolean;
}

/** Runs `fn` with autocast as `state` says. Nothing of the weights' cache is dropped. */
export function withAutocastState<T>(state: AutocastState, fn: () => T): T {
  const was = { ...autocasting };
  Object.assign(autocasting, state);
  try {
    return fn();
  } finally {
    Object.assign(autocasting, was);
  }
}

/** Is it one of the dtypes that autocast changes? float64 is left alone, as in PyTorch. */
export const isCastable = (dtype: DType): boolean => dtype === 'float32' || dtype === 'float16' || dtype === 'bfloat16';
