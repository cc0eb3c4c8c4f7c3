/** @file pointwise: layouts of inputs and outputs, dtypes of memory, several outputs, run-time scalars, results in place of an input. */
import { type DType, DTYPES, makeProgram, type View } from '@tessera/core';
import type { Suite } from '../suite.js';
import type { Bench } from './bench.js';
import { kernelSuite, type KernelTests } from './case.js';
import { checkArray, EXACT, relative } from './check-array.js';
import { type HostArray, randomArray, repeatedAlong, TILE_EDGES } from './host.js';
import { broadcast, CONTIGUOUS, type Layout, LAYOUTS, OFFSET, STEPPED, TRANSPOSED } from './layouts.js';
import { computeOf, identityProgram, twoOutputProgram } from './programs.js';
import { runProgram } from './reference.js';

/** A prime, a vector, a matrix that no tile divides, one dim of size 1, many dims. */
const SHAPES: readonly (readonly number[])[] = [[1], [131], [7, 13], [2, 1, 5], [2, 3, 2, 3, 2]];
/** A multiplication and an addition may be contracted into one rounding. */
const CONTRACTED = 1e-6;

export const pointwiseSuite = (): Suite => kernelSuite('pointwise', tests);

function* tests(): KernelTests {
  for (const shape of SHAPES) {
    for (const layout of LAYOUTS)
      yield [
        `shape-${shape.join('x')}/${layout.name}`,
        (bench) => twoOutputs(bench, 'float32', shape, [layout, CONTIGUOUS], [layout, OFFSET]),
      ];
  }
  for (const size of [...TILE_EDGES, 1023, 1025, 16_411])
    yield [`size/${size}`, (bench) => twoOutputs(bench, 'float32', [size], [CONTIGUOUS, OFFSET], [OFFSET, CONTIGUOUS])];
  for (const size of [31, 33, 65, 257])
    yield [
      `size/${size}x${size + 2}-transposed`,
      (bench) => twoOutputs(bench, 'float32', [size, size + 2], [TRANSPOSED, CONTIGUOUS], [CONTIGUOUS, TRANSPOSED]),
    ];
  for (const a of LAYOUTS)
    for (const b of LAYOUTS)
      yield [`inputs/${a.name}-${b.name}`, (bench) => twoOutputs(bench, 'float32', [3, 5, 7], [a, b], [TRANSPOSED, STEPPED])];
  for (let dim = 0; dim < 3; dim++)
    yield [
      `inputs/broadcast-${dim}`,
      (bench) => twoOutputs(bench, 'float32', [3, 5, 7], [broadcast(dim), CONTIGUOUS], [CONTIGUOUS, CONTIGUOUS]),
    ];
  for (const dtype of DTYPES) {
    for (const layout of LAYOUTS) yield [`${dtype}/copy-${layout.name}`, (bench) => copy(bench, dtype, layout)];
    yield [`${dtype}/narrowing`, (bench) => narrowing(bench, dtype)];
    if (dtype !== 'bool')
      yield [`${dtype}/two-outputs`, (bench) => twoOutputs(bench, dtype, [5, 9], [CONTIGUOUS, CONTIGUOUS], [CONTIGUOUS, CONTIGUOUS])];
    yield [`${dtype}/in-place`, (bench) => inPlace(bench, dtype)];
  }
  yield ['scalars', scalars];
  yield ['no-inputs', fill];
  yield ['long-chain', longChain];
  yield ['order', order];
}

async function twoOutputs(
  bench: Bench,
  dtype: DType,
  shape: readonly number[],
  layouts: readonly [Layout, Layout],
  outLayouts: readonly [Layout, Layout],
): Promise<void> {
  const program = twoOutputProgram(dtype);
  bench.needs('pointwise', dtype, computeOf(dtype));
  const arrays = layouts.map((layout, i) => forLayout(randomArray(dtype, shape, i + 1), layout));
  const scalar = computeOf(dtype) === 'int32' ? 3 : 0.75;
  const outputs = program.outputs.map((output, i) => bench.output(output.dtype, shape, outLayouts[i]));
  bench.kernels.pointwise(
    program,
    [scalar],
    arrays.map((array, i) => bench.input(array, layouts[i])),
    outputs,
  );
  const expected = runProgram(program, [scalar], arrays, shape);
  const allowed = computeOf(dtype) === 'int32' ? EXACT : () => CONTRACTED * 4;
  for (let i = 0; i < outputs.length; i++) checkArray(`output ${i}`, await bench.result(outputs[i]), expected[i], allowed);
}

function forLayout(array: HostArray, { name }: Layout): HostArray {
  const dim = /^broadcast-(\d)$/.exec(name)?.[1];
  return dim === undefined ? array : repeatedAlong(array, Number(dim));
}

/** From each layout into each: what `contiguous()` and every write into a view launch. */
async function copy(bench: Bench, dtype: DType, from: Layout): Promise<void> {
  bench.needs('pointwise', dtype);
  const array = randomArray(dtype, [3, 4, 5], 7);
  for (const to of LAYOUTS) {
    const out = bench.output(dtype, array.shape, to);
    bench.kernels.pointwise(identityProgram(dtype, dtype), [], [bench.input(array, from)], [out]);
    checkArray(`into ${to.name}`, await bench.result(out), array);
  }
}

/** Memory's dtype widens when it is loaded and narrows when it is stored. */
async function narrowing(bench: Bench, dtype: DType): Promise<void> {
  const compute = computeOf(dtype);
  bench.needs('pointwise', dtype, compute);
  const values =
    compute === 'int32'
      ? [-1, 0, 1, 255, 256, 300, -129, 2147483647]
      : compute === 'bool'
        ? [0, 1, 1]
        : [0, -0, 1.1, 1 / 3, -65504, 65520, 1e-8, NaN, Infinity, 2049, 257];
  const array: HostArray = { dtype: compute, shape: [values.length], data: compute === 'float32' ? values.map(Math.fround) : values };
  const program = identityProgram(compute, dtype);
  const out = bench.output(dtype, array.shape);
  bench.kernels.pointwise(program, [], [bench.input(array)], [out]);
  const [narrow] = runProgram(program, [], [array], array.shape);
  checkArray('stored', await bench.result(out), narrow);
  const wide = bench.output(compute, array.shape);
  bench.kernels.pointwise(identityProgram(dtype), [], [out], [wide]);
  checkArray('loaded', await bench.result(wide), { ...narrow, dtype: compute });
}

/** The output is one of the inputs, in the same view. */
async function inPlace(bench: Bench, dtype: DType): Promise<void> {
  bench.needs('pointwise', dtype);
  const compute = computeOf(dtype);
  const op = compute === 'bool' ? 'xor' : 'add';
  const arrays = [randomArray(dtype, [4, 6], 3), randomArray(dtype, [4, 6], 4)];
  const program = makeProgram({
    inputs: [dtype, dtype],
    scalars: [],
    instructions: [{ op, dtype: compute, args: [0, 1] }],
    outputs: [{ register: 2, dtype }],
  });
  for (const layout of LAYOUTS) {
    const target = bench.input(arrays[0], layout);
    bench.kernels.pointwise(program, [], [target, bench.input(arrays[1])], [target]);
    checkArray(layout.name, await bench.result(target), runProgram(program, [], arrays, [4, 6])[0]);
  }
}

/** Scalars are no part of the program: the same one runs with others. */
async function scalars(bench: Bench): Promise<void> {
  const program = twoOutputProgram('float32');
  const arrays = [randomArray('float32', [11], 1), randomArray('float32', [11], 2)];
  for (const scalar of [0, 1, -2.5, 1e20, Infinity, NaN]) {
    const outputs = [bench.output('float32', [11]), bench.output('float32', [11])];
    bench.kernels.pointwise(
      program,
      [scalar],
      arrays.map((array) => bench.input(array)),
      outputs,
    );
    checkArray(
      `scalar ${scalar}`,
      await bench.result(outputs[0]),
      runProgram(program, [scalar], arrays, [11])[0],
      relative(CONTRACTED * 4),
    );
  }
}

async function fill(bench: Bench): Promise<void> {
  for (const dtype of ['float32', 'int32', 'bool'] as const) {
    const program = makeProgram({ inputs: [], scalars: [dtype], instructions: [], outputs: [{ register: 0, dtype }] });
    const out = bench.output(dtype, [3, 5], TRANSPOSED);
    bench.kernels.pointwise(program, [1], [], [out]);
    checkArray(`fill of ${dtype}`, await bench.result(out), { dtype, shape: [3, 5], data: new Array<number>(15).fill(1) });
  }
}

/** As many instructions as the backend says that it takes. */
async function longChain(bench: Bench, { device }: { readonly device: { readonly maxInstructions: number } }): Promise<void> {
  const { maxInstructions } = device;
  const instructions = Array.from({ length: maxInstructions }, (_, i) => ({
    op: i % 2 === 0 ? ('add' as const) : ('max' as const),
    dtype: 'float32' as const,
    args: [i === 0 ? 0 : i + 1, 1],
  }));
  const program = makeProgram({
    inputs: ['float32', 'float32'],
    scalars: [],
    instructions,
    outputs: [{ register: maxInstructions + 1, dtype: 'float32' }],
  });
  const arrays = [randomArray('float32', [17], 1), randomArray('float32', [17], 2)];
  const out = bench.output('float32', [17]);
  bench.kernels.pointwise(
    program,
    [],
    arrays.map((array) => bench.input(array)),
    [out],
  );
  checkArray('chain', await bench.result(out), runProgram(program, [], arrays, [17])[0]);
}

/** Kernels take effect in the order in which they were called, and a view is only read during the call. */
async function order(bench: Bench): Promise<void> {
  const program = makeProgram({
    inputs: ['int32'],
    scalars: ['int32'],
    instructions: [{ op: 'add', dtype: 'int32', args: [0, 1] }],
    outputs: [{ register: 2, dtype: 'int32' }],
  });
  const x = bench.input({ dtype: 'int32', shape: [4], data: [0, 10, 20, 30] });
  const view: { -readonly [K in keyof View]: View[K] } = { ...x };
  const scalar = [0];
  for (let i = 1; i <= 100; i++) {
    scalar[0] = i;
    bench.kernels.pointwise(program, scalar, [view], [view]);
  }
  scalar[0] = -1;
  view.offset = 99;
  checkArray('after a hundred additions', await bench.result(x), { dtype: 'int32', shape: [4], data: [5050, 5060, 5070, 5080] });
}
