/** @file Softmax, cross-entropy and norms with their gradients against float64: row lengths around vectors, layouts, extremes, threads. */
import { afterAll, describe, expect, it } from 'vitest';
import { type Dense, expectClose, expectSame, filled, type Layout, random, Tensors } from './support/tensors.js';

const on = new Tensors({ threads: 1 });
afterAll(() => on.dispose());

const LAYOUTS: readonly Layout[] = ['plain', 'reversed', 'gaps'];
/** Around vectors of 4, rounds of 16, and long. */
const COLUMNS = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 67, 1000, 4099];

const rowsOf = ({ shape: [rows, columns], data }: Dense): Float64Array[] =>
  Array.from({ length: rows }, (_, i) => data.subarray(i * columns, (i + 1) * columns));
const flat = (rows: readonly (readonly number[] | Float64Array)[]): number[] => rows.flatMap((row) => [...row]);
const sum = (row: Iterable<number>): number => {
  let total = 0;
  for (const x of row) total += x;
  return total;
};

function logSoftmax(row: Float64Array): number[] {
  const most = row.reduce((a, b) => Math.max(a, b), -Infinity);
  const lse = Math.log(sum(row.map((x) => Math.exp(x - most))));
  return [...row].map((x) => x - most - lse);
}

describe('softmax', () => {
  it('and its logarithm, with gradients, of any row length', () => {
    for (const columns of COLUMNS) {
      const x = random([3, columns], columns);
      const scaled = { ...x, data: x.data.map((v) => Math.fround(v * 8)) };
      const g = random([3, columns], columns + 1);
      for (const layout of LAYOUTS) {
        for (const log of [false, true]) {
          const expected = rowsOf(scaled).map((row) => logSoftmax(row).map((v) => (log ? v : Math.exp(v))));
          const out = on.empty([3, columns], 'float32', layout);
          expect(on.kernels.softmax(on.put(scaled, 'float32', layout), out, log)).toBe(true);
          expectClose(on.get(out), flat(expected), 3e-6, `${log ? 'log-' : ''}softmax of ${columns}`);

          const y = { shape: x.shape, data: Float64Array.from(flat(expected), Math.fround) };
          const grads = rowsOf(y).map((row, i) => {
            const gRow = rowsOf(g)[i];
            const total = sum(log ? gRow : gRow.map((v, j) => v * row[j]));
            return [...row].map((v, j) => (log ? gRow[j] - Math.exp(v) * total : v * (gRow[j] - total)));
          });
          const grad = on.empty([3, columns], 'float32', layout);
          on.kernels.softmaxGrad(on.put(g, 'float32', layout), on.put(y, 'float32', layout), grad, log);
          expectClose(on.get(grad), flat(grads), 1e-5, `gradient of ${log ? 'log-' : ''}softmax of ${columns}`);
        }
      }
    }
  });

  it('keeps its digits in rows as long as a vocabulary', () => {
    for (const columns of [50_257, 128_256, 99_991]) {
      const x = random([1, columns], columns);
      for (const log of [false, true]) {
        const expected = logSoftmax(x.data).map((v) => (log ? v : Math.exp(v)));
        const out = on.empty([1, columns]);
        on.kernels.softmax(on.put(x), out, log);
        expectClose(on.get(out), expected, 1e-6, `${log ? 'log-' : ''}softmax of ${columns}`);
      }
    }
  });

  it('loses no digits of the gradient where a weight is near 1', () => {
    for (const columns of [2, 5, 16, 67, 1000]) {
      // The gradients lie around 7, so that their mean is rounded where their differences are not.
      const g = filled([1, columns], (i) => 7 + ((i * 37) % 23) / 32);
      const likely = columns >> 1;
      const y = filled([1, columns], (i) => Math.fround(i === likely ? 1 - 4e-5 : 4e-5 / (columns - 1)));
      const weights = sum(y.data);
      const mean = sum(y.data.map((weight, i) => weight * g.data[i])) / weights;
      for (const layout of LAYOUTS) {
        const grad = on.empty([1, columns], 'float32', layout);
        on.kernels.softmaxGrad(on.put(g, 'float32', layout), on.put(y, 'float32', layout), grad, false);
        on.get(grad).data.forEach((x, i) => {
          const exact = y.data[i] * (g.data[i] - mean);
          expect(Math.abs(x - exact)).toBeLessThan(2e-6 * Math.abs(exact) + 1e-12);
        });
      }
    }
  });

  it('takes an infinite gradient as it comes', () => {
    const grad = on.empty([1, 5]);
    on.kernels.softmaxGrad(on.put(filled([1, 5], (i) => (i === 3 ? Infinity : 1))), on.put(filled([1, 5], () => 0.2)), grad, false);
    expect([...on.get(grad).data]).toEqual([-Infinity, -Infinity, -Infinity, NaN, -Infinity]);
  });

  it('gives 0 where a score is −∞, and NaN where all are or one is NaN', () => {
    const x = filled([3, 6], (i) => (i < 6 ? (i === 2 ? -Infinity : i) : i < 12 ? -Infinity : i === 14 ? NaN : 1));
    const out = on.empty([3, 6]);
    on.kernels.softmax(on.put(x), out, false);
    const [first, blind, nan] = rowsOf(on.get(out));
    expect(first[2]).toBe(0);
    expect(sum(first)).toBeCloseTo(1, 6);
    expect([...blind, ...nan].every(Number.isNaN)).toBe(true);
  });
});

describe('cross-entropy', () => {
  it('with its gradient, ignoring rows', () => {
    for (const columns of COLUMNS) {
      const x = random([4, columns], columns);
      const targets = filled([4], (i) => (i === 2 ? -100 : (i * 7) % columns));
      const [losses, lse, grad] = [on.empty([4]), on.empty([4]), on.empty([4, columns])];
      on.kernels.crossEntropy(on.put(x), on.put(targets, 'int32'), losses, lse, -100);
      const logs = rowsOf(x).map(logSoftmax);
      const expected = logs.map((row, i) => (i === 2 ? 0 : -row[targets.data[i]]));
      expectClose(on.get(losses), expected, 3e-6, `loss of ${columns}`);
      const g = random([4], 9);
      on.kernels.crossEntropyGrad(on.put(g), on.put(x), on.put(targets, 'int32'), lse, grad, -100);
      const grads = logs.map((row, i) => row.map((v, j) => (i === 2 ? 0 : g.data[i] * (Math.exp(v) - (j === targets.data[i] ? 1 : 0)))));
      expectClose(on.get(grad), flat(grads), 3e-6, `gradient of ${columns}`);
    }
  });

  it('refuses a target that is no class', () => {
    const x = on.put(random([2, 5], 1));
    for (const bad of [5, -1]) {
      const targets = on.put(
        filled([2], () => bad),
        'int32',
      );
      expect(() => on.kernels.crossEntropy(x, targets, on.empty([2]), on.empty([2]), -100)).toThrow(/ERR_INDEX_RANGE|target/);
    }
  });
});

describe('layer norm', () => {
  it('and root-mean-square norm, with gradients, of any row length', () => {
    const rows = 37;
    for (const columns of COLUMNS.filter((n) => n > 1)) {
      const [x, g, w, b] = [random([rows, columns], 1), random([rows, columns], 2), random([columns], 3), random([columns], 4)];
      for (const layout of columns < 40 ? LAYOUTS : (['plain'] as const)) {
        for (const centred of [true, false]) {
          const eps = 1e-5;
          const means = rowsOf(x).map((row) => (centred ? sum(row) / columns : 0));
          const rstds = rowsOf(x).map((row, i) => 1 / Math.sqrt(sum(row.map((v) => (v - means[i]) ** 2)) / columns + eps));
          const normal = rowsOf(x).map((row, i) => [...row].map((v) => (v - means[i]) * rstds[i]));
          const out = on.empty([rows, columns], 'float32', layout);
          const [mean, rstd] = [on.empty([rows]), on.empty([rows])];
          const put = (dense: Dense) => on.put(dense, 'float32', layout);
          on.kernels.layerNorm(put(x), on.put(w), on.put(b), out, centred ? mean : null, rstd, eps);
          expectClose(on.get(out), flat(normal.map((row) => row.map((v, j) => v * w.data[j] + b.data[j]))), 5e-6, `norm of ${columns}`);
          if (centred) expectClose(on.get(mean), means, 1e-6);
          expectClose(on.get(rstd), rstds, 1e-6);

          const [gradX, gradW, gradB] = [on.empty([rows, columns], 'float32', layout), on.empty([columns]), on.empty([columns])];
          on.kernels.layerNormGrad(put(g), put(x), on.put(w), centred ? mean : null, rstd, gradX, gradW, gradB);
          const grads = rowsOf(g).map((row, i) => {
            const scaled = [...row].map((v, j) => v * w.data[j]);
            const meanG = centred ? sum(scaled) / columns : 0;
            const meanGX = sum(scaled.map((v, j) => v * normal[i][j])) / columns;
            return scaled.map((v, j) => (v - meanG - normal[i][j] * meanGX) * rstds[i]);
          });
          expectClose(on.get(gradX), flat(grads), 2e-5, `gradient of ${columns}`);
          const column = (fn: (i: number, j: number) => number): number[] =>
            Array.from({ length: columns }, (_, j) => sum(Array.from({ length: rows }, (_, i) => fn(i, j))));
          expectClose(
            on.get(gradW),
            column((i, j) => g.data[i * columns + j] * normal[i][j]),
            5e-6,
            'gradient of the weight',
          );
          expectClose(
            on.get(gradB),
            column((i, j) => g.data[i * columns + j]),
            5e-6,
            'gradient of the bias',
          );
        }
      }
    }
  });
});

describe('batch norm', () => {
  it('with gradients, of planes and of single features', () => {
    for (const [N, C, S] of [
      [5, 3, 1],
      [2, 4, 7],
      [3, 2, 64],
      [4, 5, 49],
    ]) {
      const [x, g, w, b] = [random([N, C, S], 1), random([N, C, S], 2), random([C], 3), random([C], 4)];
      const eps = 1e-5;
      const channel = (dense: Dense, c: number): number[] =>
        Array.from({ length: N * S }, (_, i) => dense.data[(Math.floor(i / S) * C + c) * S + (i % S)]);
      const place = (i: number): [number, number] => [Math.floor(i / S) % C, Math.floor(i / (S * C)) * S + (i % S)];
      const means = Array.from({ length: C }, (_, c) => sum(channel(x, c)) / (N * S));
      const variances = means.map((mean, c) => sum(channel(x, c).map((v) => (v - mean) ** 2)) / (N * S));
      const normal = means.map((mean, c) => channel(x, c).map((v) => (v - mean) / Math.sqrt(variances[c] + eps)));
      const [out, mean, variance] = [on.empty([N, C, S]), on.empty([C]), on.empty([C])];
      expect(on.kernels.batchNorm(on.put(x), on.put(w), on.put(b), out, mean, variance, eps)).toBe(true);
      const whole = (fn: (c: number, i: number) => number): number[] => Array.from({ length: N * C * S }, (_, i) => fn(...place(i)));
      expectClose(
        on.get(out),
        whole((c, i) => normal[c][i] * w.data[c] + b.data[c]),
        5e-6,
      );
      expectClose(on.get(mean), means, 1e-5);
      expectClose(on.get(variance), variances, 1e-5);
      const [gradX, gradW, gradB] = [on.empty([N, C, S]), on.empty([C]), on.empty([C])];
      on.kernels.batchNormGrad(on.put(g), on.put(x), on.put(w), mean, variance, eps, gradX, gradW, gradB);
      const sums = means.map((_, c) => sum(channel(g, c)));
      const crossed = means.map((_, c) => sum(channel(g, c).map((v, i) => v * normal[c][i])));
      expectClose(on.get(gradB), sums, 1e-5);
      expectClose(on.get(gradW), crossed, 1e-5);
      const grads = whole(
        (c, i) =>
          ((channel(g, c)[i] - sums[c] / (N * S) - (normal[c][i] * crossed[c]) / (N * S)) * w.data[c]) / Math.sqrt(variances[c] + eps),
      );
      expectClose(on.get(gradX), grads, 2e-5);
    }
  });
});

describe('threads', () => {
  it('change no bit', async () => {
    const two = new Tensors({ threads: 2 });
    const run = (t: Tensors): Dense[] => {
      const x = t.put(random([600, 500], 1));
      const g = t.put(random([600, 500], 2));
      const [y, gradX, mean, rstd, gradW] = [t.empty([600, 500]), t.empty([600, 500]), t.empty([600]), t.empty([600]), t.empty([500])];
      t.kernels.softmax(x, y, false);
      const softmax = t.get(y);
      t.kernels.layerNorm(x, null, null, y, mean, rstd, 1e-5);
      t.kernels.layerNormGrad(g, x, null, mean, rstd, gradX, gradW, null);
      return [softmax, ...[y, gradX, gradW].map((view) => t.get(view))];
    };
    for (let round = 0; round < 3; round++) {
      const expected = run(on);
      run(two).forEach((got, i) => expectSame(got, expected[i], `result ${i}`));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await two.dispose();
  });
});
