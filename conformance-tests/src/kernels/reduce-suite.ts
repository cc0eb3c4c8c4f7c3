/** @file reduce: kinds, axes, layouts, NaN, ties, accuracy of long sums. */
import { DTYPES, makeProgram, type ReduceKind } from '@tessera/core';
import type { Suite } from '../suite.js';
import type { Bench } from './bench.js';
import { kernelSuite, type KernelTests } from './case.js';
import { type Allowance, checkArray, EXACT } from './check-array.js';
import { type HostArray, hostArray, placeOf, randomArray, repeatedAlong, sizeOf, withInfinity, withNaN } from './host.js';
import { broadcast, CONTIGUOUS, type Layout, LAYOUTS, OFFSET, STEPPED, TRANSPOSED } from './layouts.js';
import { computeOf, identityProgram } from './programs.js';
import { inRegister } from './reference.js';

/** Rows, columns and the reduced axis: a long one, a short one, both, around what tiles and workgroups are. */
const EDGES: readonly (readonly [rows: number, columns: number, axis: 0 | 1])[] = [
  [3, 31, 1],
  [3, 33, 1],
  [2, 127, 1],
  [2, 129, 1],
  [2, 257, 1],
  [2, 1025, 1],
  [257, 3, 0],
  [129, 65, 0],
  [65, 129, 1],
  [1025, 1, 0],
];
/** Values whose product over a thousand of them is a number still. */
const spread = (rows: number, columns: number): HostArray =>
  hostArray('float32', [rows, columns], (_, place) => (((place * 7919) % 101) / 101 - 0.5) / 16 + ((place * 31) % 3 === 0 ? -1 : 1));
const KINDS: readonly ReduceKind[] = ['sum', 'prod', 'max', 'min', 'argmax', 'argmin'];
const AXES: readonly (readonly number[])[] = [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]];
const SHAPE = [5, 7, 3];
/** Float sums are as accurate as pairwise summation: a few units for each doubling. */
const SUM_ERROR = 2 ** -24 * 16;

export const reduceSuite = (): Suite => kernelSuite('reduce', tests);

function* tests(): KernelTests {
  for (const kind of KINDS) {
    for (const axes of AXES)
      yield [`${kind}/axes-${axes.join('')}`, (bench) => reduceTest(bench, kind, randomArray('float32', SHAPE, 11), axes)];
    for (const axes of [
      [1, 3],
      [0, 2, 4],
      [0, 1, 3, 4],
    ])
      yield [
        `${kind}/five-dims-${axes.join('')}`,
        (bench) => reduceTest(bench, kind, randomArray('float32', [2, 3, 4, 3, 2], 19), axes, TRANSPOSED),
      ];
    for (const layout of LAYOUTS)
      yield [`${kind}/${layout.name}`, (bench) => reduceTest(bench, kind, randomArray('float32', SHAPE, 12), [1], layout, layout)];
    yield [`${kind}/broadcast`, (bench) => reduceTest(bench, kind, repeatedAlong(randomArray('float32', SHAPE, 13), 1), [1], broadcast(1))];
    for (const dtype of DTYPES)
      if (dtype !== 'bool' || kind === 'max' || kind === 'min')
        yield [`${kind}/${dtype}`, (bench) => reduceTest(bench, kind, randomArray(dtype, SHAPE, 14), [1], OFFSET)];
    yield [`${kind}/nan`, (bench) => reduceTest(bench, kind, withNaN(), [1])];
    yield [`${kind}/infinity`, (bench) => reduceTest(bench, kind, withInfinity(), [1])];
    yield [
      `${kind}/ties`,
      (bench) =>
        reduceTest(
          bench,
          kind,
          hostArray('float32', [3, 8], ([i, j]) => ((i + j) % 3) - 1),
          [1],
        ),
    ];
    yield [`${kind}/one-element`, (bench) => reduceTest(bench, kind, randomArray('float32', [4, 1, 3], 15), [1])];
    for (const [rows, columns, axis] of EDGES)
      yield [`${kind}/edge-${rows}x${columns}-axis-${axis}`, (bench) => reduceTest(bench, kind, spread(rows, columns), [axis])];
    yield [
      `${kind}/nan-at-the-end`,
      (bench) =>
        reduceTest(
          bench,
          kind,
          hostArray('float32', [2, 1031], ([i, j]) => (i === 1 && j === 1030 ? NaN : (j % 7) - 3)),
          [1],
        ),
    ];
    yield [
      `${kind}/ties-far-apart`,
      (bench) =>
        reduceTest(
          bench,
          kind,
          hostArray('float32', [2, 1500], ([i, j]) => (j === 3 + i || j === 1400 ? 2 : j === 7 || j === 1200 ? -2 : 1)),
          [1],
        ),
    ];
    yield [`${kind}/prime`, (bench) => reduceTest(bench, kind, randomArray('float32', [3, 1031], 16), [1])];
  }
  yield ['sum/program', program];
  yield ['sum/long', longSum];
  yield ['sum/cancelling', cancelling];
  yield ['many-short', manyShort];
  yield [
    'sum/int32-wraps',
    (bench) =>
      reduceTest(
        bench,
        'sum',
        hostArray('int32', [2, 9], () => 1_000_000_000),
        [1],
      ),
  ];
}

async function reduceTest(
  bench: Bench,
  kind: ReduceKind,
  x: HostArray,
  axes: readonly number[],
  layout: Layout = CONTIGUOUS,
  outLayout: Layout = CONTIGUOUS,
): Promise<void> {
  const compute = computeOf(x.dtype);
  const dtype = kind.startsWith('arg') ? 'int32' : compute;
  bench.needs('reduce', x.dtype, dtype);
  const outShape = x.shape.map((size, d) => (axes.includes(d) ? 1 : size));
  const out = bench.output(dtype, outShape, outLayout);
  bench.kernels.reduce(kind, identityProgram(x.dtype), [], [bench.input(x, layout)], out, axes);
  checkArray(kind, await bench.result(out), { ...reduced(kind, x, axes), dtype }, allowedFor(kind, x, axes));
}

/** The values that meet in each element of the result, in row-major order. */
function groups({ shape, data }: HostArray, axes: readonly number[]): { shape: number[]; lists: number[][] } {
  const outShape = shape.map((size, d) => (axes.includes(d) ? 1 : size));
  const lists = Array.from({ length: sizeOf(outShape) }, (): number[] => []);
  hostArray('int32', shape, (index, place) => lists[placeOf(index, outShape)].push(data[place]));
  return { shape: outShape, lists };
}

function reduced(kind: ReduceKind, x: HostArray, axes: readonly number[]): HostArray {
  const { shape, lists } = groups(x, axes);
  const compute = computeOf(x.dtype);
  return {
    dtype: compute,
    shape,
    data: lists.map((list) => inRegister(reduceList(kind, list, compute === 'int32'), kind.startsWith('arg') ? 'int32' : compute)),
  };
}

function reduceList(kind: ReduceKind, list: readonly number[], integers: boolean): number {
  if (kind === 'sum') return list.reduce((a, b) => a + b, 0);
  if (kind === 'prod') return list.reduce((a, b) => (integers ? Math.imul(a, b) : a * b), 1);
  const sign = kind.endsWith('max') ? 1 : -1;
  let best = 0;
  // NaN wins, and the first among equals.
  list.forEach((x, i) => {
    const held = list[best];
    if (held === held && (x !== x || sign * x > sign * held)) best = i;
  });
  return kind.startsWith('arg') ? best : list[best];
}

function allowedFor(kind: ReduceKind, x: HostArray, axes: readonly number[]): Allowance {
  const compute = computeOf(x.dtype);
  if ((kind !== 'sum' && kind !== 'prod') || compute === 'int32') return EXACT;
  const unit = compute === 'float64' ? 2 ** -29 : 1;
  const { lists } = groups(x, axes);
  if (kind === 'prod') return (expected, place) => Math.max(2 ** -126, Math.abs(expected) * lists[place].length * 2 ** -23 * unit);
  return (_, place) => lists[place].reduce((sum, v) => sum + Math.abs(v), 0) * SUM_ERROR * unit;
}

/** The values of a program with two inputs and a scalar are summed: a fused chain. */
async function program(bench: Bench): Promise<void> {
  const arrays = [randomArray('float32', [4, 9], 1), repeatedAlong(randomArray('float32', [4, 9], 2), 0)];
  const fused = makeProgram({
    inputs: ['float32', 'float32'],
    scalars: ['float32'],
    instructions: [
      { op: 'mul', dtype: 'float32', args: [0, 1] },
      { op: 'add', dtype: 'float32', args: [3, 2] },
    ],
    outputs: [{ register: 4, dtype: 'float32' }],
  });
  const out = bench.output('float32', [4, 1], STEPPED);
  bench.kernels.reduce('sum', fused, [0.5], [bench.input(arrays[0], TRANSPOSED), bench.input(arrays[1], broadcast(0))], out, [1]);
  const values = hostArray('float32', [4, 9], (_, place) => Math.fround(arrays[0].data[place] * arrays[1].data[place]) + 0.5);
  checkArray(
    'sum of a program',
    await bench.result(out),
    reduced('sum', values, [1]),
    (_, place) => (allowedFor('sum', values, [1])(0, place) + 1e-6) * 2,
  );
}

/** Large terms that cancel: what is left must be right to their size, not lost to the order. */
async function cancelling(bench: Bench): Promise<void> {
  const length = 4097;
  const x = hostArray('float32', [2, length], ([, j]) => (j % 2 === 0 ? 1e6 : -1e6) + (j % 5) / 8);
  await reduceTest(bench, 'sum', x, [1]);
}

/** Many rows at once, each of which is short: a sum for each of 5,000 places. */
async function manyShort(bench: Bench): Promise<void> {
  await reduceTest(bench, 'sum', randomArray('float32', [5003, 3], 17), [1]);
  await reduceTest(bench, 'max', randomArray('float32', [3, 5003], 18), [0]);
}

/** A million ones are a million: adding them one after another would stop short in float32 for larger sums. */
async function longSum(bench: Bench): Promise<void> {
  const length = 1 << 20;
  const x: HostArray = { dtype: 'float32', shape: [1, length], data: Array.from({ length }, (_, i) => Math.fround(0.1 + (i % 7) * 1e-3)) };
  const out = bench.output('float32', [1, 1]);
  bench.kernels.reduce('sum', identityProgram('float32'), [], [bench.input(x)], out, [1]);
  const exact = x.data.reduce((a, b) => a + b, 0);
  checkArray('sum of 2^20', await bench.result(out), { dtype: 'float32', shape: [1, 1], data: [exact] }, () => exact * 2e-6);
}
