/** @file The accelerated cross-entropy and its gradient against sums on the host. */
import type { Suite } from '../suite.js';
import { accelerated, type AcceleratedTest } from './accelerated.js';
import { checkArray } from './check-array.js';
import { type HostArray, hostArray, randomArray } from './host.js';
import { refuses } from './indexing-suite.js';
import { CONTIGUOUS, type Layout, OFFSET, TRANSPOSED } from './layouts.js';

/** What PyTorch ignores by default. */
const IGNORED = -100;

interface Problem {
  readonly logits: HostArray;
  readonly targets: HostArray;
  readonly ignoreIndex: number;
  readonly layout: Layout;
}

/** Every fifth row is ignored. */
function problem(logits: HostArray, layout: Layout = CONTIGUOUS, ignoreIndex = IGNORED): Problem {
  const [rows, classes] = logits.shape;
  return { logits, targets: hostArray('int32', [rows], ([i]) => (i % 5 === 3 ? ignoreIndex : (i * 7) % classes)), ignoreIndex, layout };
}

function* problems(): Generator<readonly [string, Problem]> {
  for (const [rows, classes] of [
    [1, 1],
    [4, 10],
    [31, 33],
    [33, 31],
    [7, 127],
    [5, 129],
    [9, 1031],
    [257, 3],
    [65, 65],
  ])
    yield [`${rows}x${classes}`, problem(randomArray('float32', [rows, classes], 111))];
  for (const layout of [OFFSET, TRANSPOSED]) yield [`layout/${layout.name}`, problem(randomArray('float32', [9, 7], 112), layout)];
  yield ['ignored-class', problem(randomArray('float32', [11, 7], 113), CONTIGUOUS, 2)];
  yield ['large', problem(hostArray('float32', [6, 5], ([i, j]) => (i % 2 === 0 ? 1e4 : -1e4) + j))];
  yield ['infinity', problem(hostArray('float32', [6, 5], ([i, j]) => (j === (i * 7 + 1) % 5 ? -Infinity : i - j)))];
  yield ['nan', problem(hostArray('float32', [6, 5], ([i, j]) => (i === 1 && j === 2 ? NaN : i - j)))];
}

const isIgnored = ({ targets, ignoreIndex }: Problem, row: number): boolean => targets.data[row] === ignoreIndex;

function logsumexps({ logits: { shape, data } }: Problem): HostArray {
  const [rows, classes] = shape;
  return hostArray('float64', [rows], ([i]) => {
    const row = data.slice(i * classes, (i + 1) * classes);
    const most = row.reduce((held, x) => Math.max(held, x), -Infinity);
    return most + Math.log(row.reduce((sum, x) => sum + Math.exp(x - most), 0));
  });
}

const ALLOWED = (expected: number): number => 1e-5 * Math.max(1, Math.abs(expected));

function* lossTests(): Generator<readonly [string, AcceleratedTest<'crossEntropy'>]> {
  for (const [name, p] of problems()) {
    yield [
      name,
      async (bench, kernel) => {
        const [rows, classes] = p.logits.shape;
        const [losses, logsumexp] = [bench.output('float32', [rows]), bench.output('float32', [rows])];
        if (!kernel(bench.input(p.logits, p.layout), bench.input(p.targets), losses, logsumexp, p.ignoreIndex)) return false;
        const exact = logsumexps(p);
        const expected = hostArray('float64', [rows], ([i]) =>
          isIgnored(p, i) ? 0 : exact.data[i] - p.logits.data[i * classes + p.targets.data[i]],
        );
        // A loss is the difference of two numbers that may be large.
        checkArray('losses', await bench.result(losses), expected, (v, i) => ALLOWED(Math.max(Math.abs(v), Math.abs(exact.data[i]))));
        // Nothing reads those of ignored rows.
        const read = (array: HostArray): HostArray => ({ ...array, data: array.data.map((x, i) => (isIgnored(p, i) ? 0 : x)) });
        checkArray('logsumexp', read(await bench.result(logsumexp)), read(exact), ALLOWED);
        return true;
      },
    ];
  }
  for (const bad of [-1, 7, 2147483647, -2147483648]) {
    yield [
      `out-of-range/${bad}`,
      async (bench, kernel, subject) => {
        const views = [
          bench.input(randomArray('float32', [4, 7], 114)),
          bench.input({ dtype: 'int32', shape: [4], data: [0, bad, 2, 3] }),
        ] as const;
        const [losses, logsumexp] = [bench.output('float32', [4]), bench.output('float32', [4])];
        let taken = true;
        await refuses(
          subject,
          losses,
          () => (taken = kernel(...views, losses, logsumexp, IGNORED)),
          () => taken,
        );
        return taken;
      },
    ];
  }
}

function* gradTests(): Generator<readonly [string, AcceleratedTest<'crossEntropyGrad'>]> {
  for (const [name, p] of problems()) {
    yield [
      name,
      async (bench, kernel) => {
        const { logits } = p;
        const [rows, classes] = logits.shape;
        const exact = logsumexps(p);
        const gradLosses = randomArray('float32', [rows], 115);
        const out = bench.output('float32', logits.shape, p.layout);
        const rounded = hostArray('float32', [rows], ([i]) => exact.data[i]);
        const given = [bench.input(gradLosses), bench.input(logits, p.layout), bench.input(p.targets), bench.input(rounded)] as const;
        if (!kernel(...given, out, p.ignoreIndex)) return false;
        const expected = hostArray('float64', logits.shape, ([i, j], place) =>
          isIgnored(p, i) ? 0 : gradLosses.data[i] * (Math.exp(logits.data[place] - exact.data[i]) - Number(j === p.targets.data[i])),
        );
        // The given logsumexp is rounded: kernels may take it as it is, or normalize the rows anew.
        const rounding = Math.max(...Array.from(exact.data, (x) => (Number.isFinite(x) ? Math.abs(x) : 0))) * 2 ** -23;
        checkArray('gradient', await bench.result(out), { ...expected, shape: [rows, classes] }, (v) => ALLOWED(v) + rounding);
        return true;
      },
    ];
  }
}

export const crossEntropySuites = (): Suite[] => [accelerated('crossEntropy', lossTests), accelerated('crossEntropyGrad', gradTests)];
