/** @file Small helpers around the assembler that emitters of kernels share. */
import type { Expr, FunctionBuilder, FunctionRef, Local, ModuleBuilder, ValueType } from '../assembler/index.js';
import { call as callExpression, f32, f32x4, i32, select } from '../assembler/index.js';

/** An i32: an expression or a constant. */
export type Value = Expr<'i32'> | number;
export type I32 = Local<'i32'>;
export type V128 = Local<'v128'>;
/** A function in the same module, without a result. */
export type Callee = FunctionRef;

/** Calls a function of i32 parameters. */
export const call = (callee: Callee, ...args: readonly Value[]): Expr => callExpression(callee as FunctionRef<readonly 'i32'[]>, ...args);

const wrapped = (value: Value): Expr<'i32'> => (typeof value === 'number' ? i32.const(value) : value);

/** `condition ? a : b`, both evaluated. */
export const choose = (condition: Value, a: Value, b: Value): Expr<'i32'> => select(condition, wrapped(a), wrapped(b));
/** The smaller of two signed values that can be emitted twice: locals or constants. */
export const least = (a: I32 | number, b: I32 | number): Expr<'i32'> => choose(i32.ltS(a, b), a, b);

/** n, rounded up to a multiple. */
export const roundedUp = (n: Value, multiple: number): Expr<'i32'> => i32.mul(i32.divU(i32.add(n, multiple - 1), multiple), multiple);

export const locals = <T extends ValueType>(f: FunctionBuilder, type: T, count: number): Local<T>[] =>
  Array.from({ length: count }, () => f.local(type));

/** The 4x4 transpose of four vectors of 32-bit lanes. */
export function transpose4(f: FunctionBuilder, [a, b, c, d]: readonly V128[]): V128[] {
  const keep = (lanes: readonly number[], x: V128, y: V128): V128 => f.local('v128', f32x4.shuffle(lanes, x, y));
  const [low, high, first, last] = [
    [0, 4, 1, 5],
    [2, 6, 3, 7],
    [0, 1, 4, 5],
    [2, 3, 6, 7],
  ] as const;
  const [t0, t1, t2, t3] = [keep(low, a, b), keep(low, c, d), keep(high, a, b), keep(high, c, d)];
  return [keep(first, t0, t1), keep(last, t0, t1), keep(first, t2, t3), keep(last, t2, t3)];
}

/** The sum of four lanes, pairwise. */
export function sumLanes(v: V128): Expr<'f32'> {
  const lane = (i: number): Expr<'f32'> => f32x4.extractLane(i, v);
  return f32.add(f32.add(lane(0), lane(1)), f32.add(lane(2), lane(3)));
}

/** The largest of four lanes; NaN wins. */
export function maxLanes(v: V128): Expr<'f32'> {
  const lane = (i: number): Expr<'f32'> => f32x4.extractLane(i, v);
  return f32.max(f32.max(lane(0), lane(1)), f32.max(lane(2), lane(3)));
}

type Words<S extends string> = S extends `${infer First} ${infer Rest}` ? First | Words<Rest> : S;

/** Names of fields, written as words. */
export const words = <const S extends readonly string[]>(...lines: S): readonly Words<S[number]>[] =>
  lines.flatMap((line) => line.split(' ')) as Words<S[number]>[];

type Named<N extends string> = Readonly<Record<N, I32>>;

/** A function of i32 parameters that others in its module call. */
export function inner<const N extends string>(
  module: ModuleBuilder,
  name: string,
  params: readonly N[],
  emit: (f: FunctionBuilder, p: Named<N>) => void,
): Callee {
  const types = Object.fromEntries(params.map((param) => [param, 'i32'])) as Record<N, 'i32'>;
  return module.function(name, types, 'void', (f, p) => emit(f, p as unknown as Named<N>));
}

/**
 * An exported kernel that threads share: it does the units of work begin … end − 1, with `scratch` for its thread alone. Its `fields` are read from
 * the machine's arguments; the first two say where scratch lies, and how much of it each thread has (see KernelHost.launch).
 */
export function task<const N extends string>(
  module: ModuleBuilder,
  name: string,
  fields: readonly N[],
  emit: (f: FunctionBuilder, p: Named<N>, begin: I32, end: I32, scratch: I32) => void,
): void {
  const params = { args: 'i32', begin: 'i32', end: 'i32', thread: 'i32' } as const;
  module.function(
    name,
    params,
    'void',
    (f, { args, begin, end, thread }) => {
      const scratch = f.local('i32', i32.add(i32.load(args), i32.mul(i32.load(args, 4), thread)));
      const read = Object.fromEntries(fields.map((field, i) => [field, f.local('i32', i32.load(args, 8 + 4 * i), field)]));
      emit(f, read as Named<N>, begin, end, scratch);
    },
    { export: true },
  );
}
