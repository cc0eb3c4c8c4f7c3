/**
 * @file The instructions as typed functions: `f32x4.add(x, f32x4.mul(y, 2))`, `i32.load(address, 8)`, `i32x4.extractLane(0, x)`.
 * A number where lanes are wanted becomes a constant in all lanes; one where an integer is wanted, a constant of its type.
 */
import { I32_ATOMIC, I64_ATOMIC, MEMORY_ATOMIC } from './atomic-instructions.js';
import { Apply, AssemblerError, Const, type Expr, operand, type Operand, Sequence } from './expression.js';
import { ATOMIC, type Instruction } from './instruction.js';
import { F32, F64, I32, I64 } from './scalar-instructions.js';
import { F32X4, F64X2, I16X8, I32X4, I64X2, I8X16, V128 } from './simd-instructions.js';
import type { ResultType, ValueType } from './value-types.js';

/** An operand of a lane family: numbers fill all lanes. */
type Lanes<T extends ValueType, L> = Operand<T> | (T extends 'v128' ? L : never);
type Args<P extends readonly ValueType[], L> = { [K in keyof P]: Lanes<P[K], L> };

type Method<I, L> =
  I extends Instruction<infer P, infer R, infer F>
    ? F extends 'plain'
      ? (...args: Args<P, L>) => Expr<R>
      : F extends 'memory'
        ? (...args: [...Args<P, L>, offset?: number, align?: number]) => Expr<R>
        : F extends 'lane'
          ? (lane: number, ...args: Args<P, L>) => Expr<R>
          : F extends 'memoryLane'
            ? (lane: number, ...args: [...Args<P, L>, offset?: number]) => Expr<R>
            : F extends 'shuffle'
              ? (lanes: ArrayLike<number>, ...args: Args<P, L>) => Expr<R>
              : never
    : never;

export type Table = { readonly [name: string]: Instruction };
type Family<T extends Table, L = never> = { readonly [K in Exclude<keyof T, 'const'>]: Method<T[K], L> };

type Fill = (value: number | bigint) => Expr<'v128'>;

/** How far accesses are taken to be aligned: what is not atomic may lie anywhere, and compilers gain nothing from more than this. */
const MAX_ALIGNMENT = 2;

function family<T extends Table, L = never>(table: T, fill?: Fill): Family<T, L> {
  const methods: Record<string, unknown> = {};
  for (const [name, instruction] of Object.entries(table)) if (name !== 'const') methods[name] = method(name, instruction, fill);
  return methods as Family<T, L>;
}

function method(name: string, instruction: Instruction, fill: Fill | undefined): unknown {
  const { params, result, form, width, aligned } = instruction;
  const count = params.length;
  const value = (type: ValueType, x: unknown): Expr => {
    if (x === undefined) throw new AssemblerError(`${name} takes ${count} operands`);
    if (type === 'v128' && fill !== undefined && typeof x !== 'object') return fill(x as number);
    return operand(type, x as Operand<ValueType>);
  };
  const natural = Math.log2(Math.max(width, 1));
  switch (form) {
    case 'plain':
      // The usual counts apart: emission is all about these.
      if (count === 2) return (a: unknown, b: unknown) => new Apply(instruction, result, [value(params[0], a), value(params[1], b)]);
      if (count === 1) return (a: unknown) => new Apply(instruction, result, [value(params[0], a)]);
      return (...args: unknown[]) =>
        new Apply(
          instruction,
          result,
          params.map((type, i) => value(type, args[i])),
        );
    case 'memory':
      return (...args: unknown[]) =>
        new Apply(
          instruction,
          result,
          params.map((type, i) => value(type, args[i])),
          (args[count] as number | undefined) ?? 0,
          aligned ? natural : Math.min((args[count + 1] as number | undefined) ?? MAX_ALIGNMENT, natural),
        );
    case 'lane':
      return (lane: number, ...args: unknown[]) =>
        new Apply(
          instruction,
          result,
          params.map((type, i) => value(type, args[i])),
          lane,
        );
    case 'memoryLane':
      return (lane: number, ...args: unknown[]) =>
        new Apply(
          instruction,
          result,
          params.map((type, i) => value(type, args[i])),
          (args[count] as number | undefined) ?? 0,
          Math.min(natural, MAX_ALIGNMENT),
          lane,
        );
    default:
      return (lanes: ArrayLike<number>, a: unknown, b: unknown) =>
        new Apply(instruction, result, [value('v128', a), value('v128', b)], 0, 0, 0, lanes);
  }
}

/** Makes the constants of a lane family: of one value for all lanes, or of all of them. */
function constants<N extends number | bigint>(
  count: number,
  set: (view: DataView, lane: number, value: N) => void,
): (...values: N[]) => Expr<'v128'> {
  return (...values) => {
    if (values.length !== 1 && values.length !== count) throw new AssemblerError(`${count} lanes or one, not ${values.length}`);
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    for (let lane = 0; lane < count; lane++) set(view, lane, values[values.length === 1 ? 0 : lane]);
    return new Const('v128', bytes);
  };
}

const i8Lanes = constants<number>(16, (view, lane, x) => view.setInt8(lane, x));
const i16Lanes = constants<number>(8, (view, lane, x) => view.setInt16(lane * 2, x, true));
const i32Lanes = constants<number>(4, (view, lane, x) => view.setInt32(lane * 4, x, true));
const i64Lanes = constants<number | bigint>(2, (view, lane, x) => view.setBigInt64(lane * 8, BigInt.asIntN(64, BigInt(x)), true));
const f32Lanes = constants<number>(4, (view, lane, x) => view.setFloat32(lane * 4, x, true));
const f64Lanes = constants<number>(2, (view, lane, x) => view.setFloat64(lane * 8, x, true));

const scalar = <T extends ValueType, N>(type: T) => ({ const: (value: N): Expr<T> => new Const(type, value as number) });

export const i32 = { ...family(I32), ...scalar<'i32', number>('i32') };
export const i64 = { ...family(I64), ...scalar<'i64', number | bigint>('i64') };
export const f32 = { ...family(F32), ...scalar<'f32', number>('f32') };
export const f64 = { ...family(F64), ...scalar<'f64', number>('f64') };
export const v128 = { ...family(V128), const: (bytes: Uint8Array): Expr<'v128'> => new Const('v128', bytes), zero: i32Lanes(0) };
export const i8x16 = { ...family<typeof I8X16, number>(I8X16, i8Lanes as Fill), const: i8Lanes };
export const i16x8 = { ...family<typeof I16X8, number>(I16X8, i16Lanes as Fill), const: i16Lanes };
export const i32x4 = { ...family<typeof I32X4, number>(I32X4, i32Lanes as Fill), const: i32Lanes, shuffle: shuffleOf(4) };
export const i64x2 = { ...family<typeof I64X2, number | bigint>(I64X2, i64Lanes as Fill), const: i64Lanes, shuffle: shuffleOf(8) };
export const f32x4 = { ...family<typeof F32X4, number>(F32X4, f32Lanes as Fill), const: f32Lanes, shuffle: shuffleOf(4) };
export const f64x2 = { ...family<typeof F64X2, number>(F64X2, f64Lanes as Fill), const: f64Lanes, shuffle: shuffleOf(8) };
export const i32Atomic = /* @__PURE__ */ family(I32_ATOMIC);
export const i64Atomic = /* @__PURE__ */ family(I64_ATOMIC);

/** i8x16.shuffle in wider lanes: `f32x4.shuffle([0, 4, 1, 5], a, b)` interleaves the lower lanes. */
function shuffleOf(width: number): (lanes: readonly number[], a: Expr<'v128'>, b: Expr<'v128'>) => Expr<'v128'> {
  return (lanes, a, b) =>
    i8x16.shuffle(
      lanes.flatMap((lane) => Array.from({ length: width }, (_, byte) => lane * width + byte)),
      a,
      b,
    );
}

const bulk = (n: number, args: readonly Operand<'i32'>[], ...immediates: number[]): Expr<'void'> =>
  new Sequence(
    'void',
    args.map((x) => operand('i32', x)),
    (code) => {
      code.byte(0xfc);
      code.u32(n);
      for (const x of immediates) code.u32(x);
    },
  );

const sized = <T extends ResultType>(type: T, args: readonly Expr[], byte: number): Expr<T> =>
  new Sequence(type, args, (code) => {
    code.byte(byte);
    code.byte(0);
  });

/** Memory as a whole. Addresses, sizes and counts are unsigned. */
export const memory = {
  /** In pages of 64 KiB. */
  size: (): Expr<'i32'> => sized('i32', [], 0x3f),
  /** Grows by so many pages; gives the size before, or −1. */
  grow: (pages: Operand<'i32'>): Expr<'i32'> => sized('i32', [operand('i32', pages)], 0x40),
  /** The regions may overlap. */
  copy: (to: Operand<'i32'>, from: Operand<'i32'>, bytes: Operand<'i32'>): Expr<'void'> => bulk(10, [to, from, bytes], 0, 0),
  fill: (to: Operand<'i32'>, value: Operand<'i32'>, bytes: Operand<'i32'>): Expr<'void'> => bulk(11, [to, value, bytes], 0),
  /** Copies from a passive data segment. */
  init: (segment: number, to: Operand<'i32'>, from: Operand<'i32'>, bytes: Operand<'i32'>): Expr<'void'> =>
    bulk(8, [to, from, bytes], segment, 0),
  drop: (segment: number): Expr<'void'> => bulk(9, [], segment),
};

/** Order among threads, and waiting for one another. */
export const memoryAtomic = /* @__PURE__ */ Object.assign(/* @__PURE__ */ family(MEMORY_ATOMIC), {
  fence: (): Expr<'void'> =>
    new Sequence('void', [], (code) => {
      code.byte(ATOMIC >>> 12);
      code.u32(3);
      code.byte(0);
    }),
});

/** All tables, by the specification's name of the family. */
export const TABLES: { readonly [family: string]: Table } = {
  i32: I32,
  i64: I64,
  f32: F32,
  f64: F64,
  v128: V128,
  i8x16: I8X16,
  i16x8: I16X8,
  i32x4: I32X4,
  i64x2: I64X2,
  f32x4: F32X4,
  f64x2: F64X2,
  'i32.atomic': I32_ATOMIC,
  'i64.atomic': I64_ATOMIC,
  'memory.atomic': MEMORY_ATOMIC,
};

/** `ltS` of family `i32` as the specification spells it: `i32.lt_s`. */
export function specName(familyName: string, name: string): string {
  const snake = name.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
  return `${familyName}.${familyName.endsWith('atomic') ? snake.replace(/^rmw(\d*)_/, 'rmw$1.') : snake}`;
}
