/** @file matmul: layouts of both operands and of the result, sizes that no tile divides, broadcast batches, NaN. */
import type { DType, View } from '@tessera/core';
import { Skip } from '../check/skip.js';
import type { Subject } from '../subject/subject.js';
import type { Suite } from '../suite.js';
import type { Bench } from './bench.js';
import { kernelSuite, type KernelTests } from './case.js';
import { checkArray } from './check-array.js';
import { type HostArray, hostArray, placeOf, randomArray, repeatedAlong } from './host.js';
import { broadcast, CONTIGUOUS, type Layout, LAYOUTS } from './layouts.js';

/** B, M, K, N. */
type Sizes = readonly [number, number, number, number];
const SIZES: readonly Sizes[] = [
  [1, 1, 1, 1],
  [1, 1, 37, 1],
  [1, 1, 64, 65],
  [1, 65, 64, 1],
  [1, 7, 11, 13],
  [3, 8, 16, 8],
  [2, 17, 31, 29],
  [1, 67, 71, 73],
  [1, 128, 256, 96],
  [37, 3, 2, 5],
  // Around tiles and panels.
  [1, 31, 33, 32],
  [1, 33, 31, 65],
  [1, 63, 65, 64],
  [1, 65, 63, 127],
  [1, 129, 17, 9],
  [1, 9, 127, 129],
  [1, 16, 257, 16],
  [1, 1, 1025, 3],
  [5, 1, 3, 64],
];

export const matmulSuite = (): Suite => kernelSuite('matmul', tests);

function* tests(): KernelTests {
  for (const sizes of SIZES)
    for (const dtype of ['float32', 'float64', 'int32'] as const)
      yield [`${dtype}/${sizes.join('x')}`, (bench) => matmulTest(bench, dtype, sizes)];
  for (const a of LAYOUTS) {
    for (const b of LAYOUTS) yield [`layout/${a.name}-${b.name}`, (bench) => matmulTest(bench, 'float32', [2, 9, 10, 11], a, b)];
    yield [`layout/out-${a.name}`, (bench) => matmulTest(bench, 'float32', [2, 9, 10, 11], CONTIGUOUS, CONTIGUOUS, a)];
  }
  for (const dim of [0, 1, 2]) {
    yield [`layout/broadcast-${dim}-left`, (bench) => matmulTest(bench, 'float32', [3, 9, 10, 11], broadcast(dim))];
    yield [`layout/broadcast-${dim}-right`, (bench) => matmulTest(bench, 'float32', [3, 9, 10, 11], CONTIGUOUS, broadcast(dim))];
  }
  for (const dtype of ['float16', 'bfloat16'] as const)
    for (const sizes of [
      [1, 7, 11, 13],
      [2, 16, 32, 24],
      [1, 1, 256, 40],
      [1, 65, 64, 68],
    ] as const)
      for (const swapped of [false, true])
        yield [
          `${dtype}/${sizes.join('x')}${swapped ? '-transposed' : ''}`,
          (bench, subject) => halves(bench, subject, dtype, sizes, swapped),
        ];
  yield ['nan', nan];
  yield ['nan-at-an-edge', nanAtEdge];
  yield ['long', (bench) => matmulTest(bench, 'float32', [1, 3, 8191, 5])];
  yield ['twice', twice];
}

async function matmulTest(
  bench: Bench,
  dtype: DType,
  [batch, m, k, n]: Sizes,
  layoutA: Layout = CONTIGUOUS,
  layoutB: Layout = CONTIGUOUS,
  layoutOut: Layout = CONTIGUOUS,
): Promise<void> {
  bench.needs('matmul', dtype);
  const a = forLayout(randomArray(dtype, [batch, m, k], 31), layoutA);
  const b = forLayout(randomArray(dtype, [batch, k, n], 32), layoutB);
  await check(bench, a, b, layoutA, layoutB, layoutOut);
}

async function check(bench: Bench, a: HostArray, b: HostArray, layoutA: Layout, layoutB: Layout, layoutOut: Layout): Promise<void> {
  const { dtype } = a;
  const k = a.shape[2];
  const out = bench.output(dtype, [a.shape[0], a.shape[1], b.shape[2]], layoutOut);
  bench.kernels.matmul(bench.input(a, layoutA), bench.input(b, layoutB), out);
  const sizes = product(absolute(a), absolute(b), false);
  const unit = dtype === 'float64' ? 2 ** -52 : 2 ** -23;
  // The classic bound is K units of the sum of sizes; sums in any sensible order stay far below it.
  checkArray('product', await bench.result(out), product(a, b, dtype === 'int32'), (_, place) =>
    dtype === 'int32' ? 0 : sizes.data[place] * unit * Math.max(2, Math.sqrt(k)),
  );
}

function product(a: HostArray, b: HostArray, integers: boolean): HostArray {
  return hostArray(a.dtype === 'int32' ? 'int32' : 'float64', [a.shape[0], a.shape[1], b.shape[2]], ([n, i, j]) => {
    let sum = 0;
    for (let k = 0; k < a.shape[2]; k++) {
      const x = a.data[placeOf([n, i, k], a.shape)];
      const y = b.data[placeOf([n, k, j], b.shape)];
      sum = integers ? (sum + Math.imul(x, y)) | 0 : sum + x * y;
    }
    return sum;
  });
}

const absolute = (array: HostArray): HostArray => ({ ...array, data: array.data.map(Math.abs) });

function forLayout(array: HostArray, { name }: Layout): HostArray {
  const dim = /^broadcast-(\d)$/.exec(name)?.[1];
  return dim === undefined ? array : repeatedAlong(array, Number(dim));
}

/** Operands of halves, with a result of float32 as exact as that of the same operands widened. */
async function halves(bench: Bench, { device }: Subject, dtype: DType, [batch, m, k, n]: Sizes, swapped: boolean): Promise<void> {
  if (device.backend.capabilities.halfProducts !== true) throw new Skip('optional', `${device.id} gets wide copies of halves`);
  const a = randomArray(dtype, [batch, m, k], 37);
  const b = randomArray(dtype, [batch, k, n], 38);
  const turned = ({ shape: [p, q, r], data }: HostArray): HostArray =>
    hostArray(dtype, [p, r, q], ([i, j, l]) => data[(i * q + l) * r + j]);
  const asView = (array: HostArray): View => {
    if (!swapped) return bench.input(array);
    const view = bench.input(turned(array));
    const [s, t, u] = view.strides;
    return { ...view, shape: array.shape, strides: [s, u, t] };
  };
  const out = bench.output('float32', [batch, m, n]);
  bench.kernels.matmul(asView(a), asView(b), out);
  const sizes = product(absolute(a), absolute(b), false);
  checkArray(
    'product',
    await bench.result(out),
    product(a, b, false),
    (_, place) => sizes.data[place] * 2 ** -23 * Math.max(2, Math.sqrt(k)),
  );
}

/** NaN and infinities stay in their rows and columns, whatever padding or blocks there are. */
async function nan(bench: Bench): Promise<void> {
  const a = hostArray('float32', [1, 5, 6], ([, i, k]) => (i === 1 && k === 2 ? NaN : i === 3 && k === 5 ? Infinity : i + k + 1));
  const b = hostArray('float32', [1, 6, 7], ([, k, j]) => k - j + 0.5);
  await check(bench, a, b, CONTIGUOUS, CONTIGUOUS, CONTIGUOUS);
}

/** What lies in the padding of a tile or a panel must not meet an infinity: 0 · ∞ is NaN. */
async function nanAtEdge(bench: Bench): Promise<void> {
  for (const size of [33, 65]) {
    const a = hostArray('float32', [1, size, size], ([, i, k]) => (i === size - 1 && k === size - 1 ? Infinity : 1));
    const b = hostArray('float32', [1, size, size], ([, k, j]) => (k === 0 && j === size - 1 ? NaN : 1));
    await check(bench, a, b, CONTIGUOUS, CONTIGUOUS, CONTIGUOUS);
  }
}

/** The result overwrites what was there, whatever it was. */
async function twice(bench: Bench): Promise<void> {
  const a = randomArray('float32', [1, 17, 19], 35);
  const b = randomArray('float32', [1, 19, 23], 36);
  const out = bench.output('float32', [1, 17, 23]);
  const views = [bench.input(a), bench.input(b)] as const;
  bench.kernels.matmul(...views, out);
  const first = await bench.result(out);
  bench.kernels.matmul(...views, out);
  checkArray('the second time', await bench.result(out), first);
}
