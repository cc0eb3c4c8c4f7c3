/**
 * @file The pointwise program: a straight-line scalar function in SSA form, run at each index of a shape.
 *
 * Registers are numbered through: inputs first, then scalars, then one for each instruction's result. A program with inputs x0 and x1 and
 * one scalar s0 that computes `x0 * s0 + x1` has registers 0 = x0, 1 = x1, 2 = s0, 3 = mul(0, 2), 4 = add(3, 1), and output 4.
 *
 * Narrow dtypes exist in memory only: a uint8 input widens to int32 when it is loaded, float16 and bfloat16 to float32; an output narrows
 * when it is stored (uint8 modulo 256, the halves to nearest even).
 */
import { ValueError } from '../errors.js';
import { type ComputeDType, type DType, DTYPE_INFO } from '../tensor/dtype.js';
import { type Opcode, OPCODE_SIGNATURES, type OpcodeSignature, resultDType } from './opcode-signatures.js';

export interface Instruction {
  readonly op: Opcode;
  /** The dtype of the result. */
  readonly dtype: ComputeDType;
  /** Registers. */
  readonly args: readonly number[];
  /** Of `index`: the dim of the iteration shape. */
  readonly dim?: number;
}

export interface ProgramOutput {
  /** A register; it may be an input's or a scalar's. */
  readonly register: number;
  /** The dtype in memory; its compute dtype is the register's. */
  readonly dtype: DType;
}

/** What `pointwise` and `reduce` run. Immutable, and interned: one structure is one object, so backends key their compiled code by `id`. */
export interface Program {
  /** A small integer, different for each program made by one copy of core. */
  readonly id: number;
  /** The dtypes in memory of the inputs. */
  readonly inputs: readonly DType[];
  readonly scalars: readonly ComputeDType[];
  readonly instructions: readonly Instruction[];
  readonly outputs: readonly ProgramOutput[];
}

let nextId = 0;

/** Makes a program from its parts, checking that registers, arities and dtypes are right. */
export function makeProgram(parts: Omit<Program, 'id'>): Program {
  const types: ComputeDType[] = [...parts.inputs.map((d) => DTYPE_INFO[d].compute), ...parts.scalars];
  for (const instruction of parts.instructions) {
    const info: OpcodeSignature | undefined = OPCODE_SIGNATURES[instruction.op];
    const bad = (why: string): never => {
      throw new ValueError('ERR_PROGRAM', `instruction ${types.length} (${instruction.op}): ${why}`);
    };
    if (info === undefined) bad('no such opcode');
    if (instruction.args.length !== (instruction.op === 'index' ? 0 : info!.arity)) bad(`has ${instruction.args.length} arguments`);
    for (const arg of instruction.args) if (!(arg >= 0 && arg < types.length)) bad(`reads register ${arg}, which has no value yet`);
    const first = instruction.args[instruction.op === 'where' ? 1 : 0];
    if (first !== undefined) {
      const expected = resultDType(instruction.op, types[first]!, instruction.dtype);
      if (expected !== instruction.dtype) bad(`gives ${expected}, not ${instruction.dtype}`);
    }
    types.push(instruction.dtype);
  }
  for (const { register, dtype } of parts.outputs) {
    if (types[register] !== DTYPE_INFO[dtype].compute)
      throw new ValueError('ERR_PROGRAM', `output register ${register} is ${types[register]}, which cannot be stored as ${dtype}`);
  }
  return Object.freeze({ ...parts, id: nextId++ });
}

/** The dtype of each register. */
export function registerDTypes(program: Program): ComputeDType[] {
  return [...program.inputs.map((d) => DTYPE_INFO[d].compute), ...program.scalars, ...program.instructions.map((i) => i.dtype)];
}

/**
 * A program as text, for debugging and for the switch that prints launched kernels.
 *
 * @example
 * formatProgram(p) // '%3 = mul.float32 x0 s0\n%4 = add.float32 %3 x1\nout0.float32 = %4'
 */
export function formatProgram(program: Program): string {
  const inputs = program.inputs.length;
  const first = inputs + program.scalars.length;
  const name = (r: number): string => (r < inputs ? `x${r}` : r < first ? `s${r - inputs}` : `%${r}`);
  const lines = program.instructions.map(
    (i, n) => `%${first + n} = ${i.op}.${i.dtype} ${i.args.map(name).join(' ')}${i.dim === undefined ? '' : `dim ${i.dim}`}`,
  );
  program.outputs.forEach((o, n) => lines.push(`out${n}.${o.dtype} = ${name(o.register)}`));
  return lines.join('\n');
}
