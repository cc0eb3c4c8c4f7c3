/** @file The reduce kernel: chooses the form of the loops, finds (or makes) the compiled kernel, calls it; and the plain form beside it. */
import {
  type Program,
  ProgramTable,
  type ReduceKind,
  registerDTypes,
  type RequiredKernels,
  ValueError,
  type View,
} from '@tessera/core/backend';
import type { CpuBuffer } from '../memory/cpu-buffer.js';
import { canGenerateCode, compile, STRIDE_ANY, STRIDE_ONE, STRIDE_ZERO } from '../program/codegen.js';
import { dot, forEachRow } from '../program/interpreter.js';
import { COLUMN_SCRATCH, reduceSource } from '../program/reduce-source.js';
import { type Reduction, reductionOf } from '../program/reduction.js';
import { interpreterOf } from './pointwise.js';

type CpuView = View<CpuBuffer>;
type Reduce = RequiredKernels<CpuBuffer>['reduce'];
type Compiled = (scalars: ArrayLike<number>, inputs: readonly CpuView[], output: CpuView) => void;

const KINDS: readonly ReduceKind[] = ['sum', 'prod', 'max', 'min', 'argmax', 'argmin'];

/** Makes the kernel. */
export function createReduce(codegen: boolean): Reduce {
  return codegen && canGenerateCode ? compiledReduce() : interpretedReduce;
}

function compiledReduce(): Reduce {
  const tables = Object.fromEntries(KINDS.map((kind) => [kind, new ProgramTable<Compiled>()])) as Record<
    ReduceKind,
    ProgramTable<Compiled>
  >;
  return (kind, program, scalars, inputs, output, axes) => {
    if (inputs.length === 0) noInputs(kind);
    const rank = inputs[0].shape.length;
    let bits = 0;
    for (let i = 0; i < axes.length; i++) bits |= 1 << axes[i];
    const column = columnOf(inputs, bits, axes[axes.length - 1]);
    const inner = column < 0 ? axes[axes.length - 1] : column;
    let key = (rank * 32 + column + 1) * 2 ** rank + bits;
    for (let i = 0; i < inputs.length; i++) key = key * 3 + classOf(inputs[i].strides[inner]);
    const entry = tables[kind].entry(program);
    let run = entry.key === key ? entry.value : entry.find(key);
    if (run === null) {
      const strides = inputs.map((view) => classOf(view.strides[inner]));
      const source = reduceSource(program, reductionFor(kind, program), { rank, axes: bits, column, strides });
      run = entry.remember(key, compile<Compiled>(source, { A: COLUMN_SCRATCH.accumulators, B: COLUMN_SCRATCH.extras }));
    }
    run(scalars, inputs, output);
  };
}

function classOf(stride: number): number {
  return stride === 1 ? STRIDE_ONE : stride === 0 ? STRIDE_ZERO : STRIDE_ANY;
}

/**
 * The kept dim along which memory lies closer together than along the last reduced dim, summed over the inputs; −1 if there is none. Short
 * ones are not worth a row of accumulators.
 */
function columnOf(inputs: readonly CpuView[], axes: number, lastReduced: number): number {
  const { shape } = inputs[0];
  let least = 0;
  for (let i = 0; i < inputs.length; i++) least += Math.abs(inputs[i].strides[lastReduced]);
  let column = -1;
  for (let d = shape.length - 1; d >= 0; d--) {
    if ((axes >> d) & 1 || shape[d] < 4) continue;
    let sum = 0;
    for (let i = 0; i < inputs.length; i++) sum += Math.abs(inputs[i].strides[d]);
    if (sum < least && sum > 0) {
      least = sum;
      column = d;
    }
  }
  return column;
}

function reductionFor(kind: ReduceKind, program: Program): Reduction {
  const dtype = registerDTypes(program)[program.outputs[0].register];
  const reduction = program.outputs.length === 1 ? reductionOf(kind, dtype) : undefined;
  if (reduction === undefined)
    throw new ValueError(
      'ERR_REDUCE_KIND',
      `reduce: ${kind} of ${program.outputs.length === 1 ? dtype : 'several outputs'} is not defined`,
      { op: 'reduce', device: 'cpu' },
    );
  return reduction;
}

function noInputs(kind: ReduceKind): never {
  throw new ValueError('ERR_PROGRAM_VIEWS', `reduce ${kind}: a program without inputs has no shape to run over`, {
    op: 'reduce',
    device: 'cpu',
  });
}

/** The reference: evaluates the program in row-major order, an accumulator for each element of the output. */
const interpretedReduce: Reduce = (kind, program, scalars, inputs, output, axes) => {
  if (inputs.length === 0) noInputs(kind);
  const reduction = reductionFor(kind, program);
  const { shape } = inputs[0];
  const last = shape.length - 1;
  const isReduced = shape.map((_, d) => axes.includes(d));
  // Strides of the accumulators over the kept dims, and of the running index over the reduced ones.
  const accumulatorStrides = rowMajor(shape, (d) => !isReduced[d]);
  const indexStrides = rowMajor(shape, (d) => isReduced[d]);
  const count = shape.reduce((n, size, d) => (isReduced[d] ? n : n * size), 1);
  const accumulators = new Float64Array(count).fill(reduction.start);
  const extras = new Float64Array(count);
  const { register } = program.outputs[0];
  interpreterOf(program).run(scalars, inputs, shape, (rows, position, start, n) => {
    let k = dot(accumulatorStrides, position) + start * accumulatorStrides[last];
    let r = dot(indexStrides, position) + start * indexStrides[last];
    for (let j = 0; j < n; j++, k += accumulatorStrides[last], r += indexStrides[last])
      reduction.run(accumulators, extras, k, rows[register][j], r);
  });
  const { buffer, offset, strides } = output;
  const outShape = shape.map((size, d) => (isReduced[d] ? 1 : size));
  let k = 0;
  forEachRow(outShape, (position) => {
    let at = buffer.base + offset + dot(strides, position);
    for (let j = 0; j < outShape[last]; j++, k++, at += strides[last]) buffer.data[at] = reduction.finish(accumulators[k], extras[k]);
  });
};

/** Row-major strides over those dims that `counts` names; 0 along the others. */
function rowMajor(shape: readonly number[], counts: (dim: number) => boolean): number[] {
  const strides = new Array<number>(shape.length).fill(0);
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    if (!counts(d)) continue;
    strides[d] = step;
    step *= shape[d];
  }
  return strides;
}
