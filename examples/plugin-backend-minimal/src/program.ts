/** @file Programs, interpreted. */
import { type DType, OPCODES, type Program } from '@tessera/core';

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

/** The values of all registers at an index. `loaded` are the inputs there. */
export function run(program: Program, scalars: ArrayLike<number>, loaded: readonly number[], index: readonly number[]): number[] {
  const registers = [...loaded, ...program.scalars.map((dtype, i) => round(scalars[i]!, dtype))];
  for (const { op, dtype, args, dim } of program.instructions) {
    const [a = 0, b = 0, c = 0] = args.map((arg) => registers[arg]!);
    let x: number;
    if (op === 'index') x = index[dim!]!;
    else if (op === 'cast') x = dtype === 'bool' ? Number(a !== 0) : dtype === 'int32' ? toInt32(a) : a;
    else if (op === 'bitcast') x = dtype === 'int32' ? bitsOf(a) : fromBits(a);
    else if (op === 'mul' && dtype === 'int32') x = Math.imul(a, b);
    else if (op === 'not' && dtype === 'bool') x = 1 - a;
    else x = OPCODES[op].reference(a, b, c);
    registers.push(round(x, dtype));
  }
  return registers;
}
