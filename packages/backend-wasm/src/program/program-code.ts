/**
 * @file A program's instructions as code. What depends on scalars alone is computed at the start of the function, what does not vary along the inner
 * dim at the start of each row, the rest for each four elements.
 */
import { type Program, registerDTypes, ValueError } from '@tessera/core/backend';
import { type FunctionBuilder, i32x4, type Local } from '../assembler/index.js';
import type { MathLibrary } from '../math/library.js';
import type { ArgumentLayout } from './argument-layout.js';
import { lower } from './lowering.js';
import {
  BROADCAST,
  CONTIGUOUS,
  loadBroadcast,
  loadContiguous,
  loadScalarArgument,
  loadStrided,
  type Quad,
  type StrideClass,
} from './storage.js';

type I32 = Local<'i32'>;
/** The registers that do not vary along a row. */
export type Row = readonly (Quad | undefined)[];

const ONCE = 0;
const ROW = 1;
const EACH = 2;

export class ProgramCode {
  readonly #types;
  readonly #firstInstruction: number;
  readonly #level: readonly number[];
  /** Registers that the outputs need. */
  readonly #needed: readonly boolean[];
  readonly #once: (Quad | undefined)[];

  constructor(
    readonly f: FunctionBuilder,
    readonly lib: MathLibrary,
    readonly program: Program,
    readonly layout: ArgumentLayout,
    readonly args: I32,
    /** Of each input, how its elements follow one another along the inner dim. */
    readonly classes: readonly StrideClass[],
    readonly innerDim: number,
  ) {
    this.#types = registerDTypes(program);
    this.#firstInstruction = program.inputs.length + program.scalars.length;
    this.#level = this.#levels();
    this.#needed = this.#reachable();
    this.#once = [];
  }

  #levels(): number[] {
    const { program, classes } = this;
    const level: number[] = classes.map((c) => (c === BROADCAST ? ROW : EACH));
    for (const _ of program.scalars) level.push(ONCE);
    for (const { op, args, dim } of program.instructions)
      level.push(op === 'index' ? (dim === this.innerDim ? EACH : ROW) : args.reduce((most, arg) => Math.max(most, level[arg]), ONCE));
    return level;
  }

  #reachable(): boolean[] {
    const needed = this.#types.map(() => false);
    for (const { register } of this.program.outputs) needed[register] = true;
    for (let i = this.program.instructions.length - 1; i >= 0; i--)
      if (needed[this.#firstInstruction + i]) for (const arg of this.program.instructions[i].args) needed[arg] = true;
    return needed;
  }

  /** Whether an `index` along the inner dim is asked for. */
  get innerIndex(): boolean {
    return this.program.instructions.some(({ op, dim }) => op === 'index' && dim === this.innerDim);
  }

  #run(level: number, registers: (Quad | undefined)[], index: (dim: number) => Quad): void {
    this.program.instructions.forEach(({ op, args, dtype, dim }, i) => {
      const register = this.#firstInstruction + i;
      if (this.#level[register] !== level || !this.#needed[register]) return;
      if (op === 'index') {
        registers[register] = index(dim!);
        return;
      }
      const from = this.#types[args[op === 'where' ? 1 : 0]];
      const result = lower(
        this.f,
        this.lib,
        op,
        from,
        dtype,
        args.map((arg) => registers[arg]!),
      );
      if (result === null) throw new ValueError('ERR_PROGRAM', `wasm: ${op} is not defined for ${from}`, { op, device: 'wasm' });
      registers[register] = result;
    });
  }

  /** At the start of the function. */
  prepare(): void {
    const { f, program, layout, args } = this;
    program.scalars.forEach((dtype, i) => {
      if (this.#needed[program.inputs.length + i])
        this.#once[program.inputs.length + i] = loadScalarArgument(f, dtype, args, layout.scalars + 8 * i);
    });
    this.#run(ONCE, this.#once, noIndex);
  }

  /**
   * At the start of a row: `pointers` are the addresses of its first elements, `index` gives the indices of other dims.
   *
   * @returns What is known of the row, for {@link evaluate}.
   */
  startRow(pointers: ReadonlyMap<number, I32>, index: (dim: number) => I32): Row {
    const { f, program } = this;
    const row = [...this.#once];
    program.inputs.forEach((dtype, v) => {
      if (this.classes[v] === BROADCAST && this.#needed[v]) row[v] = loadBroadcast(f, dtype, pointers.get(v)!);
    });
    this.#run(ROW, row, (dim) => [f.local('v128', i32x4.splat(index(dim)))]);
    return row;
  }

  /**
   * Four elements further: loads the varying inputs at `pointers` and computes.
   *
   * @param group How many groups of four the pointers lag behind; only of contiguous inputs.
   * @param steps Of strided inputs: the distances of the second, third and fourth element, in bytes.
   * @param index The indices along the inner dim, where the program asks for them.
   * @returns The values of the outputs.
   */
  evaluate(
    row: Row,
    pointers: ReadonlyMap<number, I32>,
    group: number,
    steps: ReadonlyMap<number, readonly I32[]>,
    index: Quad | null,
  ): Quad[] {
    const { f, program, layout } = this;
    const registers = [...row];
    program.inputs.forEach((dtype, v) => {
      if (!this.#needed[v] || this.classes[v] === BROADCAST) return;
      const at = pointers.get(v)!;
      registers[v] =
        this.classes[v] === CONTIGUOUS
          ? loadContiguous(f, dtype, at, group * 4 * layout.elementSize(v))
          : loadStrided(f, dtype, at, steps.get(v)!);
    });
    this.#run(EACH, registers, () => index!);
    return program.outputs.map(({ register }) => registers[register]!);
  }

  /** Roughly how many instructions four elements take. */
  get weight(): number {
    return this.program.instructions.reduce((sum, _, i) => sum + (this.#level[this.#firstInstruction + i] === EACH ? 1 : 0), 0);
  }
}

const noIndex = (): Quad => {
  throw new ValueError('ERR_PROGRAM', 'wasm: an index is no scalar');
};
