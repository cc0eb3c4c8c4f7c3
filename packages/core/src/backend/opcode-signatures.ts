/**
 * @file The opcodes of pointwise programs by what core and backends ask of them at run time: arity, dtypes, price. What each computes is in opcodes.ts,
 * apart, since a page that only runs programs has no use for it.
 */
import type { ComputeDType } from '../tensor/dtype.js';

/** How an opcode is called. */
export interface OpcodeSignature {
  readonly arity: 1 | 2 | 3;
  /** Which dtypes its arguments may have: 'float' (float32, float64), 'number' (also int32), 'int' (int32), 'bits' (int32, bool), 'any'. */
  readonly takes: 'float' | 'number' | 'int' | 'bits' | 'any';
  /** The dtype that it gives: that of its arguments, or always bool, float32 or int32; 'cast' says it in the instruction. */
  readonly gives: 'same' | 'bool' | 'float32' | 'int32' | 'cast';
  /** What it costs beside an addition, roughly: decides what is recomputed and what is kept. */
  readonly price: number;
}

type Row = readonly [OpcodeSignature['arity'], OpcodeSignature['takes'], OpcodeSignature['gives'], price: number];

/** Every opcode: arity, takes, gives, price. The order is part of the contract's version: new ones go to the end. */
const ROWS = {
  // ── moving ──
  copy: [1, 'any', 'same', 1],
  cast: [1, 'any', 'cast', 1],
  bitcast: [1, 'any', 'cast', 1],
  index: [1, 'any', 'int32', 1],
  where: [3, 'any', 'same', 1],
  // ── arithmetic ──
  add: [2, 'number', 'same', 1],
  sub: [2, 'number', 'same', 1],
  mul: [2, 'number', 'same', 1],
  div: [2, 'float', 'same', 3],
  idiv: [2, 'int', 'same', 3],
  irem: [2, 'int', 'same', 3],
  fmod: [2, 'float', 'same', 20],
  neg: [1, 'number', 'same', 1],
  abs: [1, 'number', 'same', 1],
  sign: [1, 'number', 'same', 1],
  max: [2, 'number', 'same', 1],
  min: [2, 'number', 'same', 1],
  floor: [1, 'float', 'same', 1],
  ceil: [1, 'float', 'same', 1],
  trunc: [1, 'float', 'same', 1],
  round: [1, 'float', 'same', 2],
  sqrt: [1, 'float', 'same', 4],
  // ── comparing: bool results; any comparison with NaN is false, but ne is true ──
  eq: [2, 'any', 'bool', 1],
  ne: [2, 'any', 'bool', 1],
  lt: [2, 'any', 'bool', 1],
  le: [2, 'any', 'bool', 1],
  gt: [2, 'any', 'bool', 1],
  ge: [2, 'any', 'bool', 1],
  isnan: [1, 'float', 'bool', 1],
  // ── bits: on int32 bitwise, on bool logical ──
  and: [2, 'bits', 'same', 1],
  or: [2, 'bits', 'same', 1],
  xor: [2, 'bits', 'same', 1],
  not: [1, 'bits', 'same', 1],
  shl: [2, 'int', 'same', 1],
  shr: [2, 'int', 'same', 1],
  // ── transcendental ──
  exp: [1, 'float', 'same', 20],
  expm1: [1, 'float', 'same', 25],
  log: [1, 'float', 'same', 20],
  log1p: [1, 'float', 'same', 25],
  log2: [1, 'float', 'same', 20],
  log10: [1, 'float', 'same', 20],
  exp2: [1, 'float', 'same', 20],
  pow: [2, 'float', 'same', 40],
  sin: [1, 'float', 'same', 25],
  cos: [1, 'float', 'same', 25],
  tan: [1, 'float', 'same', 30],
  asin: [1, 'float', 'same', 25],
  acos: [1, 'float', 'same', 25],
  atan: [1, 'float', 'same', 25],
  atan2: [2, 'float', 'same', 30],
  sinh: [1, 'float', 'same', 25],
  cosh: [1, 'float', 'same', 25],
  tanh: [1, 'float', 'same', 20],
  asinh: [1, 'float', 'same', 30],
  acosh: [1, 'float', 'same', 30],
  atanh: [1, 'float', 'same', 30],
  erf: [1, 'float', 'same', 25],
  erfc: [1, 'float', 'same', 30],
  erfinv: [1, 'float', 'same', 40],
  lgamma: [1, 'float', 'same', 60],
  digamma: [1, 'float', 'same', 60],
  // ── narrowing: the value stays in its compute dtype ──
  toFloat16: [1, 'float', 'same', 3],
  toBfloat16: [1, 'float', 'same', 2],
  toUint8: [1, 'int', 'same', 1],
  // ── noise ──
  philox: [3, 'int', 'same', 20],
} as const satisfies Record<string, Row>;

export type Opcode = keyof typeof ROWS;

/** Opcodes in order; an opcode's place here is its number in program keys. */
export const OPCODE_NAMES = /* @__PURE__ */ Object.keys(ROWS) as readonly Opcode[];

const table = <T>(entry: (row: Row, place: number) => T): { readonly [O in Opcode]: T } =>
  Object.fromEntries(Object.entries(ROWS).map(([name, row], i) => [name, entry(row, i)])) as { readonly [O in Opcode]: T };

/** The number of an opcode in program keys. */
export const OPCODE_INDEX = /* @__PURE__ */ table((_, i) => i);

export const OPCODE_SIGNATURES = /* @__PURE__ */ table(([arity, takes, gives, price]): OpcodeSignature => ({ arity, takes, gives, price }));

/** The dtype of an instruction's result from that of its first (for `where`, its second) argument. */
export function resultDType(op: Opcode, argument: ComputeDType, castTo?: ComputeDType): ComputeDType {
  const { gives } = OPCODE_SIGNATURES[op];
  if (gives === 'same') return argument;
  return gives === 'cast' ? (castTo ?? argument) : gives;
}
