/**
 * @file What each opcode is in JavaScript, by the dtype of its arguments: as the text that compiled kernels contain, and as a function that
 * the interpreter calls. Both round float32 results with Math.fround where the operation does not give a float32 by itself, so that a
 * chain has the same bits fused or not, compiled or not.
 */
import { type ComputeDType, type Opcode, scalarFunctions as special } from '@tessera/core/backend';
import * as fast from './float32-math.js';

export type ScalarFunction = (a: number, b: number, c: number) => number;

export interface Operation {
  /** An expression of `a`, `b` and `c`, and of the names in {@link ENVIRONMENT}. */
  readonly text: string;
  readonly run: ScalarFunction;
}

const { fround } = Math;
const bitsF32 = new Float32Array(1);
const bitsI32 = new Int32Array(bitsF32.buffer);

function bitsOfFloat(a: number): number {
  bitsF32[0] = a;
  return bitsI32[0];
}

function floatOfBits(a: number): number {
  bitsI32[0] = a;
  return bitsF32[0];
}

/** Toward zero, saturating; NaN gives 0. */
function toInt32(a: number): number {
  return a >= 2147483647 ? 2147483647 : a <= -2147483648 ? -2147483648 : a | 0;
}

/** Functions that expressions call, besides those of Math. */
const functions: Record<string, (...args: number[]) => number> = { fround, bitsOfFloat, floatOfBits, toInt32 };

/** The names that compiled kernels may use. */
export const ENVIRONMENT: Readonly<Record<string, unknown>> = functions;

type Rules = Partial<Record<ComputeDType, Operation>>;

const rounded = (text: string, run: ScalarFunction): Operation => ({ text: `fround(${text})`, run: (a, b, c) => fround(run(a, b, c)) });
/** An operation on floats whose result needs rounding. */
const float = (text: string, run: ScalarFunction): Rules => ({ float32: rounded(text, run), float64: { text, run } });
/** An operation on floats whose result is a float32 whenever its arguments are. */
const exact = (text: string, run: ScalarFunction): Rules => ({ float32: { text, run }, float64: { text, run } });
const int = (text: string, run: ScalarFunction): Rules => ({ int32: { text, run } });
const all = (text: string, run: ScalarFunction): Rules => ({ ...exact(text, run), int32: { text, run }, bool: { text, run } });

/** A function with `arity` arguments: in float32 the fast one, in float64 the precise one. */
function call(
  name: string,
  arity: number,
  precise: (...args: number[]) => number,
  float32: (...args: number[]) => number = precise,
): Rules {
  const args = ['a', 'b', 'c'].slice(0, arity).join(', ');
  functions[`${name}_f64`] = precise;
  functions[`${name}_f32`] = float32;
  return { float32: rounded(`${name}_f32(${args})`, float32), float64: { text: `${name}_f64(${args})`, run: precise } };
}

const compare = (sign: string, run: ScalarFunction): Rules => all(`a ${sign} b ? 1 : 0`, run);

/** By opcode and the dtype of the arguments (of `where`: of its choices). `cast` and `bitcast` are in {@link castOperation}. */
const OPERATIONS: { readonly [O in Exclude<Opcode, 'cast' | 'bitcast' | 'index'>]: Rules } = {
  copy: all('a', (a) => a),
  where: all('a !== 0 ? b : c', (a, b, c) => (a !== 0 ? b : c)),
  add: { ...float('a + b', (a, b) => a + b), ...int('a + b | 0', (a, b) => (a + b) | 0) },
  sub: { ...float('a - b', (a, b) => a - b), ...int('a - b | 0', (a, b) => (a - b) | 0) },
  mul: { ...float('a * b', (a, b) => a * b), ...int('Math.imul(a, b)', (a, b) => Math.imul(a, b)) },
  div: float('a / b', (a, b) => a / b),
  idiv: int('b === 0 ? 0 : a / b | 0', (a, b) => (b === 0 ? 0 : (a / b) | 0)),
  irem: int('b === 0 ? 0 : a % b | 0', (a, b) => (b === 0 ? 0 : (a % b) | 0)),
  fmod: exact('a % b', (a, b) => a % b),
  neg: { ...exact('-a', (a) => -a), ...int('-a | 0', (a) => -a | 0) },
  abs: { ...exact('Math.abs(a)', (a) => Math.abs(a)), ...int('Math.abs(a) | 0', (a) => Math.abs(a) | 0) },
  sign: {
    ...exact('a > 0 ? 1 : a < 0 ? -1 : 0', (a) => (a > 0 ? 1 : a < 0 ? -1 : 0)),
    ...int('(a > 0 ? 1 : 0) - (a < 0 ? 1 : 0)', (a) => (a > 0 ? 1 : 0) - (a < 0 ? 1 : 0)),
  },
  max: { ...exact('Math.max(a, b)', (a, b) => Math.max(a, b)), ...int('a > b ? a : b', (a, b) => (a > b ? a : b)) },
  min: { ...exact('Math.min(a, b)', (a, b) => Math.min(a, b)), ...int('a < b ? a : b', (a, b) => (a < b ? a : b)) },
  floor: exact('Math.floor(a)', (a) => Math.floor(a)),
  ceil: exact('Math.ceil(a)', (a) => Math.ceil(a)),
  trunc: exact('Math.trunc(a)', (a) => Math.trunc(a)),
  round: call('round', 1, special.roundHalfEven),
  sqrt: float('Math.sqrt(a)', (a) => Math.sqrt(a)),
  eq: compare('===', (a, b) => (a === b ? 1 : 0)),
  ne: compare('!==', (a, b) => (a !== b ? 1 : 0)),
  lt: compare('<', (a, b) => (a < b ? 1 : 0)),
  le: compare('<=', (a, b) => (a <= b ? 1 : 0)),
  gt: compare('>', (a, b) => (a > b ? 1 : 0)),
  ge: compare('>=', (a, b) => (a >= b ? 1 : 0)),
  isnan: exact('a !== a ? 1 : 0', (a) => (a !== a ? 1 : 0)),
  and: { ...int('a & b', (a, b) => a & b), bool: { text: 'a & b', run: (a, b) => a & b } },
  or: { ...int('a | b', (a, b) => a | b), bool: { text: 'a | b', run: (a, b) => a | b } },
  xor: { ...int('a ^ b', (a, b) => a ^ b), bool: { text: 'a ^ b', run: (a, b) => a ^ b } },
  not: { ...int('~a', (a) => ~a), bool: { text: '1 - a', run: (a) => 1 - a } },
  shl: int('b >>> 0 > 31 ? 0 : a << b', (a, b) => (b >>> 0 > 31 ? 0 : a << b)),
  shr: int('a >> (b >>> 0 > 31 ? 31 : b)', (a, b) => a >> (b >>> 0 > 31 ? 31 : b)),
  exp: call('exp', 1, Math.exp, fast.exp),
  expm1: call('expm1', 1, Math.expm1, fast.expm1),
  log: call('log', 1, Math.log, fast.log),
  log1p: call('log1p', 1, Math.log1p, fast.log1p),
  log2: call('log2', 1, Math.log2, fast.log2),
  log10: call('log10', 1, Math.log10, fast.log10),
  exp2: call('exp2', 1, (a) => 2 ** a, fast.exp2),
  pow: call('pow', 2, special.pow, fast.pow),
  sin: call('sin', 1, Math.sin, fast.sin),
  cos: call('cos', 1, Math.cos, fast.cos),
  tan: call('tan', 1, Math.tan),
  asin: call('asin', 1, Math.asin),
  acos: call('acos', 1, Math.acos),
  atan: call('atan', 1, Math.atan),
  atan2: call('atan2', 2, Math.atan2),
  sinh: call('sinh', 1, Math.sinh, fast.sinh),
  cosh: call('cosh', 1, Math.cosh, fast.cosh),
  tanh: call('tanh', 1, Math.tanh, fast.tanh),
  asinh: call('asinh', 1, Math.asinh),
  acosh: call('acosh', 1, Math.acosh),
  atanh: call('atanh', 1, Math.atanh),
  erf: call('erf', 1, special.erf, fast.erf),
  erfc: call('erfc', 1, special.erfc, fast.erfc),
  erfinv: call('erfinv', 1, special.erfinv),
  lgamma: call('lgamma', 1, special.lgamma),
  digamma: call('digamma', 1, special.digamma),
  toFloat16: call('toFloat16', 1, special.roundToFloat16),
  toBfloat16: call('toBfloat16', 1, special.roundToBfloat16),
  toUint8: int('a & 255', (a) => a & 255),
  philox: { int32: { text: 'philox(a, b, c)', run: special.philox } },
};
functions.philox = special.philox;

/** The operation of an opcode whose arguments have dtype `from` (of `where`: its second), and whose result has dtype `to`. */
export function operationOf(op: Opcode, from: ComputeDType, to: ComputeDType): Operation | undefined {
  if (op === 'index') return undefined;
  if (op === 'cast') return castOperation(from, to);
  if (op === 'bitcast') return from === to ? OPERATIONS.copy[from] : from === 'float32' ? BITS_OF_FLOAT : FLOAT_OF_BITS;
  return OPERATIONS[op][from];
}

const BITS_OF_FLOAT: Operation = { text: 'bitsOfFloat(a)', run: bitsOfFloat };
const FLOAT_OF_BITS: Operation = { text: 'floatOfBits(a)', run: floatOfBits };
const SAME: Operation = { text: 'a', run: (a) => a };
const TRUTH: Operation = { text: 'a !== 0 ? 1 : 0', run: (a) => (a !== 0 ? 1 : 0) };
const TO_INT32: Operation = { text: 'toInt32(a)', run: toInt32 };
const TO_FLOAT32: Operation = { text: 'fround(a)', run: fround };

function castOperation(from: ComputeDType, to: ComputeDType): Operation {
  if (from === to || from === 'bool') return SAME;
  if (to === 'bool') return TRUTH;
  if (to === 'int32') return TO_INT32;
  if (to === 'float32') return TO_FLOAT32;
  return SAME;
}
