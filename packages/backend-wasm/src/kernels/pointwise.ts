/** @file The pointwise kernel: finds (or makes) the compiled form of a program for the layout of its views, and calls it. */
import { type Program, ProgramTable, type RequiredKernels, ValueError, type View } from '@tessera/core/backend';
import type { Machine } from '../machine/machine.js';
import { ARGUMENTS, ARGUMENTS_BYTES } from '../memory/linear-memory.js';
import type { WasmBuffer } from '../memory/wasm-buffer.js';
import { HEAD_WORDS } from '../program/argument-layout.js';
import { type CompiledPointwise, compilePointwise, SEGMENT, SEGMENTS } from '../program/pointwise-code.js';
import { strideClass, type StrideClass } from '../program/storage.js';
import { NANOSECONDS_A_PRICE, priceOf } from '../program/unroll.js';
import type { Rearranger } from './rearrange.js';

type WasmView = View<WasmBuffer>;

/** Views beyond this share one layout class for each rank: a key counts in base 3 and must stay an exact integer. */
const MAX_KEYED_VIEWS = 24;
/** Elements that a thread takes at a time, roughly. */
const BLOCK = 16384;
/** From so many elements on it pays to look at a layout twice. */
const LARGE = 4096;

interface Compiled extends CompiledPointwise {
  /** ns an element on one thread, roughly. */
  readonly cost: number;
  readonly indexed: boolean;
}

/** Makes the kernel; without a rearranger, transposed views are read and written where they are. */
export function createPointwise(machine: Machine, rearranger: Rearranger | null): RequiredKernels<WasmBuffer>['pointwise'] {
  const table = new ProgramTable<Compiled>();
  const { linear } = machine;

  function compiled(program: Program, inputs: readonly WasmView[], outputs: readonly WasmView[]): Compiled {
    const entry = table.entry(program);
    const last = outputs[0].shape.length - 1;
    let key = last + 1;
    const views = inputs.length + outputs.length;
    if (views <= MAX_KEYED_VIEWS) {
      for (let i = 0; i < inputs.length; i++) key = key * 3 + strideClass(inputs[i].strides[last]);
      for (let i = 0; i < outputs.length; i++) key = key * 3 + strideClass(outputs[i].strides[last]);
    }
    const known = entry.key === key ? entry.value : entry.find(key);
    if (known !== null) return known;
    checkViews(program, inputs, outputs);
    const classes = [...inputs, ...outputs].map((view, i): StrideClass => {
      // Of an output along a dim of size 1, any stride is as good as another.
      const c = views <= MAX_KEYED_VIEWS ? strideClass(view.strides[last]) : 2;
      return c === 0 && i >= inputs.length ? 2 : c;
    });
    const code = compilePointwise(machine, program, last + 1, classes);
    return entry.remember(key, {
      ...code,
      cost: priceOf(program) * NANOSECONDS_A_PRICE,
      indexed: program.instructions.some(({ op }) => op === 'index'),
    });
  }

  function run(program: Program, scalars: ArrayLike<number>, inputs: readonly WasmView[], outputs: readonly WasmView[]): void {
    const { kernel, layout, cost } = compiled(program, inputs, outputs);
    const { shape } = outputs[0];
    const count = inputs.length;
    layout.writeShape(linear, shape);
    for (let v = 0; v < count; v++) layout.writeView(linear, v, inputs[v]);
    for (let v = 0; v < outputs.length; v++) layout.writeView(linear, count + v, outputs[v]);
    layout.writeScalars(linear, scalars);
    const last = shape.length - 1;
    const inner = shape[last];
    let rows = 1;
    for (let d = 0; d < last; d++) rows *= shape[d];
    const total = rows * inner * cost;
    const head = ARGUMENTS / 4;
    if (machine.threads === null || rows * inner < 2 * BLOCK) {
      linear.i32[head + SEGMENT] = inner;
      linear.i32[head + SEGMENTS] = 1;
      kernel.run(ARGUMENTS, 0, rows, 0);
      return;
    }
    const segments = Math.ceil(inner / BLOCK);
    linear.i32[head + SEGMENT] = segments === 1 ? inner : BLOCK;
    linear.i32[head + SEGMENTS] = segments;
    machine.parallel(kernel, rows * segments, Math.max(1, Math.floor(BLOCK / inner)), total);
  }

  return (program, scalars, inputs, outputs) => {
    const { shape } = outputs[0];
    if (rearranger !== null && shape.length > 1) {
      let total = 1;
      for (let d = 0; d < shape.length; d++) total *= shape[d];
      if (total >= LARGE && rearranger.improve(program, scalars, inputs, outputs, run)) return;
    }
    run(program, scalars, inputs, outputs);
  };
}

/** What core guarantees; checked where a kernel is first made. */
function checkViews(program: Program, inputs: readonly WasmView[], outputs: readonly WasmView[]): void {
  const wanted = [...program.inputs, ...program.outputs.map((o) => o.dtype)];
  const given = [...inputs, ...outputs].map((view) => view.dtype);
  const { length } = outputs[0].shape;
  if (wanted.join() !== given.join() || (HEAD_WORDS + length + (length + 1) * given.length) * 4 > ARGUMENTS_BYTES - 8 * 64) {
    throw new ValueError('ERR_PROGRAM_VIEWS', `pointwise: the program takes ${wanted.join(', ')}; the views have ${given.join(', ')}`, {
      op: 'pointwise',
      device: 'wasm',
      dtypes: given,
    });
  }
}
