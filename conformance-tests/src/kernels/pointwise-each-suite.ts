/** @file One program on several sets of views in one launch: what an optimizer's step does to all parameters. Against the same sums on the host. */
import { makeProgram, type Program } from '@tessera/core';
import type { Suite } from '../suite.js';
import { accelerated, type AcceleratedTest } from './accelerated.js';
import { checkArray } from './check-array.js';
import { hostArray, randomArray } from './host.js';
import { CONTIGUOUS, OFFSET, STEPPED } from './layouts.js';

/** From p, m and g: m' = m + (g − m) · s0, which is written over m, and p' = p − m' · s1, written over p. */
const PROGRAM: Program = makeProgram({
  inputs: ['float32', 'float32', 'float32'],
  scalars: ['float32', 'float32'],
  instructions: [
    { op: 'sub', dtype: 'float32', args: [2, 1] },
    { op: 'mul', dtype: 'float32', args: [5, 3] },
    { op: 'add', dtype: 'float32', args: [1, 6] },
    { op: 'mul', dtype: 'float32', args: [7, 4] },
    { op: 'sub', dtype: 'float32', args: [0, 8] },
  ],
  outputs: [
    { register: 9, dtype: 'float32' },
    { register: 7, dtype: 'float32' },
  ],
});

const SIZES: readonly (readonly [string, readonly number[]])[] = [
  ['one', [7]],
  ['two', [300, 1]],
  ['several', [5, 256, 257, 1, 1000]],
  ['many', [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3]],
];

function* tests(): Generator<readonly [string, AcceleratedTest<'pointwiseEach'>]> {
  for (const [name, sizes] of SIZES)
    for (const layout of [CONTIGUOUS, OFFSET, STEPPED])
      for (const inPlace of [true, false])
        yield [
          `${name}/${layout.name}/${inPlace ? 'in-place' : 'elsewhere'}`,
          async (bench, kernel) => {
            const sets = sizes.map((size, i) => {
              const [p, m, g] = [0, 1, 2].map((k) => randomArray('float32', [size], 150 + 3 * i + k));
              const inputs = [p, m, g].map((array) => bench.input(array, layout));
              const outputs = inPlace ? inputs.slice(0, 2) : [p, m].map(({ shape }) => bench.output('float32', shape, layout));
              return { p, m, g, inputs, outputs, scalars: [0.25 + i / 64, 0.5 - i / 64] };
            });
            const done = kernel(
              PROGRAM,
              sets.map(({ scalars }) => scalars),
              sets.map(({ inputs }) => inputs),
              sets.map(({ outputs }) => outputs),
            );
            if (!done) return false;
            for (const { p, m, g, outputs, scalars } of sets) {
              const mean = hostArray('float64', p.shape, (_, i) => m.data[i] + (g.data[i] - m.data[i]) * scalars[0]);
              const allowed = (): number => 1e-6;
              checkArray('m', await bench.result(outputs[1]), mean, allowed);
              const moved = hostArray('float64', p.shape, (_, i) => p.data[i] - mean.data[i] * scalars[1]);
              checkArray('p', await bench.result(outputs[0]), moved, allowed);
            }
            return true;
          },
        ];
}

export const pointwiseEachSuite = (): Suite => accelerated('pointwiseEach', tests);
