/** @file sort: both directions, stability, NaN last, dims, layouts, dtypes. */
import { type DType, KERNEL_DTYPES } from '@tessera/core';
import type { Suite } from '../suite.js';
import type { Bench } from './bench.js';
import { kernelSuite, type KernelTests } from './case.js';
import { checkArray } from './check-array.js';
import { type HostArray, hostArray, placeOf, randomArray } from './host.js';
import { CONTIGUOUS, type Layout, LAYOUTS, OFFSET } from './layouts.js';

export const sortSuite = (): Suite => kernelSuite('sort', tests);

function* tests(): KernelTests {
  for (const descending of [false, true]) {
    const way = descending ? 'descending' : 'ascending';
    for (const dim of [0, 1, 2])
      yield [`${way}/dim-${dim}`, (bench) => sortTest(bench, randomArray('float32', [4, 9, 5], 51), dim, descending)];
    for (const layout of LAYOUTS)
      yield [`${way}/${layout.name}`, (bench) => sortTest(bench, randomArray('float32', [3, 17], 52), 1, descending, layout)];
    for (const dtype of KERNEL_DTYPES.sort)
      yield [`${way}/${dtype}`, (bench) => sortTest(bench, randomArray(dtype, [3, 31], 53), 1, descending, OFFSET)];
    yield [
      `${way}/stable`,
      (bench) =>
        sortTest(
          bench,
          hostArray('float32', [2, 101], ([i, j]) => (j * (i + 3)) % 4),
          1,
          descending,
        ),
    ];
    yield [
      `${way}/nan`,
      (bench) =>
        sortTest(
          bench,
          hostArray('float32', [2, 12], ([, j]) => (j % 5 === 2 ? NaN : j % 4 === 1 ? -Infinity : j % 7 === 3 ? Infinity : 6 - j)),
          1,
          descending,
        ),
    ];
    yield [
      `${way}/zeros`,
      (bench) =>
        sortTest(
          bench,
          hostArray('float32', [1, 8], ([, j]) => (j % 2 === 0 ? 0 : -0)),
          1,
          descending,
        ),
    ];
    for (const size of [1, 2, 3, 31, 32, 33, 63, 65, 127, 129, 255, 257, 1031, 10_007])
      yield [`${way}/size-${size}`, (bench) => sortTest(bench, randomArray('float32', [2, size], 54), 1, descending)];
    yield [
      `${way}/int32-extremes`,
      (bench) =>
        sortTest(
          bench,
          hostArray('int32', [1, 6], (_, place) => [0, 2147483647, -2147483648, -1, 1, 0][place]),
          1,
          descending,
        ),
    ];
  }
}

async function sortTest(bench: Bench, input: HostArray, dim: number, descending: boolean, layout: Layout = CONTIGUOUS): Promise<void> {
  bench.needs('sort', input.dtype as DType, 'int32');
  const values = bench.output(input.dtype, input.shape, layout);
  const indices = bench.output('int32', input.shape, layout);
  bench.kernels.sort(bench.input(input, layout), dim, descending, values, indices);
  const expected = sorted(input, dim, descending);
  checkArray('places', await bench.result(indices), expected.indices);
  checkArray('values', await bench.result(values), expected.values);
}

/** NaN counts as the largest; equal elements keep their order in both directions. */
export function sorted({ dtype, shape, data }: HostArray, dim: number, descending: boolean): { values: HostArray; indices: HostArray } {
  const places = new Array<number>(data.length);
  const rank = (x: number, y: number): number => (x !== x ? (y !== y ? 0 : 1) : y !== y ? -1 : x - y || 0);
  hostArray('int32', shape, (index) => {
    if (index[dim] !== 0) return 0;
    const at = (k: number): number =>
      placeOf(
        index.map((i, d) => (d === dim ? k : i)),
        shape,
      );
    const order = Array.from({ length: shape[dim] }, (_, k) => k);
    // Infinities of one sign are equal: their difference is NaN.
    const compare = (p: number, q: number): number => (data[at(p)] === data[at(q)] ? 0 : rank(data[at(p)], data[at(q)]));
    order.sort((p, q) => (descending ? compare(q, p) : compare(p, q)) || p - q);
    order.forEach((k, i) => (places[at(i)] = k));
    return 0;
  });
  const indices: HostArray = { dtype: 'int32', shape, data: places };
  return {
    indices,
    values: hostArray(
      dtype,
      shape,
      (index, place) =>
        data[
          placeOf(
            index.map((i, d) => (d === dim ? places[place] : i)),
            shape,
          )
        ],
    ),
  };
}
