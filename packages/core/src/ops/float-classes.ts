/** @file What kind of number an element is, and what takes the place of those that are none. */
import { checkOptions, type OptionNames } from '../options.js';
import { DTYPE_INFO } from '../tensor/dtype.js';
import type { Value } from '../tensor/value.js';
import { inPlace, unary, type UnaryOp } from './define.js';
import type { Expression } from './expression.js';

/** On integers and bools the answer is known. */
const ofFloats =
  (known: boolean, op: (e: Expression, x: Value) => Value): ((e: Expression, x: Value) => Value) =>
  (e, x) =>
    DTYPE_INFO[x.dtype].category === 'float' ? op(e, x) : known ? e.eq(x, x) : e.ne(x, x);

/** Is it NaN? PyTorch: torch.isnan. */
export const isnan: UnaryOp = /* @__PURE__ */ unary('isnan', { result: 'bool', forward: ofFloats(false, (e, x) => e.isnan(x)) });
/** Is it ∞ or −∞? PyTorch: torch.isinf. */
export const isinf: UnaryOp = /* @__PURE__ */ unary('isinf', {
  result: 'bool',
  forward: ofFloats(false, (e, x) => e.eq(e.abs(x), Infinity)),
});
/** Is it neither NaN nor infinite? PyTorch: torch.isfinite. */
export const isfinite: UnaryOp = /* @__PURE__ */ unary('isfinite', {
  result: 'bool',
  forward: ofFloats(true, (e, x) => e.lt(e.abs(x), Infinity)),
});
/** Is it ∞? PyTorch: torch.isposinf. */
export const isposinf: UnaryOp = /* @__PURE__ */ unary('isposinf', {
  result: 'bool',
  forward: ofFloats(false, (e, x) => e.eq(x, Infinity)),
});
/** Is it −∞? PyTorch: torch.isneginf. */
export const isneginf: UnaryOp = /* @__PURE__ */ unary('isneginf', {
  result: 'bool',
  forward: ofFloats(false, (e, x) => e.eq(x, -Infinity)),
});
/** All numbers here are real. PyTorch: torch.isreal. */
export const isreal: UnaryOp = /* @__PURE__ */ unary('isreal', { result: 'bool', forward: (e, x) => e.or(e.eq(x, x), e.ne(x, x)) });

/** Is its sign bit set? It is for −0 too. PyTorch: torch.signbit. */
export const signbit: UnaryOp = /* @__PURE__ */ unary('signbit', {
  result: 'bool',
  // 1 / −0 is −∞; float32 has bits to look at, which tells NaNs apart too.
  forward: (e, x) => {
    const { category, compute } = DTYPE_INFO[x.dtype];
    if (category === 'bool') return e.ne(x, x);
    if (category === 'integer') return e.lt(x, 0);
    if (compute === 'float64') return e.or(e.lt(x, 0), e.and(e.eq(x, 0), e.lt(e.div(1, x), 0)));
    return e.lt(e.bitcast(x, 'int32'), 0);
  },
});

export interface NanToNumOptions {
  /** What NaN becomes. Default 0. */
  readonly nan?: number | null;
  /** What ∞ becomes. Default: the largest number of the dtype. */
  readonly posinf?: number | null;
  /** What −∞ becomes. Default: the least number of the dtype. */
  readonly neginf?: number | null;
}

const LARGEST: Partial<Record<string, number>> = {
  float16: 65504,
  bfloat16: 3.3895313892515355e38,
  float32: 3.4028234663852886e38,
  float64: Number.MAX_VALUE,
};

const NAN_TO_NUM_OPTIONS: OptionNames<NanToNumOptions> = { nan: true, posinf: true, neginf: true };

/** NaN, ∞ and −∞ replaced by numbers. PyTorch: torch.nan_to_num. */
export const nanToNum: UnaryOp<[NanToNumOptions?]> = /* @__PURE__ */ unary<[NanToNumOptions?]>('nanToNum', {
  forward: (e, x, options) => {
    const largest = LARGEST[x.dtype];
    if (largest === undefined) return x;
    const high = e.where(e.eq(x, Infinity), options?.posinf ?? largest, x);
    const low = e.where(e.eq(x, -Infinity), options?.neginf ?? -largest, high);
    return e.where(e.isnan(x), options?.nan ?? 0, low);
  },
  backward: (grad, x) => grad.maskedFill(x.isfinite().logicalNot(), 0),
  check: (_x, options) => void checkOptions('nanToNum', options, NAN_TO_NUM_OPTIONS),
});
export const nanToNum_: UnaryOp<[NanToNumOptions?]> = /* @__PURE__ */ inPlace(nanToNum);
