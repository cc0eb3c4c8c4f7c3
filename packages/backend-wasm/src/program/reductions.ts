/**
 * @file The kinds of reduction on four lanes: what an accumulator consists of, how it takes four values, how two of them merge, what it gives.
 *
 * float32 sums run in float32 over short blocks and are then added to float64 totals: closer to the exact sum than pairwise float32 summation, at the
 * speed of plain addition.
 */
import type { ComputeDType, ReduceKind } from '@tessera/core/backend';
import { f32x4, f64x2, type FunctionBuilder, i32x4, i64x2, v128 } from '../assembler/index.js';
import { demotePair, promoteHigh, type V, type VLocal } from '../math/library.js';
import type { Quad } from './storage.js';

/** The vectors of an accumulator: parts of four 32-bit lanes are one of them, parts of four 64-bit lanes are two. */
export type State = readonly VLocal[];

export interface Reduction {
  /** How wide the lanes of its parts are. */
  readonly parts: readonly (32 | 64)[];
  /** What each part starts as, in all lanes. */
  readonly start: readonly V[];
  /** What is taken in the place of values that are not there: it changes nothing. */
  readonly neutral: Quad | readonly V[];
  /** Takes four values; `index` is their place among those that are reduced, where {@link indexed}. */
  take(f: FunctionBuilder, state: State, value: Quad, index: VLocal | null): void;
  /** `into` becomes the accumulator of what both have taken. */
  merge(f: FunctionBuilder, into: State, other: State): void;
  /** Four results. */
  result(f: FunctionBuilder, state: State): Quad;
  /** Needs the values' places: argmax and argmin. */
  readonly indexed: boolean;
  /** Addition of values by themselves, before they are taken: a vector for each part. */
  readonly quick?: (a: V, b: V) => V;
}

/** The places in a state of a part's vectors. */
function spans(parts: Reduction['parts']): { at: number; count: number }[] {
  let at = 0;
  return parts.map((width) => {
    const count = width / 32;
    at += count;
    return { at: at - count, count };
  });
}

export const vectorsOf = ({ parts }: Reduction): number => parts.reduce<number>((n, width) => n + width / 32, 0);

/** Which part each vector of the state belongs to, for its start. */
export function startOf({ parts, start }: Reduction): V[] {
  return parts.flatMap((width, i) => (width === 32 ? [start[i]] : [start[i], start[i]]));
}

/** The state with its lanes moved by 1 or 2 places. */
export function rotated(f: FunctionBuilder, reduction: Reduction, state: State, by: 1 | 2): State {
  return spans(reduction.parts).flatMap(({ at, count }) => {
    const a = state[at];
    if (count === 1) return [f.local('v128', i32x4.shuffle(by === 2 ? [2, 3, 0, 1] : [1, 0, 3, 2], a, a))];
    const b = state[at + 1];
    return by === 2 ? [b, a] : [f.local('v128', i64x2.shuffle([1, 0], a, a)), f.local('v128', i64x2.shuffle([1, 0], b, b))];
  });
}

const keep = (f: FunctionBuilder, ...values: V[]): Quad => values.map((value) => f.local('v128', value));

/** State and values have the same form, and one operation does both. */
function simple(dtype: ComputeDType, start: V, op: (a: V, b: V) => V): Reduction {
  const take = (f: FunctionBuilder, state: State, value: Quad): void => state.forEach((s, i) => f.set(s, op(s, value[i])));
  const wide = dtype === 'float64';
  return {
    parts: [wide ? 64 : 32],
    start: [start],
    neutral: wide ? [start, start] : [start],
    take,
    merge: take,
    result: (_, state) => state,
    indexed: false,
  };
}

/** float32 values in two float64 vectors. */
function inFloat64(start: number, op: (a: V, b: V) => V, quick?: (a: V, b: V) => V): Reduction {
  return {
    parts: [64],
    start: [f64x2.const(start)],
    neutral: [f32x4.const(start)],
    take(f, [low, high], [value]) {
      f.set(low, op(low, f64x2.promoteLowF32x4(value)));
      f.set(high, op(high, promoteHigh(value)));
    },
    merge: (f, into, other) => into.forEach((s, i) => f.set(s, op(s, other[i]))),
    result: (f, [low, high]) => keep(f, demotePair(low, high)),
    indexed: false,
    quick,
  };
}

/** A float64 sum with what its additions lost: Knuth's two-sum. */
function twoSum(f: FunctionBuilder, sum: VLocal, lost: VLocal, value: V): void {
  const v = f.keep(value);
  const t = f.local('v128', f64x2.add(sum, v));
  const z = f.local('v128', f64x2.sub(t, sum));
  f.set(lost, f64x2.add(lost, f64x2.add(f64x2.sub(sum, f64x2.sub(t, z)), f64x2.sub(v, z))));
  f.set(sum, t);
}

const compensated: Reduction = {
  parts: [64, 64],
  start: [f64x2.const(0), f64x2.const(0)],
  neutral: [f64x2.const(0), f64x2.const(0)],
  take(f, [a, b, lostA, lostB], [low, high]) {
    twoSum(f, a, lostA, low);
    twoSum(f, b, lostB, high);
  },
  merge(f, [a, b, lostA, lostB], [c, d, lostC, lostD]) {
    twoSum(f, a, lostA, c);
    twoSum(f, b, lostB, d);
    f.set(lostA, f64x2.add(lostA, lostC));
    f.set(lostB, f64x2.add(lostB, lostD));
  },
  // Where infinities or NaN are in it, what was lost is NaN.
  result: (f, [a, b, lostA, lostB]) => {
    const with_ = (s: VLocal, lost: VLocal): V => v128.bitselect(f64x2.add(s, lost), s, f64x2.eq(f64x2.sub(s, s), 0));
    return keep(f, with_(a, lostA), with_(b, lostB));
  },
  indexed: false,
};

/** The largest (or least) float32 and whether a NaN was seen: the quick instructions lose NaN. */
function extremeF32(start: number, pick: (a: V, b: V) => V): Reduction {
  return {
    parts: [32, 32],
    start: [f32x4.const(start), i32x4.const(0)],
    neutral: [f32x4.const(start)],
    take(f, [best, nan], [value]) {
      f.set(best, pick(best, value));
      f.set(nan, v128.or(nan, f32x4.ne(value, value)));
    },
    merge(f, [best, nan], [other, otherNan]) {
      f.set(best, pick(best, other));
      f.set(nan, v128.or(nan, otherNan));
    },
    result: (f, [best, nan]) => keep(f, v128.or(best, nan)),
    indexed: false,
  };
}

type Compare = (a: V, b: V) => V;

/** The place of the first of the best values; NaN is better than all. `better` is a strict comparison, on each vector of values. */
function place(dtype: ComputeDType, start: V, better: Compare, equal: Compare, isNaN: ((a: V) => V) | null): Reduction {
  const wide = dtype === 'float64';
  const count = wide ? 2 : 1;
  const narrow = (masks: readonly VLocal[]): V => (wide ? i32x4.shuffle([0, 2, 4, 6], masks[0], masks[1]) : masks[0]);
  /** Per vector: does `value` beat `best`? */
  const beats = (f: FunctionBuilder, value: VLocal, best: VLocal): VLocal =>
    f.local('v128', isNaN === null ? better(value, best) : v128.or(better(value, best), v128.andnot(isNaN(value), isNaN(best))));
  const choose = (f: FunctionBuilder, state: State, value: readonly VLocal[], index: VLocal, wins: readonly VLocal[]): void => {
    f.set(state[count], v128.bitselect(index, state[count], narrow(wins)));
    for (let i = 0; i < count; i++) f.set(state[i], v128.bitselect(value[i], state[i], wins[i]));
  };
  return {
    parts: [wide ? 64 : 32, 32],
    start: [start, i32x4.const(0)],
    neutral: wide ? [start, start] : [start],
    take: (f, state, value, index) =>
      choose(
        f,
        state,
        value,
        index!,
        value.map((v, i) => beats(f, v, state[i])),
      ),
    merge(f, into, other) {
      const earlier = f.local('v128', i32x4.ltS(other[count], into[count]));
      const wins = Array.from({ length: count }, (_, i) => {
        const [a, b] = [into[i], other[i]];
        const tie = isNaN === null ? equal(a, b) : v128.or(equal(a, b), v128.and(isNaN(a), isNaN(b)));
        const before = wide ? i32x4.shuffle(i === 0 ? [0, 0, 1, 1] : [2, 2, 3, 3], earlier, earlier) : earlier;
        return f.local('v128', v128.or(beats(f, b, a), v128.and(tie, before)));
      });
      choose(f, into, other.slice(0, count), other[count], wins);
    },
    result: (_, state) => [state[count]],
    indexed: true,
  };
}

const isNaN32 = (a: V): V => f32x4.ne(a, a);
const isNaN64 = (a: V): V => f64x2.ne(a, a);
const LEAST = -2147483648;
const MOST = 2147483647;

/** bool values, which are masks, as 0 and 1. */
const ofBools = (reduction: Reduction): Reduction => ({
  ...reduction,
  take: (f, state, [mask], index) => reduction.take(f, state, [f.local('v128', i32x4.neg(mask))], index),
  neutral: [i32x4.neg(reduction.start[0])],
});

/** How `kind` reduces values of `dtype`, the program's output; null where it is not defined. */
export function reductionOf(kind: ReduceKind, dtype: ComputeDType): Reduction | null {
  switch (`${kind} ${dtype}` as const) {
    case 'sum float32':
      return inFloat64(0, f64x2.add, f32x4.add);
    case 'sum float64':
      return compensated;
    case 'sum int32':
      return simple('int32', i32x4.const(0), i32x4.add);
    case 'prod float32':
      return inFloat64(1, f64x2.mul);
    case 'prod float64':
      return simple('float64', f64x2.const(1), f64x2.mul);
    case 'prod int32':
      return simple('int32', i32x4.const(1), i32x4.mul);
    case 'max float32':
      return extremeF32(-Infinity, f32x4.pmax);
    case 'min float32':
      return extremeF32(Infinity, f32x4.pmin);
    case 'max float64':
      return simple('float64', f64x2.const(-Infinity), f64x2.max);
    case 'min float64':
      return simple('float64', f64x2.const(Infinity), f64x2.min);
    case 'max int32':
      return simple('int32', i32x4.const(LEAST), i32x4.maxS);
    case 'min int32':
      return simple('int32', i32x4.const(MOST), i32x4.minS);
    case 'max bool':
      return simple('bool', i32x4.const(0), v128.or);
    case 'min bool':
      return simple('bool', i32x4.const(-1), v128.and);
    case 'argmax float32':
      return place('float32', f32x4.const(-Infinity), f32x4.gt, f32x4.eq, isNaN32);
    case 'argmin float32':
      return place('float32', f32x4.const(Infinity), f32x4.lt, f32x4.eq, isNaN32);
    case 'argmax float64':
      return place('float64', f64x2.const(-Infinity), f64x2.gt, f64x2.eq, isNaN64);
    case 'argmin float64':
      return place('float64', f64x2.const(Infinity), f64x2.lt, f64x2.eq, isNaN64);
    case 'argmax int32':
      return place('int32', i32x4.const(LEAST), i32x4.gtS, i32x4.eq, null);
    case 'argmin int32':
      return place('int32', i32x4.const(MOST), i32x4.ltS, i32x4.eq, null);
    case 'argmax bool':
      return ofBools(place('int32', i32x4.const(-1), i32x4.gtS, i32x4.eq, null));
    case 'argmin bool':
      return ofBools(place('int32', i32x4.const(2), i32x4.ltS, i32x4.eq, null));
    default:
      return null;
  }
}
