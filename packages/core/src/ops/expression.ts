/**
 * @file The builder that ops write their formulas with: each method applies one opcode to values, and numbers become run-time scalars of the
 * other operand's dtype. On bool, `add` and `max` are or, `mul` and `min` are and, as in PyTorch.
 */
import { type Opcode, OPCODE_INDEX } from '../backend/opcode-signatures.js';
import { type ComputeDType, type DType, DTYPE_INFO } from '../tensor/dtype.js';
import { apply, castValue, scalarValue, type Value } from '../tensor/value.js';

/** A value, or a number that takes the dtype of the value beside it. */
export type Term = Value | number;

const lift = (x: Term, like: Value): Value => (typeof x === 'number' ? scalarValue(x, DTYPE_INFO[like.dtype].compute, like.device) : x);

function one(op: Opcode): (a: Value) => Value {
  const index = OPCODE_INDEX[op];
  return (a) => apply(index, a, null, null);
}

function two(op: Opcode, onBool: Opcode = op): (a: Term, b: Term) => Value {
  const index = OPCODE_INDEX[op];
  const boolIndex = OPCODE_INDEX[onBool];
  return (a, b) => {
    const x = typeof a === 'number' ? lift(a, b as Value) : a;
    const y = typeof b === 'number' ? lift(b, x) : b;
    return apply(x.dtype === 'bool' ? boolIndex : index, x, y, null);
  };
}

const where = OPCODE_INDEX.where;
const bitcast = OPCODE_INDEX.bitcast;
const philox = OPCODE_INDEX.philox;

/** @see OPCODES for what each computes. */
export const e = {
  add: two('add', 'or'),
  sub: two('sub', 'xor'),
  mul: two('mul', 'and'),
  div: two('div'),
  idiv: two('idiv'),
  irem: two('irem'),
  fmod: two('fmod'),
  max: two('max', 'or'),
  min: two('min', 'and'),
  pow: two('pow'),
  atan2: two('atan2'),
  eq: two('eq'),
  ne: two('ne'),
  lt: two('lt'),
  le: two('le'),
  gt: two('gt'),
  ge: two('ge'),
  and: two('and'),
  or: two('or'),
  xor: two('xor'),
  shl: two('shl'),
  shr: two('shr'),
  copy: one('copy'),
  neg: one('neg'),
  abs: one('abs'),
  sign: one('sign'),
  floor: one('floor'),
  ceil: one('ceil'),
  trunc: one('trunc'),
  round: one('round'),
  sqrt: one('sqrt'),
  isnan: one('isnan'),
  not: one('not'),
  exp: one('exp'),
  expm1: one('expm1'),
  log: one('log'),
  log1p: one('log1p'),
  log2: one('log2'),
  log10: one('log10'),
  exp2: one('exp2'),
  sin: one('sin'),
  cos: one('cos'),
  tan: one('tan'),
  asin: one('asin'),
  acos: one('acos'),
  atan: one('atan'),
  sinh: one('sinh'),
  cosh: one('cosh'),
  tanh: one('tanh'),
  asinh: one('asinh'),
  acosh: one('acosh'),
  atanh: one('atanh'),
  erf: one('erf'),
  erfc: one('erfc'),
  erfinv: one('erfinv'),
  lgamma: one('lgamma'),
  digamma: one('digamma'),
  /** condition ? b : c; two numbers take float32. */
  where(condition: Value, b: Term, c: Term): Value {
    const like = typeof b !== 'number' ? b : typeof c !== 'number' ? c : null;
    const x = typeof b === 'number' ? (like === null ? scalarValue(b, 'float32', condition.device) : lift(b, like)) : b;
    const y = typeof c === 'number' ? lift(c, x) : c;
    return apply(where, condition, x, y);
  },
  /** To a dtype, as the opcode `cast` and the narrowing opcodes say. */
  cast: (a: Value, dtype: DType): Value => castValue(a, dtype),
  bitcast: (a: Value, to: 'int32' | 'float32'): Value => apply(bitcast, a, null, null, DTYPE_INFO[to].index, to),
  /** 32 random bits for each counter. */
  philox: (counter: Value, k0: number, k1: number): Value =>
    apply(philox, counter, scalarValue(k0 | 0, 'int32', counter.device), scalarValue(k1 | 0, 'int32', counter.device)),
  scalar: (x: number, dtype: ComputeDType, like: Value): Value => scalarValue(x, dtype, like.device),
} as const;

export type Expression = typeof e;
