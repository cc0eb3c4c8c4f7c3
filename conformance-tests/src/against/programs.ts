/** @file Random pointwise programs: straight-line code over floats, integers and truth values, of any shape, on inputs that are broadcast. */
import {
  type ComputeDType,
  type Device,
  type DType,
  formatProgram,
  makeProgram,
  type Opcode,
  OPCODES,
  type Program,
  resultDType,
} from '@tessera/core';
import type * as FastCheck from 'fast-check';
import { Bench } from '../kernels/bench.js';
import { type HostArray, randomArray, repeatedAlong } from '../kernels/host.js';
import { broadcast, CONTIGUOUS, LAYOUTS } from '../kernels/layouts.js';
import { firstDifference, NUDGE } from './closeness.js';
import type { Kind } from './kind.js';

/** Those on which conforming devices must agree within rounding, for all that a program may give them. */
const STEPS: readonly Opcode[] = [
  ...(['add', 'sub', 'mul', 'min', 'max', 'neg', 'abs', 'sign', 'floor', 'ceil', 'trunc', 'round', 'copy'] as const),
  ...([
    'tanh',
    'sin',
    'cos',
    'atan',
    'erf',
    'eq',
    'lt',
    'le',
    'ge',
    'where',
    'and',
    'or',
    'xor',
    'not',
    'shl',
    'shr',
    'index',
    'isnan',
  ] as const),
];
const DTYPES: readonly DType[] = ['float32', 'int32', 'uint8', 'bool', 'float16'];

interface Step {
  readonly op: Opcode;
  /** Which of the registers that fit are read. */
  readonly picks: readonly number[];
}

export interface ProgramCase {
  readonly shape: readonly number[];
  readonly inputs: readonly { readonly dtype: DType; readonly layout: number; readonly repeated: boolean }[];
  readonly scalar: number;
  readonly steps: readonly Step[];
  readonly outputLayout: number;
  readonly seed: number;
}

/** The program of a case: steps for which nothing fits are left out. Its last register is its output, and the one before it a second. */
function programOf({ inputs, steps, shape }: ProgramCase): Program {
  const instructions: { op: Opcode; dtype: ComputeDType; args: number[]; dim?: number }[] = [];
  const dtypes = inputs.map(({ dtype }) => dtype);
  const registers: ComputeDType[] = [...dtypes.map(computeOf), 'float32'];
  for (const { op, picks } of steps) {
    const { arity, takes } = OPCODES[op];
    if (op === 'index') {
      registers.push('int32');
      instructions.push({ op, dtype: 'int32', args: [], dim: picks[0] % shape.length });
      continue;
    }
    const fits = (dtype: ComputeDType): boolean =>
      takes === 'any' || (takes === 'float' ? dtype === 'float32' : takes === 'number' ? dtype !== 'bool' : dtype !== 'float32');
    const of = (wanted: (dtype: ComputeDType) => boolean): number[] => registers.flatMap((dtype, i) => (wanted(dtype) ? [i] : []));
    const pick = (list: readonly number[], i: number): number => list[picks[i] % list.length];
    const shift = op === 'shl' || op === 'shr';
    const args: number[] = [];
    if (op === 'where') {
      const conditions = of((dtype) => dtype === 'bool');
      if (conditions.length === 0) continue;
      args.push(pick(conditions, 0));
    }
    const candidates = of((dtype) => (shift ? dtype === 'int32' : fits(dtype)));
    if (candidates.length === 0) continue;
    const first = pick(candidates, args.length);
    args.push(first);
    while (args.length < arity)
      args.push(
        pick(
          of((dtype) => dtype === registers[first]),
          args.length,
        ),
      );
    const dtype = resultDType(op, registers[first]);
    registers.push(dtype);
    instructions.push({ op, dtype, args });
  }
  const last = registers.length - 1;
  const outputs = [last, ...(instructions.length > 1 ? [last - 1] : [])];
  return makeProgram({
    inputs: dtypes,
    scalars: ['float32'],
    instructions,
    outputs: outputs.map((register) => ({ register, dtype: registers[register] })),
  });
}

const computeOf = (dtype: DType): ComputeDType => (dtype === 'float16' ? 'float32' : dtype === 'uint8' ? 'int32' : (dtype as ComputeDType));

/** The inputs of a case; `nudge` changes floats by that part. */
function inputsOf({ shape, inputs, seed }: ProgramCase, nudge: number): HostArray[] {
  return inputs.map(({ dtype, repeated }, i) => {
    const array = randomArray(dtype, shape, seed + 31 * i);
    const data = dtype === 'float32' ? array.data.map((x, j) => Math.fround(x * (1 + (j % 2 === 0 ? nudge : -nudge)))) : array.data;
    return repeated ? repeatedAlong({ ...array, data }, 0) : { ...array, data };
  });
}

async function run(device: Device, one: ProgramCase, program: Program, nudge = 0): Promise<HostArray[]> {
  const bench = new Bench(device.backend);
  try {
    const views = inputsOf(one, nudge).map((array, i) => {
      const { layout, repeated } = one.inputs[i];
      return bench.input(array, repeated ? broadcast(0) : LAYOUTS[layout % LAYOUTS.length]);
    });
    const outputs = program.outputs.map(({ dtype }, i) =>
      bench.output(dtype, one.shape, i === 0 ? LAYOUTS[one.outputLayout % LAYOUTS.length] : CONTIGUOUS),
    );
    bench.kernels.pointwise(program, [one.scalar * (1 + nudge)], views, outputs);
    const results: HostArray[] = [];
    for (const output of outputs) results.push(await bench.result(output));
    return results;
  } finally {
    bench.end();
  }
}

export const programs: Kind<ProgramCase> = {
  name: 'pointwise programs',
  arbitrary(fc: typeof FastCheck, { mine, theirs }) {
    const both = (dtype: DType): boolean => [mine, theirs].every((device) => device.backend.capabilities.dtypes.includes(dtype));
    const places = Math.min(mine.backend.capabilities.maxBuffers, theirs.backend.capabilities.maxBuffers) - 2;
    return fc.record({
      shape: fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constantFrom(7, 16, 33)), { minLength: 1, maxLength: 3 }),
      inputs: fc.array(
        fc.record({ dtype: fc.constantFrom(...DTYPES.filter(both)), layout: fc.nat(LAYOUTS.length - 1), repeated: fc.boolean() }),
        { minLength: 1, maxLength: Math.min(4, places) },
      ),
      scalar: fc.constantFrom(0, 1, -2, 0.5, 3.25),
      steps: fc.array(fc.record({ op: fc.constantFrom(...STEPS), picks: fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99)) }), { maxLength: 16 }),
      outputLayout: fc.nat(LAYOUTS.length - 1),
      seed: fc.nat(999),
    });
  },
  async difference({ mine, theirs }, one) {
    const program = programOf(one);
    const ours = await run(mine, one, program);
    const others = await run(theirs, one, program);
    const nudged = [await run(mine, one, program, NUDGE), await run(mine, one, program, -NUDGE)];
    for (let i = 0; i < ours.length; i++) {
      const exact = ours[i].dtype !== 'float32' && program.inputs.every((dtype) => dtype !== 'float32' && dtype !== 'float16');
      const found = firstDifference(
        ours[i].data,
        others[i].data,
        nudged.map((all) => all[i].data),
        exact,
      );
      if (found !== null) return { ...found, what: `output ${i}` };
    }
    return null;
  },
  describe(one) {
    const inputs = one.inputs.map(
      ({ dtype, layout, repeated }, i) =>
        `x${i}: ${dtype} (${one.shape.join('x')}), ${repeated ? 'broadcast along dim 0' : LAYOUTS[layout].name}, random from ${one.seed + 31 * i}`,
    );
    return [formatProgram(programOf(one)), ...inputs, `s0 = ${one.scalar}; output 0 is ${LAYOUTS[one.outputLayout].name}`];
  },
};
