/**
 * @file The opcodes of pointwise programs, one by one: formula, domain, behaviour on NaN and infinity, tolerance. `reference` is the living
 * specification: it takes and gives JavaScript numbers (bool as 0 and 1), exact in float64 where the language is; a backend rounds its
 * result to the instruction's dtype after each instruction. int32 arithmetic wraps modulo 2^32. Arities and dtypes are in opcode-signatures.ts.
 */
import { type Opcode, OPCODE_SIGNATURES, type OpcodeSignature } from './opcode-signatures.js';
import * as special from './special.js';

/** What one opcode computes. */
interface OpcodeMeaning {
  readonly formula: string;
  /** What happens on NaN, infinity and outside the domain. */
  readonly special: string;
  /** The largest error in float32, in units in the last place, that conformance accepts. 0: the correctly rounded result. */
  readonly ulp: number;
  readonly reference: (a: number, b: number, c: number) => number;
}

/** What one opcode is. */
export interface OpcodeInfo extends OpcodeSignature, OpcodeMeaning {}

const IEEE = 'as IEEE 754 has it';
const PROPAGATES = 'NaN gives NaN';

const MEANINGS = {
  // ── moving ──
  copy: { formula: 'a', special: 'bits are kept', ulp: 0, reference: (a) => a },
  cast: {
    formula: "a in the instruction's dtype",
    ulp: 0,
    special: 'to int32: toward zero, saturating, NaN gives 0; to bool: a ≠ 0, so NaN gives true; float64 to float32: nearest, ties to even',
    reference: (a) => a,
  },
  bitcast: {
    formula: 'the bits of a float32 as an int32, or the reverse',
    special: 'NaN payloads may change',
    ulp: 0,
    reference: (a) => a,
  },
  index: {
    formula: 'the index along the dim named by the instruction; its argument is not read',
    special: 'none',
    ulp: 0,
    reference: (a) => a,
  },
  where: {
    formula: 'a ? b : c (a is bool, b and c share a dtype)',
    special: 'the value that is not chosen has no influence, NaN included',
    ulp: 0,
    reference: (a, b, c) => (a !== 0 ? b : c),
  },
  // ── arithmetic ──
  add: { formula: 'a + b', special: IEEE, ulp: 0, reference: (a, b) => a + b },
  sub: { formula: 'a − b', special: IEEE, ulp: 0, reference: (a, b) => a - b },
  mul: { formula: 'a · b', special: IEEE, ulp: 0, reference: (a, b) => a * b },
  div: { formula: 'a / b', special: IEEE, ulp: 0, reference: (a, b) => a / b },
  idiv: {
    formula: 'a / b toward zero',
    special: 'a / 0 is 0; −2^31 / −1 is −2^31',
    ulp: 0,
    reference: (a, b) => (b === 0 ? 0 : (a / b) | 0),
  },
  irem: {
    formula: 'a − b · idiv(a, b), with the sign of a',
    special: 'a rem 0 is 0',
    ulp: 0,
    reference: (a, b) => (b === 0 ? 0 : (a % b) | 0),
  },
  fmod: {
    formula: "a − b · trunc(a / b), exact, with the sign of a (C's fmod)",
    special: 'b = 0 or a = ±∞ gives NaN; b = ±∞ gives a',
    ulp: 0,
    reference: (a, b) => a % b,
  },
  neg: { formula: '−a', special: 'flips the sign of zero and infinity', ulp: 0, reference: (a) => -a },
  abs: { formula: '|a|', special: '|−0| is 0; |−2^31| is −2^31', ulp: 0, reference: Math.abs },
  sign: { formula: '−1, 0 or 1', special: "of NaN: 0 (PyTorch's sign)", ulp: 0, reference: (a) => (a > 0 ? 1 : a < 0 ? -1 : 0) },
  max: {
    formula: 'the larger',
    special: 'NaN in either gives NaN; max(−0, 0) is either zero',
    ulp: 0,
    reference: (a, b) => Math.max(a, b),
  },
  min: {
    formula: 'the smaller',
    special: 'NaN in either gives NaN; min(−0, 0) is either zero',
    ulp: 0,
    reference: (a, b) => Math.min(a, b),
  },
  floor: { formula: 'toward −∞', special: IEEE, ulp: 0, reference: Math.floor },
  ceil: { formula: 'toward +∞', special: IEEE, ulp: 0, reference: Math.ceil },
  trunc: { formula: 'toward zero', special: IEEE, ulp: 0, reference: Math.trunc },
  round: { formula: 'to the nearest integer, ties to even', special: IEEE, ulp: 0, reference: special.roundHalfEven },
  sqrt: { formula: '√a', special: 'a < 0 gives NaN; √−0 is −0', ulp: 0, reference: Math.sqrt },
  // ── comparing: bool results; any comparison with NaN is false, but ne is true ──
  eq: { formula: 'a = b', special: 'NaN: false', ulp: 0, reference: (a, b) => (a === b ? 1 : 0) },
  ne: { formula: 'a ≠ b', special: 'NaN: true', ulp: 0, reference: (a, b) => (a !== b ? 1 : 0) },
  lt: { formula: 'a < b', special: 'NaN: false', ulp: 0, reference: (a, b) => (a < b ? 1 : 0) },
  le: { formula: 'a ≤ b', special: 'NaN: false', ulp: 0, reference: (a, b) => (a <= b ? 1 : 0) },
  gt: { formula: 'a > b', special: 'NaN: false', ulp: 0, reference: (a, b) => (a > b ? 1 : 0) },
  ge: { formula: 'a ≥ b', special: 'NaN: false', ulp: 0, reference: (a, b) => (a >= b ? 1 : 0) },
  isnan: {
    formula: 'a ≠ a',
    special: 'NaN: true; must hold where a compiler assumes that there is no NaN',
    ulp: 0,
    reference: (a) => (a !== a ? 1 : 0),
  },
  // ── bits: on int32 bitwise, on bool logical ──
  and: { formula: 'a ∧ b', special: 'none', ulp: 0, reference: (a, b) => a & b },
  or: { formula: 'a ∨ b', special: 'none', ulp: 0, reference: (a, b) => a | b },
  xor: { formula: 'a ⊕ b', special: 'none', ulp: 0, reference: (a, b) => a ^ b },
  not: { formula: '¬a: all bits of an int32, the truth of a bool', special: 'none', ulp: 0, reference: (a) => ~a },
  shl: { formula: 'a · 2^b modulo 2^32', special: 'b outside 0…31 gives 0', ulp: 0, reference: (a, b) => (b >>> 0 > 31 ? 0 : a << b) },
  shr: {
    formula: 'a / 2^b toward −∞ (arithmetic)',
    special: 'b outside 0…31 gives the sign: 0 or −1',
    ulp: 0,
    reference: (a, b) => (b >>> 0 > 31 ? a >> 31 : a >> b),
  },
  // ── transcendental ──
  exp: {
    formula: 'e^a',
    special: 'exp(−∞) = 0, overflow gives ∞; results below the least normal number may be 0',
    ulp: 4,
    reference: Math.exp,
  },
  expm1: { formula: 'e^a − 1, accurate near 0', special: 'expm1(−∞) = −1', ulp: 8, reference: Math.expm1 },
  log: { formula: 'ln a', special: 'log 0 = −∞, a < 0 gives NaN', ulp: 4, reference: Math.log },
  log1p: { formula: 'ln(1 + a), accurate near 0', special: 'log1p(−1) = −∞, a < −1 gives NaN', ulp: 8, reference: Math.log1p },
  log2: { formula: 'log₂ a', special: 'as log', ulp: 4, reference: Math.log2 },
  log10: { formula: 'log₁₀ a', special: 'as log', ulp: 4, reference: Math.log10 },
  exp2: { formula: '2^a', special: 'as exp', ulp: 4, reference: (a) => 2 ** a },
  pow: {
    formula: 'a^b',
    special: "as C's pow: pow(1, NaN) = 1, pow(x, 0) = 1, pow(−1, ±∞) = 1; a < 0 with a fractional b gives NaN",
    ulp: 16,
    reference: special.pow,
  },
  sin: { formula: 'sin a, in radians', special: '±∞ gives NaN', ulp: 8, reference: Math.sin },
  cos: { formula: 'cos a', special: '±∞ gives NaN', ulp: 8, reference: Math.cos },
  tan: { formula: 'tan a', special: '±∞ gives NaN', ulp: 16, reference: Math.tan },
  asin: { formula: 'arcsin a', special: '|a| > 1 gives NaN', ulp: 8, reference: Math.asin },
  acos: { formula: 'arccos a', special: '|a| > 1 gives NaN', ulp: 8, reference: Math.acos },
  atan: { formula: 'arctan a', special: 'atan(±∞) = ±π/2', ulp: 8, reference: Math.atan },
  atan2: { formula: 'the angle of (b, a) in (−π, π]', special: "as C's atan2, signed zeros included", ulp: 16, reference: Math.atan2 },
  sinh: { formula: '(e^a − e^−a) / 2', special: 'overflow gives ±∞', ulp: 8, reference: Math.sinh },
  cosh: { formula: '(e^a + e^−a) / 2', special: 'overflow gives ∞', ulp: 8, reference: Math.cosh },
  tanh: { formula: 'sinh a / cosh a', special: 'tanh(±∞) = ±1', ulp: 8, reference: Math.tanh },
  asinh: { formula: 'ln(a + √(a² + 1))', special: PROPAGATES, ulp: 8, reference: Math.asinh },
  acosh: { formula: 'ln(a + √(a² − 1))', special: 'a < 1 gives NaN', ulp: 8, reference: Math.acosh },
  atanh: { formula: 'ln((1 + a) / (1 − a)) / 2', special: 'atanh(±1) = ±∞, |a| > 1 gives NaN', ulp: 8, reference: Math.atanh },
  erf: { formula: '2/√π ∫₀ᵃ e^(−t²) dt', special: 'erf(±∞) = ±1', ulp: 8, reference: special.erf },
  erfc: { formula: '1 − erf a, accurate for large a', special: 'erfc(∞) = 0, erfc(−∞) = 2', ulp: 32, reference: special.erfc },
  erfinv: { formula: 'the x with erf x = a', special: 'erfinv(±1) = ±∞, |a| > 1 gives NaN', ulp: 32, reference: special.erfinv },
  lgamma: { formula: 'ln |Γ(a)|', special: 'poles at 0, −1, −2, … give ∞; ±∞ gives ∞', ulp: 32, reference: special.lgamma },
  digamma: { formula: 'd/da ln Γ(a)', special: 'digamma(±0) = ∓∞, poles at −1, −2, … give NaN', ulp: 32, reference: special.digamma },
  // ── narrowing: the value stays in its compute dtype ──
  toFloat16: {
    formula: 'a (float32) rounded to the nearest float16, ties to even',
    special: 'overflow gives ±∞',
    ulp: 0,
    reference: special.roundToFloat16,
  },
  toBfloat16: {
    formula: 'a (float32) rounded to the nearest bfloat16, ties to even',
    special: 'overflow gives ±∞',
    ulp: 0,
    reference: special.roundToBfloat16,
  },
  toUint8: { formula: 'a modulo 256', special: 'none', ulp: 0, reference: (a) => a & 255 },
  // ── noise ──
  philox: {
    ulp: 0,
    reference: special.philox,
    formula: 'the first word of Philox4x32-10 (Salmon et al., 2011) for the counter (a, 0, 0, 0) and the key (b, c), as an int32',
    special: 'none',
  },
} as const satisfies { readonly [O in Opcode]: OpcodeMeaning };

type Opcodes = { readonly [O in Opcode]: OpcodeSignature & (typeof MEANINGS)[O] };

/** Every opcode. */
export const OPCODES: Opcodes = /* @__PURE__ */ describe();

function describe(): Opcodes {
  const names = Object.keys(OPCODE_SIGNATURES) as Opcode[];
  return Object.fromEntries(names.map((op) => [op, { ...OPCODE_SIGNATURES[op], ...MEANINGS[op] }])) as unknown as Opcodes;
}
