/** @file Programs, interpreted. */
import { type DType, OPCODES, type Program } from '@tessera/core';
import { load, type Strided } from './memory.js';

const float = new Float32Array(1);
const int = new Int32Array(float.buffer);

const bitsOf = (x: number): number => {
  float[0] = x;
  return int[0]!;
};
const fromBits = (bits: number): number => {
  int[0] = bits;
  return float[0]!;
};

/** A float as int32: toward zero, the nearest one for what lies beyond, 0 for NaN. */
const toInt32 = (x: number): number => (Number.isNaN(x) ? 0 : Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(x))));

/** A result in the dtype of its register. */
export const round = (x: number, dtype: DType): number => (dtype === 'float32' ? Math.fround(x) : dtype === 'int32' ? x | 0 : x);

/** One set of registers for all programs: they are read before the next index is run. */
const registers: number[] = [];

/** The values of all registers at an index: what the inputs hold there, the scalars, and what the instructions make of them. */
export function run(
  { scalars: dtypes, instructions }: Program,
  scalars: ArrayLike<number>,
  inputs: readonly Strided[],
  index: readonly number[],
): readonly number[] {
  let count = 0;
  for (const view of inputs) registers[count++] = load(view, index);
  for (let i = 0; i < dtypes.length; i++) registers[count++] = round(scalars[i]!, dtypes[i]!);
  for (const { op, dtype, args, dim } of instructions) {
    const [a, b, c] = [registers[args[0] ?? 0]!, registers[args[1] ?? 0]!, registers[args[2] ?? 0]!];
    let x: number;
    if (op === 'index') x = index[dim!]!;
    else if (op === 'cast') x = dtype === 'bool' ? Number(a !== 0) : dtype === 'int32' ? toInt32(a) : a;
    else if (op === 'bitcast') x = dtype === 'int32' ? bitsOf(a) : fromBits(a);
    else if (op === 'mul' && dtype === 'int32') x = Math.imul(a, b);
    else if (op === 'not' && dtype === 'bool') x = 1 - a;
    else x = OPCODES[op].reference(a, b, c);
    registers[count++] = round(x, dtype);
  }
  return registers;
}
