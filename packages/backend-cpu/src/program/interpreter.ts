/**
 * @file Programs without generated code: instruction by instruction over rows of up to 256 elements. What pages that forbid code from text
 * run, and the readable reference of what the generated kernels compute, to the bit.
 */
import { type Program, registerDTypes, type View } from '@tessera/core/backend';
import type { CpuBuffer } from '../memory/cpu-buffer.js';
import { loadRow, scalarValue } from '../scalar/elements.js';
import { operationOf, type ScalarFunction } from '../scalar/operations.js';

export const ROW = 256;

/** Called for each piece of a row: `position` has the indices of the outer dims, `start` that of the first element along the last. */
export type RowVisitor = (rows: readonly Float64Array[], position: readonly number[], start: number, count: number) => void;

type Step = (rows: readonly Float64Array[], position: readonly number[], start: number, count: number) => void;

export class Interpreter {
  /** The values of each register along the current piece of a row. */
  readonly #rows: readonly Float64Array[];
  readonly #steps: readonly ((rank: number) => Step)[];

  constructor(readonly program: Program) {
    const types = registerDTypes(program);
    const first = program.inputs.length + program.scalars.length;
    this.#rows = types.map(() => new Float64Array(ROW));
    this.#steps = program.instructions.map((instruction, i) => {
      const { op, args, dtype, dim } = instruction;
      if (op === 'index') return (rank) => indexStep(first + i, dim!, rank);
      const { run } = operationOf(op, types[args[op === 'where' ? 1 : 0]], dtype)!;
      const step = applyStep(run, first + i, args);
      return () => step;
    });
  }

  /** Evaluates the program at each index of `shape`, in row-major order, and shows the registers to `visit`. */
  run(scalars: ArrayLike<number>, inputs: readonly View<CpuBuffer>[], shape: readonly number[], visit: RowVisitor): void {
    const rows = this.#rows;
    const { program } = this;
    const last = shape.length - 1;
    const length = shape[last];
    const steps = this.#steps.map((step) => step(shape.length));
    program.scalars.forEach((dtype, i) => rows[inputs.length + i].fill(scalarValue(dtype, scalars[i])));
    forEachRow(shape, (position) => {
      for (let start = 0; start < length; start += ROW) {
        const count = Math.min(ROW, length - start);
        inputs.forEach((view, v) => {
          const at = view.buffer.base + view.offset + dot(view.strides, position) + start * view.strides[last];
          loadRow(program.inputs[v], view.buffer.data, at, view.strides[last], rows[v], count);
        });
        for (const step of steps) step(rows, position, start, count);
        visit(rows, position, start, count);
      }
    });
  }
}

/** Calls `visit` with each index of all dims but the last, in row-major order. */
export function forEachRow(shape: readonly number[], visit: (position: readonly number[]) => void): void {
  const outer = shape.length - 1;
  const position = new Array<number>(outer).fill(0);
  for (;;) {
    visit(position);
    let d = outer - 1;
    for (; d >= 0 && ++position[d] === shape[d]; d--) position[d] = 0;
    if (d < 0) return;
  }
}

/** The offset of an index; `position` may be shorter than the strides. */
export function dot(strides: readonly number[], position: readonly number[]): number {
  let sum = 0;
  for (let d = 0; d < position.length; d++) sum += strides[d] * position[d];
  return sum;
}

function indexStep(result: number, dim: number, rank: number): Step {
  if (dim < rank - 1) return (rows, position, _, count) => void rows[result].fill(position[dim], 0, count);
  return (rows, _, start, count) => {
    const row = rows[result];
    for (let j = 0; j < count; j++) row[j] = start + j;
  };
}

function applyStep(run: ScalarFunction, result: number, args: readonly number[]): Step {
  const [a, b = a, c = a] = args;
  return (rows, _position, _start, count) => {
    const row = rows[result];
    const x = rows[a];
    const y = rows[b];
    const z = rows[c];
    for (let j = 0; j < count; j++) row[j] = run(x[j], y[j], z[j]);
  };
}
