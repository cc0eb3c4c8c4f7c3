/**
 * @file Products with a pointwise program as their epilogue against sums on the host: shapes that take every kernel of a family (tiles, slim ones, long
 * dot products, edges), programs with other inputs in any layout, and with several outputs.
 */
import { makeProgram, type Program } from '@tessera/core';
import type { Suite } from '../suite.js';
import { accelerated, type AcceleratedTest } from './accelerated.js';
import type { Bench } from './bench.js';
import { checkArray } from './check-array.js';
import { eachTap, type Sliding, slidOver } from './windows.js';
import { type HostArray, hostArray, placeOf, randomArray } from './host.js';
import { broadcast, CONTIGUOUS, type Layout, OFFSET, STEPPED, TRANSPOSED } from './layouts.js';

/** relu(product · s0 + x), and the product itself. */
const PROGRAM: Program = makeProgram({
  inputs: ['float32', 'float32'],
  scalars: ['float32', 'float32'],
  instructions: [
    { op: 'mul', dtype: 'float32', args: [1, 2] },
    { op: 'add', dtype: 'float32', args: [4, 0] },
    { op: 'max', dtype: 'float32', args: [5, 3] },
  ],
  outputs: [
    { register: 6, dtype: 'float32' },
    { register: 1, dtype: 'float32' },
  ],
});
const SCALARS = [0.5, 0];

/** Calls a kernel with the program, and checks both outputs against the product `exact`. */
async function check(
  bench: Bench,
  exact: HostArray,
  other: Layout,
  call: (...epilogue: [Program, number[], [ReturnType<Bench['input']>, null], ReturnType<Bench['output']>[]]) => boolean,
  allowed: number,
): Promise<boolean> {
  const shape = exact.shape;
  const full = randomArray('float32', shape, 143);
  const x = other.name.startsWith('broadcast')
    ? hostArray('float32', shape, (index) => full.data[placeOf([0, ...index.slice(1)], shape)])
    : full;
  const out = [bench.output('float32', shape, CONTIGUOUS), bench.output('float32', shape, OFFSET)];
  if (!call(PROGRAM, SCALARS, [bench.input(x, other), null], out)) return false;
  const within = (expected: number): number => allowed * Math.max(1, Math.abs(expected));
  checkArray('the product', await bench.result(out[1]), exact, within);
  const activated = hostArray('float64', shape, (_, place) => Math.max(exact.data[place] * 0.5 + x.data[place], 0));
  checkArray('what follows it', await bench.result(out[0]), activated, within);
  return true;
}

/** Batch, rows, inner, columns. */
const MATRICES: readonly (readonly [number, number, number, number])[] = [
  [1, 1, 1, 1],
  [1, 5, 7, 3],
  [2, 17, 33, 19],
  [1, 65, 20, 66],
  [1, 3, 700, 5],
  [1, 33, 1031, 40],
  [1, 64, 64, 64],
  [1, 1, 300, 70],
  [2, 130, 12, 131],
];

function* matmulTests(): Generator<readonly [string, AcceleratedTest<'matmulPointwise'>]> {
  for (const [batch, rows, inner, columns] of MATRICES)
    for (const [name, layout, other] of [
      ['contiguous', CONTIGUOUS, CONTIGUOUS],
      ['transposed', TRANSPOSED, STEPPED],
      ['broadcast', OFFSET, broadcast(0)],
    ] as const)
      for (const biased of [false, true])
        yield [
          `${batch}x${rows}x${inner}x${columns}/${name}${biased ? '/bias' : ''}`,
          async (bench, kernel) => {
            const a = randomArray('float32', [batch, rows, inner], 140);
            const b = randomArray('float32', [batch, inner, columns], 141);
            const bias = randomArray('float32', [columns], 142);
            const exact = hostArray('float64', [batch, rows, columns], ([n, i, j]) => {
              let sum = biased ? bias.data[j] : 0;
              for (let k = 0; k < inner; k++) sum += a.data[placeOf([n, i, k], a.shape)] * b.data[placeOf([n, k, j], b.shape)];
              return sum;
            });
            const given = biased ? bench.input(bias, CONTIGUOUS) : null;
            return check(
              bench,
              exact,
              other,
              (...epilogue) => kernel(bench.input(a, layout), bench.input(b, layout), given, ...epilogue),
              1e-4,
            );
          },
        ];
}

const WINDOWS: readonly (readonly [string, readonly number[], Sliding, number])[] = [
  ['1d', [9], { kernel: [3], window: { stride: [2], padding: [1], dilation: [1] } }, 1],
  ['2d', [9, 7], { kernel: [3, 2], window: { stride: [1, 2], padding: [1, 0], dilation: [2, 1] } }, 1],
  ['2d-groups', [6, 5], { kernel: [3, 3], window: { stride: [1, 1], padding: [1, 1], dilation: [1, 1] } }, 2],
  ['3d', [5, 4, 3], { kernel: [2, 2, 2], window: { stride: [1, 1, 1], padding: [0, 1, 0], dilation: [1, 1, 1] } }, 1],
];

function* convolutionTests(): Generator<readonly [string, AcceleratedTest<'convolutionPointwise'>]> {
  for (const [name, sizes, sliding, groups] of WINDOWS)
    for (const [layoutName, layout, other] of [
      ['contiguous', CONTIGUOUS, CONTIGUOUS],
      ['transposed', TRANSPOSED, STEPPED],
      ['broadcast', OFFSET, broadcast(0)],
    ] as const)
      for (const biased of [false, true])
        yield [
          `${name}/${layoutName}${biased ? '/bias' : ''}`,
          async (bench, kernel) => {
            const input = randomArray('float32', [2, 4, ...sizes], 145);
            const weight = randomArray('float32', [6, 4 / groups, ...sliding.kernel], 146);
            const bias = randomArray('float32', [6], 147);
            const shape = [2, 6, ...slidOver(sizes, sliding)];
            const sums = hostArray('float64', shape, ([, o]) => (biased ? bias.data[o] : 0)).data.slice();
            eachTap(sizes, sliding, (out, tap, source) => {
              if (source === null) return;
              for (let n = 0; n < 2; n++)
                for (let o = 0; o < 6; o++)
                  for (let c = 0; c < 4 / groups; c++) {
                    const channel = Math.floor(o / (6 / groups)) * (4 / groups) + c;
                    sums[placeOf([n, o, ...out], shape)] +=
                      input.data[placeOf([n, channel, ...source], input.shape)] * weight.data[placeOf([o, c, ...tap], weight.shape)];
                  }
            });
            const exact = hostArray('float64', shape, (_, place) => sums[place]);
            const given = biased ? bench.input(bias, CONTIGUOUS) : null;
            return check(
              bench,
              exact,
              other,
              (...epilogue) => kernel(bench.input(input, layout), bench.input(weight, layout), given, sliding.window, groups, ...epilogue),
              1e-4,
            );
          },
        ];
}

export const epilogueSuites = (): Suite[] => [
  accelerated('matmulPointwise', matmulTests),
  accelerated('convolutionPointwise', convolutionTests),
];
