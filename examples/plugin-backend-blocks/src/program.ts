/**
 * @file Programs, interpreted a block at a time, as numexpr does it: each instruction runs over a block of its registers before the next one
 * does, so that the price of interpreting is paid once in 512 elements, and no code is generated (a page may forbid that).
 */
import { type ComputeDType, type DType, type Instruction, OPCODES, type Program } from '@tessera/core/backend';
import { BLOCK, blocks, type Layout, numel, permuted, type V, Walk } from './walk.js';

/** Register blocks, kept from one call to the next: kernels do not nest. */
const pool: Float64Array[] = [];
const register = (i: number): Float64Array => (pool[i] ??= new Float64Array(BLOCK));

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** A float as int32: toward zero, the nearest one for what lies beyond, 0 for NaN. */
const toInt32 = (x: number): number => (Number.isNaN(x) ? 0 : Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(x))));

const SPECIAL = {
  castInt32: toInt32,
  castBool: (a: number): number => Number(a !== 0),
  bitcastInt32: (a: number): number => ((float[0] = a), bits[0]!),
  bitcastFloat32: (a: number): number => ((bits[0] = a), float[0]!),
  not: (a: number): number => 1 - a,
} as const;

/** The function of an instruction, before its result is rounded to its dtype. */
function functionOf({ op, dtype }: Instruction): (a: number, b: number, c: number) => number {
  if (op === 'cast' && dtype === 'int32') return SPECIAL.castInt32;
  if (op === 'cast' && dtype === 'bool') return SPECIAL.castBool;
  if (op === 'bitcast') return dtype === 'int32' ? SPECIAL.bitcastInt32 : SPECIAL.bitcastFloat32;
  if (op === 'mul' && dtype === 'int32') return Math.imul;
  if (op === 'not' && dtype === 'bool') return SPECIAL.not;
  return OPCODES[op].reference;
}

/** Rounds a block of results to the dtype that computed them. */
function roundBlock(values: Float64Array, count: number, dtype: ComputeDType): void {
  if (dtype === 'float32') for (let i = 0; i < count; i++) values[i] = Math.fround(values[i]!);
  else if (dtype === 'int32') for (let i = 0; i < count; i++) values[i] = values[i]! | 0;
}

/** A value in a dtype of memory. */
export function rounded(x: number, dtype: DType): number {
  if (dtype === 'float32') return Math.fround(x);
  if (dtype === 'int32') return x | 0;
  if (dtype === 'uint8') return x & 255;
  if (dtype === 'float16') return OPCODES.toFloat16.reference(x);
  return dtype === 'bfloat16' ? OPCODES.toBfloat16.reference(x) : x;
}

function runInstruction(instruction: Instruction, out: Float64Array, count: number): void {
  const { op, dtype, args } = instruction;
  const a = register(args[0]!);
  const b = register(args[1] ?? args[0]!);
  const c = register(args[2] ?? args[0]!);
  // The commonest ones without a call.
  if (op === 'add') for (let i = 0; i < count; i++) out[i] = a[i]! + b[i]!;
  else if (op === 'sub') for (let i = 0; i < count; i++) out[i] = a[i]! - b[i]!;
  else if (op === 'mul' && dtype !== 'int32') for (let i = 0; i < count; i++) out[i] = a[i]! * b[i]!;
  else if (op === 'div') for (let i = 0; i < count; i++) out[i] = a[i]! / b[i]!;
  else {
    const f = functionOf(instruction);
    for (let i = 0; i < count; i++) out[i] = f(a[i]!, b[i]!, c[i]!);
  }
  roundBlock(out, count, dtype);
}

/**
 * Runs a program at each index of `shape`, in row-major order of its dims in `order`. `visit` gets the registers of a program's outputs, one
 * block after the other; they are valid during the call.
 */
export function evaluate(
  program: Program,
  scalars: ArrayLike<number>,
  inputs: readonly V[],
  shape: readonly number[],
  order: readonly number[],
  visit: (outputs: readonly Float64Array[], count: number, start: number) => void,
): void {
  const walks = inputs.map((view) => new Walk(permuted(view, order)));
  const first = inputs.length + program.scalars.length;
  program.scalars.forEach((dtype, i) => register(inputs.length + i).fill(rounded(scalars[i]!, dtype)));
  // The index along a dim is the place in a layout that has stride 1 there and 0 elsewhere.
  const along = (dim: number): Layout => permuted({ shape, strides: shape.map((_, d) => Number(d === dim)), offset: 0 }, order);
  const indices = program.instructions.map(({ op, dim }) => (op === 'index' ? new Walk(along(dim!)) : undefined));
  const outputs = program.outputs.map((output) => register(output.register));

  blocks(numel(shape), (count, start) => {
    for (let k = 0; k < walks.length; k++) {
      const { data } = inputs[k]!.buffer;
      const places = walks[k]!.next(count);
      const out = register(k);
      for (let i = 0; i < count; i++) out[i] = data[places[i]!]!;
    }
    for (let k = 0; k < program.instructions.length; k++) {
      const index = indices[k];
      if (index !== undefined) register(first + k).set(index.next(count).subarray(0, count));
      else runInstruction(program.instructions[k]!, register(first + k), count);
    }
    visit(outputs, count, start);
  });
}
