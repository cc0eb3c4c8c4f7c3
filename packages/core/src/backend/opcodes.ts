/**
 * @file The opcodes of pointwise programs, one by one: formula, domain, behaviour on NaN and infinity, tolerance. `reference` is the living
 * specification: it takes and gives JavaScript numbers (bool as 0 and 1), exact in float64 where the language is; a backend rounds its
 * result to the instruction's dtype after each instruction. int32 arithmetic wraps modulo 2^32.
 */
import type { ComputeDType } from '../tensor/dtype.js';
import * as special from './special.js';

/** What one opcode is. */
export interface OpcodeInfo {
  readonly arity: 1 | 2 | 3;
  /** Which dtypes its arguments may have: 'float' (float32, float64), 'number' (also int32), 'int' (int32), 'bits' (int32, bool), 'any'. */
  readonly takes: 'float' | 'number' | 'int' | 'bits' | 'any';
  /** The dtype that it gives: that of its arguments, or always bool, float32 or int32; 'cast' says it in the instruction. */
  readonly gives: 'same' | 'bool' | 'float32' | 'int32' | 'cast';
  readonly formula: string;
  /** What happens on NaN, infinity and outside the domain. */
  readonly special: string;
  /** The largest error in float32, in units in the last place, that conformance accepts. 0: the correctly rounded result. */
  readonly ulp: number;
  /** What it costs beside an addition, roughly: decides what is recomputed and what is kept. */
  readonly price: number;
  readonly reference: (a: number, b: number, c: number) => number;
}

const IEEE = 'as IEEE 754 has it';
const PROPAGATES = 'NaN gives NaN';

/** Every opcode. The order is part of the contract's version: new ones go to the end. */
export const OPCODES = {
  // ── moving ──
  copy: { arity: 1, takes: 'any', gives: 'same', formula: 'a', special: 'bits are kept', ulp: 0, price: 1, reference: (a) => a },
  cast: {
    arity: 1, takes: 'any', gives: 'cast', formula: 'a in the instruction\'s dtype', ulp: 0, price: 1,
    special: 'to int32: toward zero, saturating, NaN gives 0; to bool: a ≠ 0, so NaN gives true; float64 to float32: nearest, ties to even',
    reference: (a) => a,
  },
  bitcast: { arity: 1, takes: 'any', gives: 'cast', formula: 'the bits of a float32 as an int32, or the reverse', special: 'NaN payloads may change', ulp: 0, price: 1, reference: (a) => a },
  index: { arity: 1, takes: 'any', gives: 'int32', formula: 'the index along the dim named by the instruction; its argument is not read', special: 'none', ulp: 0, price: 1, reference: (a) => a },
  where: { arity: 3, takes: 'any', gives: 'same', formula: 'a ? b : c (a is bool, b and c share a dtype)', special: 'the value that is not chosen has no influence, NaN included', ulp: 0, price: 1, reference: (a, b, c) => (a !== 0 ? b : c) },
  // ── arithmetic ──
  add: { arity: 2, takes: 'number', gives: 'same', formula: 'a + b', special: IEEE, ulp: 0, price: 1, reference: (a, b) => a + b },
  sub: { arity: 2, takes: 'number', gives: 'same', formula: 'a − b', special: IEEE, ulp: 0, price: 1, reference: (a, b) => a - b },
  mul: { arity: 2, takes: 'number', gives: 'same', formula: 'a · b', special: IEEE, ulp: 0, price: 1, reference: (a, b) => a * b },
  div: { arity: 2, takes: 'float', gives: 'same', formula: 'a / b', special: IEEE, ulp: 0, price: 3, reference: (a, b) => a / b },
  idiv: { arity: 2, takes: 'int', gives: 'same', formula: 'a / b toward zero', special: 'a / 0 is 0; −2^31 / −1 is −2^31', ulp: 0, price: 3, reference: (a, b) => (b === 0 ? 0 : (a / b) | 0) },
  irem: { arity: 2, takes: 'int', gives: 'same', formula: 'a − b · idiv(a, b), with the sign of a', special: 'a rem 0 is 0', ulp: 0, price: 3, reference: (a, b) => (b === 0 ? 0 : a % b | 0) },
  fmod: { arity: 2, takes: 'float', gives: 'same', formula: 'a − b · trunc(a / b), exact, with the sign of a (C\'s fmod)', special: 'b = 0 or a = ±∞ gives NaN; b = ±∞ gives a', ulp: 0, price: 20, reference: (a, b) => a % b },
  neg: { arity: 1, takes: 'number', gives: 'same', formula: '−a', special: 'flips the sign of zero and infinity', ulp: 0, price: 1, reference: (a) => -a },
  abs: { arity: 1, takes: 'number', gives: 'same', formula: '|a|', special: '|−0| is 0; |−2^31| is −2^31', ulp: 0, price: 1, reference: Math.abs },
  sign: { arity: 1, takes: 'number', gives: 'same', formula: '−1, 0 or 1', special: 'of NaN: 0 (PyTorch\'s sign)', ulp: 0, price: 1, reference: (a) => (a > 0 ? 1 : a < 0 ? -1 : 0) },
  max: { arity: 2, takes: 'number', gives: 'same', formula: 'the larger', special: 'NaN in either gives NaN; max(−0, 0) is either zero', ulp: 0, price: 1, reference: (a, b) => Math.max(a, b) },
  min: { arity: 2, takes: 'number', gives: 'same', formula: 'the smaller', special: 'NaN in either gives NaN; min(−0, 0) is either zero', ulp: 0, price: 1, reference: (a, b) => Math.min(a, b) },
  floor: { arity: 1, takes: 'float', gives: 'same', formula: 'toward −∞', special: IEEE, ulp: 0, price: 1, reference: Math.floor },
  ceil: { arity: 1, takes: 'float', gives: 'same', formula: 'toward +∞', special: IEEE, ulp: 0, price: 1, reference: Math.ceil },
  trunc: { arity: 1, takes: 'float', gives: 'same', formula: 'toward zero', special: IEEE, ulp: 0, price: 1, reference: Math.trunc },
  round: { arity: 1, takes: 'float', gives: 'same', formula: 'to the nearest integer, ties to even', special: IEEE, ulp: 0, price: 2, reference: special.roundHalfEven },
  sqrt: { arity: 1, takes: 'float', gives: 'same', formula: '√a', special: 'a < 0 gives NaN; √−0 is −0', ulp: 0, price: 4, reference: Math.sqrt },
  // ── comparing: bool results; any comparison with NaN is false, but ne is true ──
  eq: { arity: 2, takes: 'any', gives: 'bool', formula: 'a = b', special: 'NaN: false', ulp: 0, price: 1, reference: (a, b) => (a === b ? 1 : 0) },
  ne: { arity: 2, takes: 'any', gives: 'bool', formula: 'a ≠ b', special: 'NaN: true', ulp: 0, price: 1, reference: (a, b) => (a !== b ? 1 : 0) },
  lt: { arity: 2, takes: 'any', gives: 'bool', formula: 'a < b', special: 'NaN: false', ulp: 0, price: 1, reference: (a, b) => (a < b ? 1 : 0) },
  le: { arity: 2, takes: 'any', gives: 'bool', formula: 'a ≤ b', special: 'NaN: false', ulp: 0, price: 1, reference: (a, b) => (a <= b ? 1 : 0) },
  gt: { arity: 2, takes: 'any', gives: 'bool', formula: 'a > b', special: 'NaN: false', ulp: 0, price: 1, reference: (a, b) => (a > b ? 1 : 0) },
  ge: { arity: 2, takes: 'any', gives: 'bool', formula: 'a ≥ b', special: 'NaN: false', ulp: 0, price: 1, reference: (a, b) => (a >= b ? 1 : 0) },
  isnan: { arity: 1, takes: 'float', gives: 'bool', formula: 'a ≠ a', special: 'NaN: true; must hold where a compiler assumes that there is no NaN', ulp: 0, price: 1, reference: (a) => (a !== a ? 1 : 0) },
  // ── bits: on int32 bitwise, on bool logical ──
  and: { arity: 2, takes: 'bits', gives: 'same', formula: 'a ∧ b', special: 'none', ulp: 0, price: 1, reference: (a, b) => a & b },
  or: { arity: 2, takes: 'bits', gives: 'same', formula: 'a ∨ b', special: 'none', ulp: 0, price: 1, reference: (a, b) => a | b },
  xor: { arity: 2, takes: 'bits', gives: 'same', formula: 'a ⊕ b', special: 'none', ulp: 0, price: 1, reference: (a, b) => a ^ b },
  not: { arity: 1, takes: 'bits', gives: 'same', formula: '¬a: all bits of an int32, the truth of a bool', special: 'none', ulp: 0, price: 1, reference: (a) => ~a },
  shl: { arity: 2, takes: 'int', gives: 'same', formula: 'a · 2^b modulo 2^32', special: 'b outside 0…31 gives 0', ulp: 0, price: 1, reference: (a, b) => (b >>> 0 > 31 ? 0 : a << b) },
  shr: { arity: 2, takes: 'int', gives: 'same', formula: 'a / 2^b toward −∞ (arithmetic)', special: 'b outside 0…31 gives the sign: 0 or −1', ulp: 0, price: 1, reference: (a, b) => (b >>> 0 > 31 ? a >> 31 : a >> b) },
  // ── transcendental ──
  exp: { arity: 1, takes: 'float', gives: 'same', formula: 'e^a', special: 'exp(−∞) = 0, overflow gives ∞; results below the least normal number may be 0', ulp: 4, price: 20, reference: Math.exp },
  expm1: { arity: 1, takes: 'float', gives: 'same', formula: 'e^a − 1, accurate near 0', special: 'expm1(−∞) = −1', ulp: 8, price: 25, reference: Math.expm1 },
  log: { arity: 1, takes: 'float', gives: 'same', formula: 'ln a', special: 'log 0 = −∞, a < 0 gives NaN', ulp: 4, price: 20, reference: Math.log },
  log1p: { arity: 1, takes: 'float', gives: 'same', formula: 'ln(1 + a), accurate near 0', special: 'log1p(−1) = −∞, a < −1 gives NaN', ulp: 8, price: 25, reference: Math.log1p },
  log2: { arity: 1, takes: 'float', gives: 'same', formula: 'log₂ a', special: 'as log', ulp: 4, price: 20, reference: Math.log2 },
  log10: { arity: 1, takes: 'float', gives: 'same', formula: 'log₁₀ a', special: 'as log', ulp: 4, price: 20, reference: Math.log10 },
  exp2: { arity: 1, takes: 'float', gives: 'same', formula: '2^a', special: 'as exp', ulp: 4, price: 20, reference: (a) => 2 ** a },
  pow: { arity: 2, takes: 'float', gives: 'same', formula: 'a^b', special: 'as C\'s pow: pow(1, NaN) = 1, pow(x, 0) = 1, pow(−1, ±∞) = 1; a < 0 with a fractional b gives NaN', ulp: 16, price: 40, reference: special.pow },
  sin: { arity: 1, takes: 'float', gives: 'same', formula: 'sin a, in radians', special: '±∞ gives NaN', ulp: 8, price: 25, reference: Math.sin },
  cos: { arity: 1, takes: 'float', gives: 'same', formula: 'cos a', special: '±∞ gives NaN', ulp: 8, price: 25, reference: Math.cos },
  tan: { arity: 1, takes: 'float', gives: 'same', formula: 'tan a', special: '±∞ gives NaN', ulp: 16, price: 30, reference: Math.tan },
  asin: { arity: 1, takes: 'float', gives: 'same', formula: 'arcsin a', special: '|a| > 1 gives NaN', ulp: 8, price: 25, reference: Math.asin },
  acos: { arity: 1, takes: 'float', gives: 'same', formula: 'arccos a', special: '|a| > 1 gives NaN', ulp: 8, price: 25, reference: Math.acos },
  atan: { arity: 1, takes: 'float', gives: 'same', formula: 'arctan a', special: 'atan(±∞) = ±π/2', ulp: 8, price: 25, reference: Math.atan },
  atan2: { arity: 2, takes: 'float', gives: 'same', formula: 'the angle of (b, a) in (−π, π]', special: 'as C\'s atan2, signed zeros included', ulp: 16, price: 30, reference: Math.atan2 },
  sinh: { arity: 1, takes: 'float', gives: 'same', formula: '(e^a − e^−a) / 2', special: 'overflow gives ±∞', ulp: 8, price: 25, reference: Math.sinh },
  cosh: { arity: 1, takes: 'float', gives: 'same', formula: '(e^a + e^−a) / 2', special: 'overflow gives ∞', ulp: 8, price: 25, reference: Math.cosh },
  tanh: { arity: 1, takes: 'float', gives: 'same', formula: 'sinh a / cosh a', special: 'tanh(±∞) = ±1', ulp: 8, price: 20, reference: Math.tanh },
  asinh: { arity: 1, takes: 'float', gives: 'same', formula: 'ln(a + √(a² + 1))', special: PROPAGATES, ulp: 8, price: 30, reference: Math.asinh },
  acosh: { arity: 1, takes: 'float', gives: 'same', formula: 'ln(a + √(a² − 1))', special: 'a < 1 gives NaN', ulp: 8, price: 30, reference: Math.acosh },
  atanh: { arity: 1, takes: 'float', gives: 'same', formula: 'ln((1 + a) / (1 − a)) / 2', special: 'atanh(±1) = ±∞, |a| > 1 gives NaN', ulp: 8, price: 30, reference: Math.atanh },
  erf: { arity: 1, takes: 'float', gives: 'same', formula: '2/√π ∫₀ᵃ e^(−t²) dt', special: 'erf(±∞) = ±1', ulp: 8, price: 25, reference: special.erf },
  erfc: { arity: 1, takes: 'float', gives: 'same', formula: '1 − erf a, accurate for large a', special: 'erfc(∞) = 0, erfc(−∞) = 2', ulp: 32, price: 30, reference: special.erfc },
  erfinv: { arity: 1, takes: 'float', gives: 'same', formula: 'the x with erf x = a', special: 'erfinv(±1) = ±∞, |a| > 1 gives NaN', ulp: 32, price: 40, reference: special.erfinv },
  lgamma: { arity: 1, takes: 'float', gives: 'same', formula: 'ln |Γ(a)|', special: 'poles at 0, −1, −2, … give ∞; ±∞ gives ∞', ulp: 32, price: 60, reference: special.lgamma },
  digamma: { arity: 1, takes: 'float', gives: 'same', formula: 'd/da ln Γ(a)', special: 'digamma(±0) = ∓∞, poles at −1, −2, … give NaN', ulp: 32, price: 60, reference: special.digamma },
  // ── narrowing: the value stays in its compute dtype ──
  toFloat16: { arity: 1, takes: 'float', gives: 'same', formula: 'a (float32) rounded to the nearest float16, ties to even', special: 'overflow gives ±∞', ulp: 0, price: 3, reference: special.roundToFloat16 },
  toBfloat16: { arity: 1, takes: 'float', gives: 'same', formula: 'a (float32) rounded to the nearest bfloat16, ties to even', special: 'overflow gives ±∞', ulp: 0, price: 2, reference: special.roundToBfloat16 },
  toUint8: { arity: 1, takes: 'int', gives: 'same', formula: 'a modulo 256', special: 'none', ulp: 0, price: 1, reference: (a) => a & 255 },
  // ── noise ──
  philox: {
    arity: 3, takes: 'int', gives: 'same', ulp: 0, price: 20, reference: special.philox,
    formula: 'the first word of Philox4x32-10 (Salmon et al., 2011) for the counter (a, 0, 0, 0) and the key (b, c), as an int32', special: 'none',
  },
} as const satisfies Record<string, OpcodeInfo>;

export type Opcode = keyof typeof OPCODES;

/** Opcodes in order; an opcode's place here is its number in program keys. */
export const OPCODE_NAMES = Object.keys(OPCODES) as readonly Opcode[];

/** The number of an opcode in program keys. */
export const OPCODE_INDEX = Object.fromEntries(OPCODE_NAMES.map((name, i) => [name, i])) as { readonly [O in Opcode]: number };

/** The dtype of an instruction's result from that of its first (for `where`, its second) argument. */
export function resultDType(op: Opcode, argument: ComputeDType, castTo?: ComputeDType): ComputeDType {
  const gives: OpcodeInfo['gives'] = OPCODES[op].gives;
  if (gives === 'same') return argument;
  return gives === 'cast' ? (castTo ?? argument) : gives;
}
