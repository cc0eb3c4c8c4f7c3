/** @file Every opcode against its reference over a grid of arguments: domains, borders, NaN, infinities. */
import { type ComputeDType, type Opcode, OPCODE_NAMES, OPCODES, type OpcodeInfo } from '@tessera/core';
import { Mismatch } from '../check/result.js';
import type { Suite } from '../suite.js';
import type { Bench } from './bench.js';
import { kernelSuite, type KernelTests } from './case.js';
import { checkArray } from './check-array.js';
import type { HostArray } from './host.js';
import { opcodeProgram } from './programs.js';
import { evaluate, runProgram } from './reference.js';

const SMALLEST_NORMAL = 2 ** -126;
const FLOATS = [0, 1e-30, 1e-5, 0.1, 0.25, 0.5, 0.75, 0.999, 1, 1.0001, 1.5, 2, 2.5, 3, 3.14159, 7, 10.5, 33, 80, 100];
const LARGE = [1e4, 1e10, 1e30, 3e38, Infinity];
const BOTH_SIGNS = (values: readonly number[]): number[] => [...values, ...values.map((x) => -x)];
const GRID: { readonly [D in ComputeDType]: readonly number[] } = {
  float32: [...BOTH_SIGNS([...FLOATS, ...LARGE]), NaN].map(Math.fround),
  float64: [...BOTH_SIGNS([...FLOATS, ...LARGE]), NaN],
  int32: [0, 1, -1, 2, -2, 3, 7, -8, 31, 32, 33, 255, 256, 65535, 1000000, -12345678, 2147483647, -2147483648],
  bool: [0, 1],
};
/** Opcodes whose argument large angles make meaningless in float32, where contract.ts says nothing of them. */
const ANGLES: ReadonlySet<Opcode> = new Set(['sin', 'cos', 'tan']);
/** Opcodes that must keep the sign of a zero. */
const SIGNED_ZEROS: ReadonlySet<Opcode> = new Set(['copy', 'neg', 'abs']);

const TAKES: { readonly [T in OpcodeInfo['takes']]: readonly ComputeDType[] } = {
  float: ['float32', 'float64'],
  number: ['float32', 'float64', 'int32'],
  int: ['int32'],
  bits: ['int32', 'bool'],
  any: ['float32', 'float64', 'int32', 'bool'],
};

export const opcodeSuites = (): Suite[] => OPCODE_NAMES.map((op) => kernelSuite(`opcode.${op}`, () => opcodeTests(op)));

function* opcodeTests(op: Opcode): KernelTests {
  if (op === 'index') {
    yield ['int32', (bench) => testIndex(bench)];
    return;
  }
  if (op === 'bitcast') {
    yield ['float32-to-int32', (bench) => testOpcode(bench, op, 'float32', 'int32')];
    yield ['int32-to-float32', (bench) => testOpcode(bench, op, 'int32', 'float32')];
    return;
  }
  for (const dtype of TAKES[OPCODES[op].takes]) {
    if (op === 'cast') for (const to of TAKES.any) yield [`${dtype}-to-${to}`, (bench) => testOpcode(bench, op, dtype, to)];
    // Rounding to the halves is of float32 only.
    else if (!(dtype === 'float64' && op.startsWith('to'))) yield [dtype, (bench) => testOpcode(bench, op, dtype)];
  }
}

async function testOpcode(bench: Bench, op: Opcode, dtype: ComputeDType, to?: ComputeDType): Promise<void> {
  const types: ComputeDType[] = op === 'where' ? ['bool', dtype, dtype] : new Array<ComputeDType>(OPCODES[op].arity).fill(dtype);
  const program = opcodeProgram(op, types, to);
  const [output] = program.outputs;
  bench.needs('pointwise', ...types, output.dtype);
  const inputs = argumentsOf(op, types, to);
  const { shape } = inputs[0];
  const out = bench.output(output.dtype, shape);
  bench.kernels.pointwise(
    program,
    [],
    inputs.map((x) => bench.input(x)),
    [out],
  );
  const got = await bench.result(out);
  const [expected] = runProgram(program, [], inputs, shape);
  const name = (place: number): string => `${op}(${inputs.map((x) => x.data[place]).join(', ')})`;
  checkArray(op, got, expected, (_, place) => {
    const exact = evaluate(
      program,
      [],
      inputs.map((x) => x.data[place]),
      [],
    )[0];
    return allowance(op, exact, output.dtype as ComputeDType);
  });
  if (!SIGNED_ZEROS.has(op)) return;
  got.data.forEach((x, place) => {
    if (x === 0 && !Object.is(x, expected.data[place])) throw new Mismatch(`${name(place)} has the wrong sign of zero`);
  });
}

/** All combinations of the grid's values, one argument after another. */
function argumentsOf(op: Opcode, types: readonly ComputeDType[], to?: ComputeDType): HostArray[] {
  const grids = types.map((dtype) => GRID[dtype].filter((x) => !ANGLES.has(op) || !(Math.abs(x) > 100 && Math.abs(x) < Infinity)));
  // All int32 bit patterns of the grid are floats, but a NaN's payload may change on its way.
  if (op === 'bitcast' && to === 'float32') grids[0] = grids[0].filter((x) => (x & 0x7f800000) !== 0x7f800000 && (x & 0x7f800000) !== 0);
  if (op === 'bitcast' && to === 'int32') grids[0] = grids[0].filter((x) => x === x && (x === 0 || Math.abs(x) >= SMALLEST_NORMAL));
  const count = grids.reduce((n, grid) => n * grid.length, 1);
  let repeat = count;
  return types.map((dtype, i) => {
    const grid = grids[i];
    repeat /= grid.length;
    const each = repeat;
    return { dtype, shape: [count], data: Array.from({ length: count }, (_, place) => grid[Math.floor(place / each) % grid.length]) };
  });
}

/**
 * Half a unit for rounding on top of what the contract allows; nothing where it asks for the correctly rounded result. Results below the
 * least normal float may be flushed to zero. float64 is held to what JavaScript's own functions are good for.
 */
function allowance(op: Opcode, exact: number, dtype: ComputeDType): number {
  const { ulp }: OpcodeInfo = OPCODES[op];
  if (dtype === 'int32' || dtype === 'bool') return 0;
  if (dtype === 'float64') return ulp === 0 ? 0 : 1e-12 * Math.max(1, Math.abs(exact));
  const flushed = Math.abs(exact) < SMALLEST_NORMAL ? SMALLEST_NORMAL : 0;
  if (ulp === 0) return flushed;
  const unit = 2 ** (Math.floor(Math.log2(Math.max(Math.abs(exact), SMALLEST_NORMAL))) - 23);
  return Math.max(flushed, (ulp + 0.5) * unit);
}

async function testIndex(bench: Bench): Promise<void> {
  bench.needs('pointwise', 'int32');
  const shape = [3, 5, 2];
  for (let dim = 0; dim < shape.length; dim++) {
    const program = opcodeProgram('index', [], undefined, dim);
    const out = bench.output('int32', shape);
    bench.kernels.pointwise(program, [], [], [out]);
    checkArray(`index of dim ${dim}`, await bench.result(out), runProgram(program, [], [], shape)[0]);
  }
}
