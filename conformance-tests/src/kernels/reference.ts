/** @file Pointwise programs run on the host, one element at a time, as opcodes.ts and program.ts say: what backends are compared with. */
import { type ComputeDType, OPCODES, type Program, registerDTypes } from '@tessera/core';
import { rounded } from './bytes.js';
import { eachIndex, type HostArray, hostArray, placeOf } from './host.js';

const INT_MAX = 2147483647;
const INT_MIN = -2147483648;
const float32 = new Float32Array(1);
const int32 = new Int32Array(float32.buffer);

/** A number as a register holds it. */
export function inRegister(x: number, dtype: ComputeDType): number {
  if (dtype === 'float32') return Math.fround(x);
  if (dtype === 'int32') return x | 0;
  return dtype === 'bool' ? Number(x !== 0) : x;
}

function cast(a: number, to: ComputeDType): number {
  if (to === 'bool') return Number(a !== 0);
  if (to === 'int32') return a !== a ? 0 : Math.max(INT_MIN, Math.min(INT_MAX, Math.trunc(a)));
  return a;
}

function bitcast(a: number, to: ComputeDType): number {
  if (to === 'int32') {
    float32[0] = a;
    return int32[0];
  }
  int32[0] = a;
  return float32[0];
}

/** The value of each output of a program at one index, not yet rounded by its last instruction. */
export function evaluate(program: Program, scalars: readonly number[], inputs: readonly number[], index: readonly number[]): number[] {
  const types = registerDTypes(program);
  const exact: number[] = [...inputs, ...scalars];
  const registers = exact.map((x, i) => inRegister(x, types[i]));
  for (const { op, dtype, args, dim } of program.instructions) {
    const [a = 0, b = 0, c = 0] = args.map((i) => registers[i]);
    let x: number;
    if (op === 'index') x = index[dim!];
    else if (op === 'cast') x = cast(a, dtype);
    else if (op === 'bitcast') x = bitcast(a, dtype);
    else if (op === 'mul' && dtype === 'int32') x = Math.imul(a, b);
    else if (op === 'not' && dtype === 'bool') x = 1 - a;
    else x = OPCODES[op].reference(a, b, c);
    exact.push(x);
    registers.push(inRegister(x, dtype));
  }
  return program.outputs.map(({ register }) => exact[register]);
}

/** All outputs of a program over a shape, in the dtypes of memory. Inputs of size 1 in a dim are broadcast. */
export function runProgram(
  program: Program,
  scalars: readonly number[],
  inputs: readonly HostArray[],
  shape: readonly number[],
): HostArray[] {
  const columns: number[][] = program.outputs.map(() => []);
  eachIndex(shape, (index) => {
    const values = evaluate(
      program,
      scalars,
      inputs.map((x) => x.data[placeOf(index, x.shape)]),
      index,
    );
    values.forEach((x, i) => columns[i].push(x));
  });
  return program.outputs.map(({ dtype }, i) =>
    hostArray(dtype, shape, (_, place) => (dtype === 'uint8' ? columns[i][place] & 255 : rounded(columns[i][place], dtype))),
  );
}
