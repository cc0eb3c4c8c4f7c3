/** @file What each instruction does, in plain JavaScript on lanes: the models that emitted code is compared with. */

/** Lanes of one interpretation of 16 bytes; integers as signed or unsigned numbers, 64-bit ones as bigints. */
export type Lane = number | bigint;
export type LaneKind = 's8' | 'u8' | 's16' | 'u16' | 's32' | 'u32' | 's64' | 'u64' | 'f32' | 'f64';

const ARRAYS = {
  s8: Int8Array,
  u8: Uint8Array,
  s16: Int16Array,
  u16: Uint16Array,
  s32: Int32Array,
  u32: Uint32Array,
  s64: BigInt64Array,
  u64: BigUint64Array,
  f32: Float32Array,
  f64: Float64Array,
};

export function lanesOf(bytes: Uint8Array, kind: LaneKind): Lane[] {
  return [...(new ARRAYS[kind](bytes.slice().buffer) as Iterable<Lane>)];
}

export function bytesOf(lanes: readonly Lane[], kind: LaneKind): Uint8Array {
  const array = new ARRAYS[kind](lanes.length);
  lanes.forEach((x, i) => {
    (array as unknown as Lane[])[i] = kind.endsWith('64') && kind[0] !== 'f' ? BigInt.asIntN(64, BigInt(x)) : x;
  });
  const out = new Uint8Array(16);
  out.set(new Uint8Array(array.buffer));
  return out;
}

/** Operands and result as 16 bytes each; a scalar is in the first bytes. `immediate` is the lane or the lanes, where there are some. */
export type Model = (args: readonly Uint8Array[], immediate: number | readonly number[]) => { bytes: Uint8Array; kind: LaneKind };

type Fn = (...lanes: never[]) => Lane;

/** Lane by lane, over operands of one kind. */
const map =
  (kind: LaneKind, fn: Fn, to: LaneKind = kind): Model =>
  (args) => {
    const lanes = args.map((bytes) => lanesOf(bytes, kind));
    const out = lanes[0].map((_, i) => (fn as (...x: Lane[]) => Lane)(...lanes.map((l) => l[i])));
    return { bytes: bytesOf(out, to), kind: to };
  };
const whole =
  (kind: LaneKind, to: LaneKind, fn: (...lanes: Lane[][]) => readonly Lane[]): Model =>
  (args) => ({ bytes: bytesOf(fn(...args.map((bytes) => lanesOf(bytes, kind))), to), kind: to });
const N = Number;
const clamp = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);
const nearest = (x: number): number => {
  const r = Math.round(x);
  const even = Math.abs(r - x) === 0.5 && r % 2 !== 0 ? r - 1 : r;
  return even === 0 ? (Object.is(x, -0) || x < 0 ? -0 : 0) : even;
};
const popcount = (x: number): number => x.toString(2).replaceAll('0', '').length;
const RANGE = { 8: [-128, 127, 255], 16: [-32768, 32767, 65535], 32: [-2147483648, 2147483647, 4294967295] } as const;
const truncate = (low: number, high: number) => (x: number) => (x !== x ? 0 : clamp(Math.trunc(x), low, high));
const first = (kind: LaneKind, to: LaneKind, fn: (x: never) => Lane): Model => whole(kind, to, (a) => [(fn as (x: Lane) => Lane)(a[0])]);

function floats(kind: 'f32' | 'f64'): Record<string, Model> {
  return {
    abs: map(kind, Math.abs),
    neg: map(kind, (x: number) => -x),
    ceil: map(kind, Math.ceil),
    floor: map(kind, Math.floor),
    trunc: map(kind, Math.trunc),
    nearest: map(kind, nearest),
    sqrt: map(kind, Math.sqrt),
    add: map(kind, (a: number, b: number) => a + b),
    sub: map(kind, (a: number, b: number) => a - b),
    mul: map(kind, (a: number, b: number) => a * b),
    div: map(kind, (a: number, b: number) => a / b),
    min: map(kind, Math.min),
    max: map(kind, Math.max),
    pmin: map(kind, (a: number, b: number) => (b < a ? b : a)),
    pmax: map(kind, (a: number, b: number) => (a < b ? b : a)),
    copysign: map(kind, (a: number, b: number) => (b < 0 || Object.is(b, -0) ? -Math.abs(a) : Math.abs(a))),
  };
}

/** Comparisons of vectors give masks of the lanes' width, those of scalars 0 or 1. */
function comparisons(signed: LaneKind, unsigned: LaneKind, mask: LaneKind | null): Record<string, Model> {
  const is = (kind: LaneKind, test: (a: Lane, b: Lane) => boolean): Model =>
    mask === null
      ? whole(kind, 's32', (a, b) => [test(a[0], b[0]) ? 1 : 0])
      : map(kind, ((a: Lane, b: Lane) => (test(a, b) ? -1 : 0)) as Fn, mask);
  const both = (name: string, test: (a: Lane, b: Lane) => boolean): [string, Model][] =>
    signed === unsigned
      ? [[name, is(signed, test)]]
      : [
          [`${name}S`, is(signed, test)],
          [`${name}U`, is(unsigned, test)],
        ];
  return Object.fromEntries([
    ['eq', is(signed, (a, b) => a === b)],
    ['ne', is(signed, (a, b) => a !== b)],
    ...both('lt', (a, b) => a < b),
    ...both('gt', (a, b) => a > b),
    ...both('le', (a, b) => a <= b),
    ...both('ge', (a, b) => a >= b),
  ]) as Record<string, Model>;
}

function scalarIntegers(bits: 32 | 64): Record<string, Model> {
  const s: LaneKind = `s${bits}`;
  const u: LaneKind = `u${bits}`;
  const m = BigInt(bits);
  const wrap = (x: bigint): Lane => (bits === 32 ? N(BigInt.asIntN(32, x)) : BigInt.asIntN(64, x));
  const op = (kind: LaneKind, fn: (a: bigint, b: bigint) => bigint): Model =>
    whole(kind, s, (a, b) => [wrap(fn(BigInt(a[0]), BigInt(b?.[0] ?? 0)))]);
  const text = (x: bigint): string => BigInt.asUintN(bits, x).toString(2).padStart(bits, '0');
  const rotate = (a: bigint, by: bigint): bigint => {
    const x = BigInt.asUintN(bits, a);
    return (x << by) | (x >> (m - by));
  };
  return {
    ...comparisons(s, u, null),
    eqz: whole(s, 's32', (a) => [N(a[0]) === 0 ? 1 : 0]),
    clz: op(u, (a) => BigInt(/^0*/.exec(text(a))![0].length)),
    ctz: op(u, (a) => BigInt(/0*$/.exec(text(a))![0].length)),
    popcnt: op(u, (a) => BigInt(text(a).replaceAll('0', '').length)),
    add: op(s, (a, b) => a + b),
    sub: op(s, (a, b) => a - b),
    mul: op(s, (a, b) => a * b),
    divS: op(s, (a, b) => a / b),
    divU: op(u, (a, b) => a / b),
    remS: op(s, (a, b) => a % b),
    remU: op(u, (a, b) => a % b),
    and: op(s, (a, b) => a & b),
    or: op(s, (a, b) => a | b),
    xor: op(s, (a, b) => a ^ b),
    shl: op(s, (a, b) => a << (b & (m - 1n))),
    shrS: op(s, (a, b) => a >> (b & (m - 1n))),
    shrU: op(u, (a, b) => a >> (b & (m - 1n))),
    rotl: op(s, (a, b) => rotate(a, b & (m - 1n))),
    rotr: op(s, (a, b) => rotate(a, (m - (b & (m - 1n))) & (m - 1n))),
    extend8S: op(s, (a) => BigInt.asIntN(8, a)),
    extend16S: op(s, (a) => BigInt.asIntN(16, a)),
  };
}

/** Truncations of floats to integers; those that do not saturate trap out of range, so they are tried inside it. */
function truncations(to: 's32' | 's64'): Record<string, Model> {
  const bits = to === 's32' ? 32n : 64n;
  const signed = (x: number): bigint => (x !== x ? 0n : bounded(x, -(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n));
  const unsigned = (x: number): bigint => (x !== x ? 0n : bounded(x, 0n, (1n << bits) - 1n));
  const bounded = (x: number, low: bigint, high: bigint): bigint => {
    if (x === Infinity) return high;
    if (x === -Infinity) return low;
    const t = BigInt(Math.trunc(x));
    return t < low ? low : t > high ? high : t;
  };
  const give = (x: bigint): Lane => (to === 's32' ? N(BigInt.asIntN(32, x)) : BigInt.asIntN(64, x));
  const out: Record<string, Model> = {};
  for (const from of ['f32', 'f64'] as const) {
    const name = from.toUpperCase();
    out[`truncSat${name}S`] = out[`trunc${name}S`] = first(from, to, (x: number) => give(signed(x)));
    out[`truncSat${name}U`] = out[`trunc${name}U`] = first(from, to, (x: number) => give(unsigned(x)));
  }
  return out;
}

function vectorIntegers(bits: 8 | 16 | 32): Record<string, Model> {
  const s: LaneKind = `s${bits}`;
  const u: LaneKind = `u${bits}`;
  const [low, high, unsignedHigh] = RANGE[bits];
  const shift =
    (kind: LaneKind, fn: (x: bigint, by: bigint) => bigint): Model =>
    (args) => {
      const by = BigInt(N(lanesOf(args[1], 'u32')[0]) & (bits - 1));
      return {
        bytes: bytesOf(
          lanesOf(args[0], kind).map((x) => N(BigInt.asIntN(bits, fn(BigInt(x), by)))),
          s,
        ),
        kind: s,
      };
    };
  const half =
    (from: number) =>
    (a: readonly Lane[]): readonly Lane[] =>
      a.slice(from, from + 128 / bits);
  const narrow: LaneKind = `s${bits === 32 ? 16 : 8}`;
  const narrowU: LaneKind = `u${bits === 32 ? 16 : 8}`;
  const from = bits === 32 ? 'I16x8' : 'I8x16';
  const count = 128 / bits;
  const extend =
    bits === 8
      ? {}
      : {
          [`extendLow${from}S`]: whole(narrow, s, half(0)),
          [`extendHigh${from}S`]: whole(narrow, s, half(count)),
          [`extendLow${from}U`]: whole(narrowU, u, half(0)),
          [`extendHigh${from}U`]: whole(narrowU, u, half(count)),
          ...Object.fromEntries(
            (['S', 'U'] as const).flatMap((sign) => {
              const kind = sign === 'S' ? narrow : narrowU;
              const product = (at: number): Model =>
                whole(kind, sign === 'S' ? s : u, (a, b) => half(at)(a).map((x, i) => N(x) * N(b[at + i])));
              return [
                [`extmulLow${from}${sign}`, product(0)],
                [`extmulHigh${from}${sign}`, product(count)],
                [
                  `extaddPairwise${from}${sign}`,
                  whole(kind, sign === 'S' ? s : u, (a) => Array.from({ length: count }, (_, i) => N(a[2 * i]) + N(a[2 * i + 1]))),
                ],
              ] as [string, Model][];
            }),
          ),
        };
  const wide = `I${bits * 2}x${count / 2}`;
  const wideKind: LaneKind = `s${(bits * 2) as 16 | 32}`;
  const narrowing =
    bits === 32
      ? {}
      : {
          [`narrow${wide}S`]: whole(wideKind, s, (a, b) => [...a, ...b].map((x) => clamp(N(x), low, high))),
          [`narrow${wide}U`]: whole(wideKind, u, (a, b) => [...a, ...b].map((x) => clamp(N(x), 0, unsignedHigh))),
        };
  return {
    ...comparisons(s, u, s),
    abs: map(s, (x: number) => Math.abs(x)),
    neg: map(s, (x: number) => -x),
    popcnt: map(u, popcount),
    allTrue: whole(s, 's32', (a) => [a.every((x) => x !== 0) ? 1 : 0]),
    bitmask: whole(s, 's32', (a) => [a.reduce<number>((mask, x, i) => mask | (N(x) < 0 ? 1 << i : 0), 0)]),
    shl: shift(s, (x, by) => x << by),
    shrS: shift(s, (x, by) => x >> by),
    shrU: shift(u, (x, by) => x >> by),
    add: map(s, (a: number, b: number) => a + b),
    sub: map(s, (a: number, b: number) => a - b),
    mul: map(s, (a: number, b: number) => N(BigInt.asIntN(32, BigInt(a) * BigInt(b)))),
    addSatS: map(s, (a: number, b: number) => clamp(a + b, low, high)),
    addSatU: map(u, (a: number, b: number) => clamp(a + b, 0, unsignedHigh)),
    subSatS: map(s, (a: number, b: number) => clamp(a - b, low, high)),
    subSatU: map(u, (a: number, b: number) => clamp(a - b, 0, unsignedHigh)),
    minS: map(s, Math.min),
    minU: map(u, Math.min),
    maxS: map(s, Math.max),
    maxU: map(u, Math.max),
    avgrU: map(u, (a: number, b: number) => (a + b + 1) >> 1),
    ...extend,
    ...narrowing,
  };
}

const MASK = (kind: LaneKind) =>
  Object.fromEntries(
    Object.entries({
      eq: (a: number, b: number) => a === b,
      ne: (a: number, b: number) => a !== b,
      lt: (a: number, b: number) => a < b,
      gt: (a: number, b: number) => a > b,
      le: (a: number, b: number) => a <= b,
      ge: (a: number, b: number) => a >= b,
    }).map(([name, test]) => [
      name,
      map(
        kind,
        ((a: number, b: number) => (test(a, b) ? (kind === 'f64' ? -1n : -1) : kind === 'f64' ? 0n : 0)) as Fn,
        kind === 'f64' ? 's64' : 's32',
      ),
    ]),
  );

const longs = (): Record<string, Model> => {
  const big = (fn: (a: bigint, b: bigint) => bigint): Model => map('s64', fn as Fn);
  const shift =
    (kind: LaneKind, fn: (x: bigint, by: bigint) => bigint): Model =>
    (args) => {
      const by = BigInt(N(lanesOf(args[1], 'u32')[0]) & 63);
      return {
        bytes: bytesOf(
          lanesOf(args[0], kind).map((x) => fn(x as bigint, by)),
          's64',
        ),
        kind: 's64',
      };
    };
  const pair = (kind: 's32' | 'u32', at: number, fn: (a: bigint, b: bigint) => bigint): Model =>
    whole(kind, 's64', (a, b) => [at, at + 1].map((i) => fn(BigInt(a[i]), BigInt(b?.[i] ?? 0))));
  const is = (test: (a: bigint, b: bigint) => boolean): Model => big((a, b) => (test(a, b) ? -1n : 0n));
  return {
    eq: is((a, b) => a === b),
    ne: is((a, b) => a !== b),
    ltS: is((a, b) => a < b),
    gtS: is((a, b) => a > b),
    leS: is((a, b) => a <= b),
    geS: is((a, b) => a >= b),
    abs: big((a) => (a < 0n ? -a : a)),
    neg: big((a) => -a),
    add: big((a, b) => a + b),
    sub: big((a, b) => a - b),
    mul: big((a, b) => a * b),
    allTrue: whole('s64', 's32', (a) => [a.every((x) => x !== 0n) ? 1 : 0]),
    bitmask: whole('s64', 's32', (a) => [a.reduce<number>((mask, x, i) => mask | (x < 0n ? 1 << i : 0), 0)]),
    shl: shift('s64', (x, by) => x << by),
    shrS: shift('s64', (x, by) => x >> by),
    shrU: shift('u64', (x, by) => x >> by),
    extendLowI32x4S: pair('s32', 0, (a) => a),
    extendHighI32x4S: pair('s32', 2, (a) => a),
    extendLowI32x4U: pair('u32', 0, (a) => a),
    extendHighI32x4U: pair('u32', 2, (a) => a),
    extmulLowI32x4S: pair('s32', 0, (a, b) => a * b),
    extmulHighI32x4S: pair('s32', 2, (a, b) => a * b),
    extmulLowI32x4U: pair('u32', 0, (a, b) => a * b),
    extmulHighI32x4U: pair('u32', 2, (a, b) => a * b),
  };
};

const bits = (fn: (a: number, b: number, c: number) => number): Model => map('s32', fn as Fn);
const bitselect = bits((a, b, c) => (a & c) | (b & ~c));
const q15 = map('s16', (a: number, b: number) => clamp((a * b + 0x4000) >> 15, -32768, 32767));
const swizzle = whole('u8', 'u8', (a, s) => s.map((i) => (N(i) < 16 ? a[N(i)] : 0)));

/** Models of what computes, by family and name. Accesses to memory are tested with a memory. */
export const MODELS: Readonly<Record<string, Readonly<Record<string, Model>>>> = {
  i32: {
    ...scalarIntegers(32),
    ...truncations('s32'),
    wrapI64: first('s64', 's32', (x: bigint) => N(BigInt.asIntN(32, x))),
    reinterpretF32: first('s32', 's32', (x: number) => x),
  },
  i64: {
    ...scalarIntegers(64),
    ...truncations('s64'),
    extendI32S: first('s32', 's64', (x: number) => BigInt(x)),
    extendI32U: first('u32', 's64', (x: number) => BigInt(x)),
    extend32S: first('s64', 's64', (x: bigint) => BigInt.asIntN(32, x)),
    reinterpretF64: first('s64', 's64', (x: bigint) => x),
  },
  f32: {
    ...floats('f32'),
    ...comparisons('f32', 'f32', null),
    convertI32S: first('s32', 'f32', N),
    convertI32U: first('u32', 'f32', N),
    convertI64S: first('s64', 'f32', toFloat32),
    convertI64U: first('u64', 'f32', toFloat32),
    demoteF64: first('f64', 'f32', (x: number) => x),
    reinterpretI32: first('f32', 'f32', (x: number) => x),
  },
  f64: {
    ...floats('f64'),
    ...comparisons('f64', 'f64', null),
    convertI32S: first('s32', 'f64', N),
    convertI32U: first('u32', 'f64', N),
    convertI64S: first('s64', 'f64', N),
    convertI64U: first('u64', 'f64', N),
    promoteF32: first('f32', 'f64', (x: number) => x),
    reinterpretI64: first('f64', 'f64', (x: number) => x),
  },
  v128: {
    not: bits((a) => ~a),
    and: bits((a, b) => a & b),
    andnot: bits((a, b) => a & ~b),
    or: bits((a, b) => a | b),
    xor: bits((a, b) => a ^ b),
    bitselect,
    anyTrue: whole('s32', 's32', (a) => [a.some((x) => x !== 0) ? 1 : 0]),
  },
  i8x16: { ...vectorIntegers(8), swizzle, relaxedSwizzle: swizzle, relaxedLaneselect: bitselect },
  i16x8: {
    ...vectorIntegers(16),
    q15mulrSatS: q15,
    relaxedQ15mulrS: q15,
    relaxedLaneselect: bitselect,
    relaxedDotI8x16I7x16S: whole('s8', 's16', (a, b) =>
      Array.from({ length: 8 }, (_, i) => N(a[2 * i]) * N(b[2 * i]) + N(a[2 * i + 1]) * N(b[2 * i + 1])),
    ),
  },
  i32x4: {
    ...vectorIntegers(32),
    dotI16x8S: whole('s16', 's32', (a, b) => [0, 1, 2, 3].map((i) => N(a[2 * i]) * N(b[2 * i]) + N(a[2 * i + 1]) * N(b[2 * i + 1]))),
    ...Object.fromEntries(
      ['truncSat', 'relaxedTrunc'].flatMap((t) => [
        [`${t}F32x4S`, map('f32', truncate(-2147483648, 2147483647), 's32')],
        [`${t}F32x4U`, map('f32', truncate(0, 4294967295), 'u32')],
        [`${t}F64x2SZero`, map('f64', truncate(-2147483648, 2147483647), 's32')],
        [`${t}F64x2UZero`, map('f64', truncate(0, 4294967295), 'u32')],
      ]),
    ),
    relaxedLaneselect: bitselect,
    relaxedDotI8x16I7x16AddS: (args) => {
      const [a, b] = args.map((x) => lanesOf(x, 's8').map(N));
      const c = lanesOf(args[2], 's32').map(N);
      return {
        bytes: bytesOf(
          c.map((x, i) => x + [0, 1, 2, 3].reduce((sum, k) => sum + a[4 * i + k] * b[4 * i + k], 0)),
          's32',
        ),
        kind: 's32',
      };
    },
  },
  i64x2: { ...longs(), relaxedLaneselect: bitselect },
  f32x4: {
    ...floats('f32'),
    ...MASK('f32'),
    demoteF64x2Zero: map('f64', (x: number) => x, 'f32'),
    convertI32x4S: map('s32', (x: number) => x, 'f32'),
    convertI32x4U: map('u32', (x: number) => x, 'f32'),
    relaxedMin: map('f32', Math.min),
    relaxedMax: map('f32', Math.max),
    relaxedMadd: map('f32', (a: number, b: number, c: number) => a * b + c),
    relaxedNmadd: map('f32', (a: number, b: number, c: number) => -a * b + c),
  },
  f64x2: {
    ...floats('f64'),
    ...MASK('f64'),
    promoteLowF32x4: whole('f32', 'f64', (a) => a.slice(0, 2)),
    convertLowI32x4S: whole('s32', 'f64', (a) => a.slice(0, 2)),
    convertLowI32x4U: whole('u32', 'f64', (a) => a.slice(0, 2)),
    relaxedMin: map('f64', Math.min),
    relaxedMax: map('f64', Math.max),
    relaxedMadd: map('f64', (a: number, b: number, c: number) => a * b + c),
    relaxedNmadd: map('f64', (a: number, b: number, c: number) => -a * b + c),
  },
};

/** BigInt to float32 in one rounding: Number() would round twice. */
function toFloat32(x: bigint): number {
  let size = x < 0n ? -x : x;
  let scale = 0n;
  while (size >> 40n > 0n) {
    size = (size >> 1n) | (size & 1n); // the lost bits stay as a sticky one
    scale++;
  }
  return Math.fround(N(size) * N(x < 0n ? -1n : 1n)) * 2 ** N(scale);
}
