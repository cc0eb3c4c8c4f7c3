/** @file What `reduce` and `scan` fold with: each takes some values of a run into a state, and may say what the state is after each. */
import type { DType, ReduceKind, ScanKind } from '@tessera/core/backend';

/** `value` is the result so far; `extra` belongs to the fold; `count` is how many values it has seen, `place` the one that won. */
export interface State {
  value: number;
  extra: number;
  count: number;
  place: number;
}

/** Takes `values[from…to]` in. Into `running`, if given, goes the result after each, at the same places. */
export type Fold = (state: State, values: Float64Array, from: number, to: number, running?: Float64Array) => void;

const START: Record<ReduceKind | ScanKind, number> = {
  sum: 0,
  prod: 1,
  max: -Infinity,
  min: Infinity,
  argmax: -Infinity,
  argmin: Infinity,
  logsumexp: -Infinity,
};

export const begin = (kind: ReduceKind | ScanKind): State => ({ value: START[kind], extra: 0, count: 0, place: 0 });

/** Neumaier's sum: as accurate as twice the digits would be. */
const sum: Fold = (state, values, from, to, running) => {
  let { value, extra } = state;
  for (let i = from; i < to; i++) {
    const x = values[i]!;
    const next = value + x;
    if (Number.isFinite(next)) extra += Math.abs(value) >= Math.abs(x) ? value - next + x : x - next + value;
    else extra = 0; // infinity or NaN came: there is nothing to correct
    value = next;
    if (running !== undefined) running[i] = value + extra;
  }
  state.value = value;
  state.extra = extra;
};

/** A fold of two numbers. */
const fold =
  (combine: (a: number, b: number) => number): Fold =>
  (state, values, from, to, running) => {
    let { value } = state;
    for (let i = from; i < to; i++) {
      value = combine(value, values[i]!);
      if (running !== undefined) running[i] = value;
    }
    state.value = value;
  };

/** The place of the first value that beats all others, where NaN beats numbers. */
const place =
  (beats: (a: number, b: number) => boolean): Fold =>
  (state, values, from, to) => {
    for (let i = from; i < to; i++, state.count++) {
      const x = values[i]!;
      if (!(beats(x, state.value) || (Number.isNaN(x) && !Number.isNaN(state.value)))) continue;
      state.value = x;
      state.place = state.count;
    }
  };

/** log Σ exp: `value` is the largest so far, `extra` the sum of exp(x − value). */
const logsumexp: Fold = (state, values, from, to, running) => {
  for (let i = from; i < to; i++) {
    const x = values[i]!;
    if (x > state.value || Number.isNaN(x)) {
      state.extra = x === Infinity ? 1 : state.extra * Math.exp(state.value - x) + 1;
      state.value = x;
    } else if (Math.abs(state.value) !== Infinity) state.extra += Math.exp(x - state.value);
    running![i] = Math.abs(state.value) === Infinity ? state.value : state.value + Math.log(state.extra);
  }
};

const FLOAT: Record<ReduceKind | ScanKind, Fold> = {
  sum,
  prod: fold((a, b) => a * b),
  max: fold(Math.max), // both give NaN where there is one
  min: fold(Math.min),
  argmax: place((a, b) => a > b),
  argmin: place((a, b) => a < b),
  logsumexp,
};
const INT: Record<ReduceKind | ScanKind, Fold> = { ...FLOAT, sum: fold((a, b) => (a + b) | 0), prod: fold(Math.imul) };

export const foldOf = (kind: ReduceKind | ScanKind, dtype: DType): Fold => (dtype === 'int32' ? INT : FLOAT)[kind];
