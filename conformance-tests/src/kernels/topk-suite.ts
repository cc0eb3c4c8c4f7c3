/** @file The accelerated topk: the beginning of what sort gives, equals and NaN included. */
import type { DType } from '@tessera/core';
import type { Suite } from '../suite.js';
import { accelerated, type AcceleratedTest } from './accelerated.js';
import { checkArray } from './check-array.js';
import { type HostArray, hostArray, randomArray } from './host.js';
import { CONTIGUOUS, type Layout, OFFSET, TRANSPOSED } from './layouts.js';
import { sorted } from './sort-suite.js';

export const topkSuite = (): Suite => accelerated('topk', tests);

function* tests(): Generator<readonly [string, AcceleratedTest<'topk'>]> {
  const test = (input: HostArray, k: number, largest: boolean, layout: Layout = CONTIGUOUS): AcceleratedTest<'topk'> => {
    return async (bench, kernel) => {
      const [rows, columns] = input.shape;
      const [values, indices] = [bench.output(input.dtype, [rows, k], layout), bench.output('int32', [rows, k], layout)];
      if (!kernel(bench.input(input, layout), k, largest, values, indices)) return false;
      const expected = sorted(input, 1, largest);
      const first = ({ dtype, data }: HostArray): HostArray => hostArray(dtype, [rows, k], ([i, j]) => data[i * columns + j]);
      checkArray('places', await bench.result(indices), first(expected.indices));
      checkArray('values', await bench.result(values), first(expected.values));
      return true;
    };
  };
  for (const largest of [true, false]) {
    const way = largest ? 'largest' : 'smallest';
    for (const [rows, columns, k] of [
      [3, 7, 2],
      [1, 1031, 1],
      [5, 129, 128],
      [2, 3000, 5],
      [1, 20_011, 33],
      [2, 2049, 256],
      [9, 2065, 3],
    ] as const)
      yield [`${way}/${rows}x${columns}-${k}`, test(randomArray('float32', [rows, columns], 141), k, largest)];
    for (const dtype of ['int32', 'uint8'] satisfies DType[])
      yield [`${way}/${dtype}`, test(randomArray(dtype, [3, 2049], 142), 9, largest)];
    for (const layout of [OFFSET, TRANSPOSED])
      yield [`${way}/layout/${layout.name}`, test(randomArray('float32', [3, 2060], 143), 4, largest, layout)];
    const stable = hostArray('float32', [2, 2500], ([i, j]) => (j * (i + 3)) % 4);
    yield [`${way}/stable`, test(stable, 30, largest)];
    const special = hostArray('float32', [2, 2100], ([, j]) =>
      j % 5 === 2 ? NaN : j % 4 === 1 ? -Infinity : j % 7 === 3 ? Infinity : 6 - j,
    );
    yield [`${way}/nan`, test(special, 25, largest)];
    yield [
      `${way}/nothing-else`,
      test(
        hostArray('float32', [1, 2200], () => (largest ? -Infinity : NaN)),
        7,
        largest,
      ),
    ];
  }
}
