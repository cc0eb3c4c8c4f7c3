/** @file The kinds of reduction: where an accumulator starts, how it takes a value, what it gives. */
import type { ComputeDType, ReduceKind } from '@tessera/core/backend';

/**
 * How values are combined, as text over `acc` and `v` (and `comp`, the part that was lost in rounding, `at`, the place of the best, and `r`,
 * the running row-major index over the reduced dims). Values are taken in row-major order of the reduced dims, whatever the layout, so
 * that results do not depend on it. float32 sums and products are made in float64.
 */
export interface Reduction {
  readonly start: number;
  /** Accumulates integers. */
  readonly integer: boolean;
  readonly take: string;
  /** Takes a value in the interpreter: the accumulator (and the compensation, or the place) are at `k`. */
  readonly run: (acc: Float64Array, extra: Float64Array, k: number, v: number, r: number) => void;
  /** A second accumulator: the compensation of a float64 sum, or the place of the best. */
  readonly extra: 'comp' | 'at' | null;
  /** The result, as text. */
  readonly result: string;
  readonly finish: (acc: number, extra: number) => number;
}

const simple = (start: number, take: string, combine: (acc: number, v: number) => number, integer = false): Reduction => ({
  start,
  integer,
  take: `acc=${take};`,
  run: (acc, _, k, v) => {
    acc[k] = combine(acc[k], v);
  },
  extra: null,
  result: 'acc',
  finish: (acc) => acc,
});

/** Knuth's two-sum carries what each addition loses. (acc − acc is not 0 when infinities or NaN are in it.) */
const compensatedSum: Reduction = {
  start: 0,
  integer: false,
  take: 'const t=acc+v,z=t-acc;comp+=(acc-(t-z))+(v-z);acc=t;',
  run: (acc, comp, k, v) => {
    const t = acc[k] + v;
    const z = t - acc[k];
    comp[k] += acc[k] - (t - z) + (v - z);
    acc[k] = t;
  },
  extra: 'comp',
  result: '(acc-acc===0?acc+comp:acc)',
  finish: (acc, comp) => (acc - acc === 0 ? acc + comp : acc),
};

const best = (start: number, sign: '<' | '>'): Reduction => ({
  start,
  integer: false,
  take: `if(v${sign}acc||(v!==v&&acc===acc)){acc=v;at=r;}`,
  run: (acc, at, k, v, r) => {
    if ((sign === '<' ? v < acc[k] : v > acc[k]) || (v !== v && acc[k] === acc[k])) {
      acc[k] = v;
      at[k] = r;
    }
  },
  extra: 'at',
  result: 'at',
  finish: (_, at) => at,
});

const SUM = simple(0, 'acc+v', (acc, v) => acc + v);
const PROD = simple(1, 'acc*v', (acc, v) => acc * v);
const MAX = simple(-Infinity, 'Math.max(acc,v)', Math.max);
const MIN = simple(Infinity, 'Math.min(acc,v)', Math.min);
const INT_SUM = simple(0, 'acc+v|0', (acc, v) => (acc + v) | 0, true);
const INT_PROD = simple(1, 'Math.imul(acc,v)', Math.imul, true);
const INT_MAX = simple(-2147483648, 'v>acc?v:acc', (acc, v) => (v > acc ? v : acc), true);
const INT_MIN = simple(2147483647, 'v<acc?v:acc', (acc, v) => (v < acc ? v : acc), true);
const ANY = simple(0, 'acc|v', (acc, v) => acc | v, true);
const ALL = simple(1, 'acc&v', (acc, v) => acc & v, true);
const ARGMAX = best(-Infinity, '>');
const ARGMIN = best(Infinity, '<');

/** How `kind` reduces values of `dtype`, the program's output. */
export function reductionOf(kind: ReduceKind, dtype: ComputeDType): Reduction | undefined {
  if (kind === 'argmax') return ARGMAX;
  if (kind === 'argmin') return ARGMIN;
  if (dtype === 'bool') return kind === 'max' ? ANY : kind === 'min' ? ALL : undefined;
  if (dtype === 'int32') return { sum: INT_SUM, prod: INT_PROD, max: INT_MAX, min: INT_MIN }[kind];
  return { sum: dtype === 'float64' ? compensatedSum : SUM, prod: PROD, max: MAX, min: MIN }[kind];
}
