/** @file The pointwise kernel: finds (or makes) the compiled form of a program for the layout of its views, and calls it. */
import { type Program, ProgramTable, type RequiredKernels, ValueError, type View } from '@tessera/core/backend';
import type { CpuBuffer } from '../memory/cpu-buffer.js';
import { canGenerateCode, compile, STRIDE_ANY, STRIDE_ONE, STRIDE_ZERO } from '../program/codegen.js';
import { dot, Interpreter } from '../program/interpreter.js';
import { pointwiseSource } from '../program/pointwise-source.js';
import { storeRow } from '../scalar/elements.js';

type CpuView = View<CpuBuffer>;
type Pointwise = RequiredKernels<CpuBuffer>['pointwise'];
type Compiled = (scalars: ArrayLike<number>, inputs: readonly CpuView[], outputs: readonly CpuView[]) => void;

/** Views beyond this share one layout class for each rank: a key counts in base 3 and must stay an exact integer. */
const MAX_KEYED_VIEWS = 24;

/** Makes the kernel. Without `codegen` (or where the page forbids it) programs are interpreted: the same bits, several times slower. */
export function createPointwise(codegen: boolean): Pointwise {
  return codegen && canGenerateCode ? compiledPointwise() : interpretedPointwise;
}

function compiledPointwise(): Pointwise {
  const table = new ProgramTable<Compiled>();
  return (program, scalars, inputs, outputs) => {
    const entry = table.entry(program);
    const last = outputs[0].shape.length - 1;
    const strips = last > 0 && liesAcross(inputs, outputs[0].shape, last);
    let key = strips ? last + 1001 : last + 1;
    const views = inputs.length + outputs.length;
    if (views <= MAX_KEYED_VIEWS) {
      for (let i = 0; i < inputs.length; i++) {
        const stride = inputs[i].strides[last];
        key = key * 3 + (stride === 1 ? STRIDE_ONE : stride === 0 ? STRIDE_ZERO : STRIDE_ANY);
      }
      for (let i = 0; i < outputs.length; i++) key = key * 3 + (outputs[i].strides[last] === 1 ? STRIDE_ONE : STRIDE_ANY);
    }
    let run = entry.key === key ? entry.value : entry.find(key);
    if (run === null) run = entry.remember(key, compilePointwise(program, inputs, outputs, strips));
    run(scalars, inputs, outputs);
  };
}

/** Does an input lie the other way round (a transposed one), large enough that reading it line by line would miss the cache each time? */
function liesAcross(inputs: readonly CpuView[], shape: readonly number[], last: number): boolean {
  if (shape[last] < 32 || shape[last - 1] < 32) return false;
  for (let i = 0; i < inputs.length; i++) {
    const { strides } = inputs[i];
    const along = Math.abs(strides[last]);
    if (along >= 32 && strides[last - 1] !== 0 && Math.abs(strides[last - 1]) < along) return true;
  }
  return false;
}

function compilePointwise(program: Program, inputs: readonly CpuView[], outputs: readonly CpuView[], strips: boolean): Compiled {
  checkViews(program, inputs, outputs);
  const rank = outputs[0].shape.length;
  const keyed = inputs.length + outputs.length <= MAX_KEYED_VIEWS;
  const strides = [...inputs, ...outputs].map((view, i) => {
    const stride = view.strides[rank - 1];
    return !keyed ? STRIDE_ANY : stride === 1 ? STRIDE_ONE : stride === 0 && i < inputs.length ? STRIDE_ZERO : STRIDE_ANY;
  });
  return compile<Compiled>(pointwiseSource(program, rank, strides, strips));
}

/** What core guarantees; checked where a kernel is first made. */
function checkViews(program: Program, inputs: readonly CpuView[], outputs: readonly CpuView[]): void {
  const wanted = [...program.inputs, ...program.outputs.map((o) => o.dtype)];
  const given = [...inputs, ...outputs].map((view) => view.dtype);
  if (wanted.join() !== given.join()) {
    throw new ValueError('ERR_PROGRAM_VIEWS', `pointwise: the program takes ${wanted.join(', ')}; the views have ${given.join(', ')}`, {
      op: 'pointwise',
      device: 'cpu',
      dtypes: given,
    });
  }
}

const interpreters = new WeakMap<Program, Interpreter>();

/** One interpreter a program. */
export function interpreterOf(program: Program): Interpreter {
  let interpreter = interpreters.get(program);
  if (interpreter === undefined) interpreters.set(program, (interpreter = new Interpreter(program)));
  return interpreter;
}

const interpretedPointwise: Pointwise = (program, scalars, inputs, outputs) => {
  checkViews(program, inputs, outputs);
  const { shape } = outputs[0];
  const last = shape.length - 1;
  interpreterOf(program).run(scalars, inputs, shape, (rows, position, start, count) => {
    program.outputs.forEach(({ register, dtype }, n) => {
      const { buffer, offset, strides } = outputs[n];
      const at = buffer.base + offset + dot(strides, position) + start * strides[last];
      storeRow(dtype, buffer.data, at, strides[last], rows[register], count);
    });
  });
};
