/** @file The accelerated kernels: all of them together; softmax and linear. Each must give what its decomposition gives, within float32's rounding. */
import type { Suite } from '../suite.js';
import { accelerated } from './accelerated.js';
import { checkArray } from './check-array.js';
import { attentionSuites } from './attention-suite.js';
import { crossEntropySuites } from './cross-entropy-suite.js';
import { normSuites } from './norm-suite.js';
import { convolutionSuites } from './convolution-suite.js';
import { epilogueSuites } from './epilogue-suite.js';
import { type HostArray, hostArray, randomArray, withInfinity, withNaN } from './host.js';
import { CONTIGUOUS, OFFSET, TRANSPOSED } from './layouts.js';
import { pointwiseEachSuite } from './pointwise-each-suite.js';
import { poolSuites } from './pool-suite.js';
import { recurrentSuites } from './recurrent-suite.js';
import { topkSuite } from './topk-suite.js';

const LAYOUTS = [CONTIGUOUS, OFFSET, TRANSPOSED];
const ALLOWED = (): number => 1e-5;

export function acceleratedSuites(): Suite[] {
  return [
    pointwiseEachSuite(),
    ...convolutionSuites(),
    ...epilogueSuites(),
    ...poolSuites(),
    ...softmaxSuites(),
    linearSuite(),
    ...normSuites(),
    ...attentionSuites(),
    ...crossEntropySuites(),
    ...recurrentSuites(),
    topkSuite(),
  ];
}

function softmaxSuites(): Suite[] {
  const inputs: readonly (readonly [string, HostArray])[] = [
    ['3x7', randomArray('float32', [3, 7], 73)],
    ['1x1', randomArray('float32', [1, 1], 74)],
    ['5x1031', randomArray('float32', [5, 1031], 75)],
    ['large', hostArray('float32', [2, 5], ([i, j]) => (i === 0 ? 1e4 : -1e4) + j)],
    ...[31, 32, 33, 127, 129, 257, 4099].map((columns) => [`2x${columns}`, randomArray('float32', [2, columns], 81)] as const),
    ['257x3', randomArray('float32', [257, 3], 82)],
    ['infinity', withInfinity()],
    ['nan', withNaN()],
    ['nothing', hostArray('float32', [2, 5], ([i]) => (i === 0 ? -Infinity : 1))],
  ];
  return [
    accelerated('softmax', function* () {
      for (const [name, x] of inputs) {
        for (const log of [false, true]) {
          for (const layout of LAYOUTS) {
            yield [
              `${name}/${log ? 'log-' : ''}${layout.name}`,
              async (bench, kernel) => {
                const out = bench.output('float32', x.shape, layout);
                if (!kernel(bench.input(x, layout), out, log)) return false;
                checkArray('softmax', await bench.result(out), softmax(x, log), (expected) => 1e-5 * Math.max(1, Math.abs(expected)));
                return true;
              },
            ] as const;
          }
        }
      }
    }),
    accelerated('softmaxGrad', function* () {
      for (const log of [false, true]) {
        for (const layout of LAYOUTS) {
          yield [
            `${log ? 'log-' : ''}${layout.name}`,
            async (bench, kernel) => {
              const y = softmax(randomArray('float32', [5, 37], 76), log);
              const g = randomArray('float32', y.shape, 77);
              const out = bench.output('float32', y.shape, layout);
              if (!kernel(bench.input(g, layout), bench.input(y, layout), out, log)) return false;
              checkArray('gradient', await bench.result(out), softmaxGradient(y, g, log), ALLOWED);
              return true;
            },
          ] as const;
        }
      }
    }),
  ];
}

function softmax({ shape, data }: HostArray, log: boolean): HostArray {
  const [, columns] = shape;
  const rows = Array.from({ length: shape[0] }, (_, i) => {
    const values = data.slice(i * columns, (i + 1) * columns);
    const most = values.reduce((held, x) => Math.max(held, x), -Infinity);
    return { most, sum: values.reduce((total, x) => total + Math.exp(x - most), 0) };
  });
  return hostArray('float32', shape, ([i], place) => {
    const { most, sum } = rows[i];
    return log ? data[place] - most - Math.log(sum) : Math.exp(data[place] - most) / sum;
  });
}

/** y (g − Σ g y), and g − eʸ Σ g of the logarithm. */
function softmaxGradient(y: HostArray, g: HostArray, log: boolean): HostArray {
  const [, columns] = y.shape;
  return hostArray('float32', y.shape, ([i], place) => {
    let sum = 0;
    for (let k = 0; k < columns; k++) sum += g.data[i * columns + k] * (log ? 1 : y.data[i * columns + k]);
    return log ? g.data[place] - Math.exp(y.data[place]) * sum : y.data[place] * (g.data[place] - sum);
  });
}

function linearSuite(): Suite {
  return accelerated('linear', function* () {
    for (const [m, k, n] of [
      [1, 1, 1],
      [7, 11, 13],
      [33, 65, 17],
      [31, 32, 33],
      [64, 63, 129],
      [1, 257, 5],
      [129, 1, 3],
    ]) {
      for (const bias of [false, true]) {
        for (const layout of LAYOUTS) {
          yield [
            `${m}x${k}x${n}/${bias ? 'bias-' : ''}${layout.name}`,
            async (bench, kernel) => {
              const [a, b, c] = [randomArray('float32', [m, k], 78), randomArray('float32', [n, k], 79), randomArray('float32', [n], 80)];
              const out = bench.output('float32', [m, n], layout);
              if (!kernel(bench.input(a, layout), bench.input(b, layout), bias ? bench.input(c) : null, out)) return false;
              const expected = hostArray('float32', [m, n], ([i, j]) => {
                let sum = bias ? c.data[j] : 0;
                for (let t = 0; t < k; t++) sum += a.data[i * k + t] * b.data[j * k + t];
                return sum;
              });
              checkArray('linear', await bench.result(out), expected, () => 1e-5 * k);
              return true;
            },
          ] as const;
        }
      }
    }
  });
}
