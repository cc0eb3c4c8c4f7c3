/** @file Each opcode as instructions on four elements, by the dtype of its arguments. */
import type { ComputeDType, Opcode } from '@tessera/core/backend';
import { type Expr, f32x4, f64x2, type FunctionBuilder, i32, i32x4, i64x2, select, v128 } from '../assembler/index.js';
import { demotePair, type MathLibrary, promoteHigh, upper, type V, type VLocal } from '../math/library.js';
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './halves.js';
import type { Quad } from './storage.js';

/** One vector of each argument to one vector of the result; float64 runs it on both halves. */
type PerVector = (f: FunctionBuilder, lib: MathLibrary, a: VLocal, b: VLocal, c: VLocal) => V;
type Rules = Partial<Record<ComputeDType, PerVector>>;

const float = (f32: PerVector, f64: PerVector): Rules => ({ float32: f32, float64: f64 });
const number = (f32: PerVector, f64: PerVector, int: PerVector): Rules => ({ float32: f32, float64: f64, int32: int });
const same = (code: PerVector): Rules => ({ float32: code, float64: code, int32: code, bool: code });

/** Short enough, and used enough, to be written out where they are used. All have a form of their own for float32. */
const INLINE: ReadonlySet<string> = new Set(['exp', 'exp2', 'tanh', 'log', 'erf']);

/** A function of the library: that of float32 inline or called where there is one, else that of float64 by halves. */
function math(name: string): Rules {
  const f32 = `${name}_f32`;
  const args = (arity: number, a: VLocal, b: VLocal): VLocal[] => (arity === 2 ? [a, b] : [a]);
  return float(
    (f, lib, a, b) => {
      if (INLINE.has(name)) return lib.function(f32).code(f, lib, a);
      const own = lib.functions[f32];
      if (own !== undefined) return lib.call(f32, ...args(own.arity, a, b));
      const both = args(lib.function(name).arity, a, b);
      return demotePair(lib.call(name, ...both.map((x) => f64x2.promoteLowF32x4(x))), lib.call(name, ...both.map(promoteHigh)));
    },
    (_, lib, a, b) => lib.call(name, ...args(lib.function(name).arity, a, b)),
  );
}

type Binary = (a: V, b: V) => V;

/** Comparisons give masks of 32 bits; those of float64 are narrowed by {@link lower}. */
const compare = (f32: Binary, f64: Binary, int: Binary, bool: Binary = int): Rules => ({
  float32: (_f, _lib, a, b) => f32(a, b),
  float64: (_f, _lib, a, b) => f64(a, b),
  int32: (_f, _lib, a, b) => int(a, b),
  // As masks, true is −1: unsigned it is the larger.
  bool: (_f, _lib, a, b) => bool(a, b),
});

/** Four scalar operations, where there is no vector one. */
const laneByLane =
  (op: (a: Expr<'i32'>, b: Expr<'i32'>, f: FunctionBuilder) => Expr<'i32'>): PerVector =>
  (f, _, a, b) => {
    const out = f.local('v128');
    for (let k = 0; k < 4; k++) f.set(out, i32x4.replaceLane(k, out, op(i32x4.extractLane(k, a), i32x4.extractLane(k, b), f)));
    return out;
  };

const idiv = laneByLane((x, y, f) => {
  const [a, b] = [f.local('i32', x), f.local('i32', y)];
  // Neither 0 nor −1 may be divided by: for −1, −a wraps as it should.
  const safe = select(i32.leU(i32.add(b, 1), 1), i32.const(1), b);
  return select(i32.eqz(b), i32.const(0), select(i32.eq(b, -1), i32.sub(0, a), i32.divS(a, safe)));
});
const irem = laneByLane((x, y, f) => {
  const [a, b] = [f.local('i32', x), f.local('i32', y)];
  return i32.remS(a, select(i32.eqz(b), i32.const(1), b));
});
/** Lanes are shifted by amounts of their own. */
const shl = laneByLane((x, y, f) => {
  const b = f.local('i32', y);
  return select(i32.gtU(b, 31), i32.const(0), i32.shl(x, b));
});
const shr = laneByLane((x, y, f) => {
  const b = f.local('i32', y);
  return i32.shrS(x, select(i32.gtU(b, 31), i32.const(31), b));
});

/** The larger, with NaN if either is: f32x4.max is four instructions, a comparison and two selects are three. */
const maxF32: PerVector = (_f, _lib, a, b) => v128.bitselect(a, f32x4.pmax(a, b), f32x4.ne(a, a));
const minF32: PerVector = (_f, _lib, a, b) => v128.bitselect(a, f32x4.pmin(a, b), f32x4.ne(a, a));

/** pmax(a, b) = a < b ? b : a loses a NaN in b. */
const nanOfB =
  (rule: PerVector): PerVector =>
  (f, lib, a, b, c) =>
    v128.or(rule(f, lib, a, b, c), f32x4.ne(b, b));

const PHILOX_M0 = 0xd2511f53 | 0;
const PHILOX_M1 = 0xcd9e8d57 | 0;

/** The upper 32 bits of unsigned products. */
function mulHigh(a: VLocal, m: number): V {
  return i32x4.shuffle([1, 3, 5, 7], i64x2.extmulLowI32x4U(a, i32x4.const(m)), i64x2.extmulHighI32x4U(a, i32x4.const(m)));
}

const philox: PerVector = (f, _, counter, key0, key1) => {
  let c = [counter, f.local('v128', i32x4.const(0)), f.local('v128', i32x4.const(0)), f.local('v128', i32x4.const(0))];
  const k0 = f.local('v128', key0);
  const k1 = f.local('v128', key1);
  for (let round = 0; round < 10; round++) {
    const next = [
      v128.xor(v128.xor(mulHigh(c[2], PHILOX_M1), c[1]), k0),
      i32x4.mul(c[2], PHILOX_M1),
      v128.xor(v128.xor(mulHigh(c[0], PHILOX_M0), c[3]), k1),
      i32x4.mul(c[0], PHILOX_M0),
    ];
    c = next.map((x) => f.local('v128', x));
    f.set(k0, i32x4.add(k0, 0x9e3779b9 | 0));
    f.set(k1, i32x4.add(k1, 0xbb67ae85 | 0));
  }
  return c[0];
};

/** −1, 0 or 1; 0 of NaN. */
const signF32: PerVector = (_f, _lib, a) => v128.bitselect(f32x4.const(1), v128.and(f32x4.const(-1), f32x4.lt(a, 0)), f32x4.gt(a, 0));
const signF64: PerVector = (_f, _lib, a) => v128.bitselect(f64x2.const(1), v128.and(f64x2.const(-1), f64x2.lt(a, 0)), f64x2.gt(a, 0));

const RULES: { readonly [O in Exclude<Opcode, 'cast' | 'bitcast' | 'index' | 'where'>]: Rules } = {
  copy: same((_f, _lib, a) => a),
  add: number(
    (_f, _l, a, b) => f32x4.add(a, b),
    (_f, _l, a, b) => f64x2.add(a, b),
    (_f, _l, a, b) => i32x4.add(a, b),
  ),
  sub: number(
    (_f, _l, a, b) => f32x4.sub(a, b),
    (_f, _l, a, b) => f64x2.sub(a, b),
    (_f, _l, a, b) => i32x4.sub(a, b),
  ),
  mul: number(
    (_f, _l, a, b) => f32x4.mul(a, b),
    (_f, _l, a, b) => f64x2.mul(a, b),
    (_f, _l, a, b) => i32x4.mul(a, b),
  ),
  div: float(
    (_f, _l, a, b) => f32x4.div(a, b),
    (_f, _l, a, b) => f64x2.div(a, b),
  ),
  idiv: { int32: idiv },
  irem: { int32: irem },
  fmod: math('fmod'),
  neg: number(
    (_f, _l, a) => f32x4.neg(a),
    (_f, _l, a) => f64x2.neg(a),
    (_f, _l, a) => i32x4.neg(a),
  ),
  abs: number(
    (_f, _l, a) => f32x4.abs(a),
    (_f, _l, a) => f64x2.abs(a),
    (_f, _l, a) => i32x4.abs(a),
  ),
  sign: number(signF32, signF64, (_f, _l, a) => i32x4.sub(i32x4.ltS(a, 0), i32x4.gtS(a, 0))),
  max: number(
    nanOfB(maxF32),
    (_f, _l, a, b) => f64x2.max(a, b),
    (_f, _l, a, b) => i32x4.maxS(a, b),
  ),
  min: number(
    nanOfB(minF32),
    (_f, _l, a, b) => f64x2.min(a, b),
    (_f, _l, a, b) => i32x4.minS(a, b),
  ),
  floor: float(
    (_f, _l, a) => f32x4.floor(a),
    (_f, _l, a) => f64x2.floor(a),
  ),
  ceil: float(
    (_f, _l, a) => f32x4.ceil(a),
    (_f, _l, a) => f64x2.ceil(a),
  ),
  trunc: float(
    (_f, _l, a) => f32x4.trunc(a),
    (_f, _l, a) => f64x2.trunc(a),
  ),
  round: float(
    (_f, _l, a) => f32x4.nearest(a),
    (_f, _l, a) => f64x2.nearest(a),
  ),
  sqrt: float(
    (_f, _l, a) => f32x4.sqrt(a),
    (_f, _l, a) => f64x2.sqrt(a),
  ),
  eq: compare(f32x4.eq, f64x2.eq, i32x4.eq),
  ne: compare(f32x4.ne, f64x2.ne, i32x4.ne),
  lt: compare(f32x4.lt, f64x2.lt, i32x4.ltS, i32x4.ltU),
  le: compare(f32x4.le, f64x2.le, i32x4.leS, i32x4.leU),
  gt: compare(f32x4.gt, f64x2.gt, i32x4.gtS, i32x4.gtU),
  ge: compare(f32x4.ge, f64x2.ge, i32x4.geS, i32x4.geU),
  isnan: float(
    (_f, _l, a) => f32x4.ne(a, a),
    (_f, _l, a) => f64x2.ne(a, a),
  ),
  and: same((_f, _l, a, b) => v128.and(a, b)),
  or: same((_f, _l, a, b) => v128.or(a, b)),
  xor: same((_f, _l, a, b) => v128.xor(a, b)),
  not: same((_f, _l, a) => v128.not(a)),
  shl: { int32: shl },
  shr: { int32: shr },
  exp: math('exp'),
  expm1: math('expm1'),
  log: math('log'),
  log1p: math('log1p'),
  log2: math('log2'),
  log10: math('log10'),
  exp2: math('exp2'),
  pow: math('pow'),
  sin: math('sin'),
  cos: math('cos'),
  tan: math('tan'),
  asin: math('asin'),
  acos: math('acos'),
  atan: math('atan'),
  atan2: math('atan2'),
  sinh: math('sinh'),
  cosh: math('cosh'),
  tanh: math('tanh'),
  asinh: math('asinh'),
  acosh: math('acosh'),
  atanh: math('atanh'),
  erf: math('erf'),
  erfc: math('erfc'),
  erfinv: math('erfinv'),
  lgamma: math('lgamma'),
  digamma: math('digamma'),
  toFloat16: { float32: (f, _l, a) => float16ToFloat32(f, float32ToFloat16(f, a)) },
  toBfloat16: { float32: (_f, _l, a) => bfloat16ToFloat32(float32ToBfloat16(a)) },
  toUint8: { int32: (_f, _l, a) => v128.and(a, i32x4.const(255)) },
  philox: { int32: philox },
};

/** Opcodes whose result is a mask, whatever their arguments are. */
const MASKS: ReadonlySet<Opcode> = new Set<Opcode>(['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'isnan']);

/** The masks of two pairs of 64-bit lanes as one of four 32-bit lanes. */
const narrowMasks = (low: V, high: V): V => i32x4.shuffle([0, 2, 4, 6], low, high);
/** And the reverse. */
const widenMask = (mask: VLocal, half: 0 | 1): V => i32x4.shuffle(half === 0 ? [0, 0, 1, 1] : [2, 2, 3, 3], mask, mask);

/** The four results of an instruction on four elements of each argument; null where no such instruction is defined. */
export function lower(
  f: FunctionBuilder,
  lib: MathLibrary,
  op: Exclude<Opcode, 'index'>,
  from: ComputeDType,
  to: ComputeDType,
  args: readonly Quad[],
): Quad | null {
  const keep = (...values: V[]): Quad => values.map((value) => f.keep(value));
  if (op === 'cast') return keep(...castVectors(f, from, to, args[0]));
  if (op === 'bitcast') return from === to || (to !== 'float64' && from !== 'float64') ? args[0] : null;
  if (op === 'where') {
    const [[mask], a, b] = args;
    if (to !== 'float64') return keep(v128.bitselect(a[0], b[0], mask));
    return keep(v128.bitselect(a[0], b[0], widenMask(mask, 0)), v128.bitselect(a[1], b[1], widenMask(mask, 1)));
  }
  const rule = RULES[op][from];
  if (rule === undefined) return null;
  const [a, b = a, c = a] = args;
  if (from !== 'float64') return keep(rule(f, lib, a[0], b[0], c[0]));
  const low = rule(f, lib, a[0], b[0], c[0]);
  // A broadcast value is the same vector twice: computed once.
  const twice = a[0] === a[1] && b[0] === b[1] && c[0] === c[1];
  if (MASKS.has(op)) return keep(narrowMasks(low, rule(f, lib, a[1], b[1], c[1])));
  const first = f.keep(low);
  return twice ? [first, first] : [first, f.keep(rule(f, lib, a[1], b[1], c[1]))];
}

function castVectors(f: FunctionBuilder, from: ComputeDType, to: ComputeDType, [a, b]: Quad): V[] {
  if (from === to) return from === 'float64' ? [a, b] : [a];
  switch (from) {
    case 'bool':
      if (to === 'int32') return [i32x4.neg(a)];
      if (to === 'float32') return [v128.and(a, f32x4.const(1))];
      return [v128.and(widenMask(a, 0), f64x2.const(1)), v128.and(widenMask(a, 1), f64x2.const(1))];
    case 'int32':
      if (to === 'bool') return [i32x4.ne(a, 0)];
      if (to === 'float32') return [f32x4.convertI32x4S(a)];
      return [f64x2.convertLowI32x4S(a), f64x2.convertLowI32x4S(upper(a))];
    case 'float32':
      if (to === 'bool') return [f32x4.ne(a, 0)];
      if (to === 'int32') return [i32x4.truncSatF32x4S(a)];
      return [f64x2.promoteLowF32x4(a), promoteHigh(a)];
    default:
      if (to === 'bool') return [narrowMasks(f.keep(f64x2.ne(a, 0)), f.keep(f64x2.ne(b, 0)))];
      if (to === 'float32') return [demotePair(a, b)];
      return [i32x4.shuffle([0, 1, 4, 5], i32x4.truncSatF64x2SZero(a), i32x4.truncSatF64x2SZero(b))];
  }
}
