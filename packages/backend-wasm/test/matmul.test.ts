/** @file Matrix products against sums in float64: layouts, sizes around every tile and block, element types, biases, threads. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type Dense, expectClose, expectSame, filled, type Layout, random, Tensors } from './support/tensors.js';

const on = new Tensors({ threads: 1 });
afterAll(() => on.dispose());

function product(a: Dense, b: Dense, bias: Dense | null = null): Float64Array {
  const [batch, m, k] = a.shape;
  const n = b.shape[2];
  const out = new Float64Array(batch * m * n);
  for (let q = 0; q < batch; q++)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = bias === null ? 0 : bias.data[j];
        for (let t = 0; t < k; t++) sum += a.data[(q * m + i) * k + t] * b.data[(q * k + t) * n + j];
        out[(q * m + i) * n + j] = sum;
      }
  return out;
}

/** batch, m, k, n. */
type Sizes = readonly [number, number, number, number];

function check([batch, m, k, n]: Sizes, layouts: readonly [Layout, Layout, Layout], tensors = on): void {
  const a = random([batch, m, k], m * 31 + k);
  const b = random([batch, k, n], n * 17 + k);
  const out = tensors.empty([batch, m, n], 'float32', layouts[2]);
  tensors.kernels.matmul(tensors.put(a, 'float32', layouts[0]), tensors.put(b, 'float32', layouts[1]), out);
  expectClose(tensors.get(out), product(a, b), 1e-6, `${batch}x${m}x${k}x${n} ${layouts.join()}`);
}

const LAYOUTS: readonly Layout[] = ['plain', 'reversed', 'gaps'];

describe('matmul', () => {
  it('of sizes around tiles, vectors and blocks', () => {
    for (const m of [1, 2, 3, 4, 5, 7, 8, 13])
      for (const n of [1, 2, 7, 8, 9, 15, 17]) for (const k of [1, 3, 4, 5, 16, 19]) check([2, m, k, n], ['plain', 'plain', 'plain']);
  });

  it('beyond the blocks of rows, columns and k', () => {
    for (const sizes of [
      [1, 197, 459, 67],
      [1, 9, 449, 2039],
      [1, 67, 911, 131],
      [1, 129, 64, 64],
      [1, 517, 19, 37],
      [3, 61, 67, 71],
    ] as const)
      check(sizes, ['plain', 'plain', 'plain']);
  });

  it('of any strides of both operands and of the result', () => {
    for (const a of LAYOUTS)
      for (const b of LAYOUTS)
        for (const out of LAYOUTS) {
          check([2, 9, 10, 11], [a, b, out]);
          check([1, 70, 66, 130], [a, b, out]);
          check([1, 1, 65, 130], [a, b, out]);
          check([1, 130, 65, 1], [a, b, out]);
          check([1, 5, 129, 6], [a, b, out]);
        }
  });

  it('of any sizes and layouts', () => {
    const size = fc.integer({ min: 1, max: 80 });
    const layout = fc.constantFrom(...LAYOUTS);
    fc.assert(
      fc.property(fc.tuple(fc.integer({ min: 1, max: 3 }), size, size, size), fc.tuple(layout, layout, layout), (sizes, layouts) =>
        check(sizes, layouts),
      ),
      { numRuns: 100 },
    );
  });

  it('of operands that are broadcast', () => {
    for (const [m, k, n] of [
      [5, 6, 7],
      [40, 70, 90],
      [1, 33, 20],
    ]) {
      for (const dim of [0, 1, 2]) {
        const a = random([3, m, k], 1);
        const b = random([3, k, n], 2);
        const shape = b.shape.map((s, d) => (d === dim ? 1 : s));
        const small = random(shape, 3);
        const view = { ...on.put(small), shape: b.shape, strides: on.put(small).strides.map((s, d) => (d === dim ? 0 : s)) };
        const index = (i: number): number[] => [Math.floor(i / (k * n)), Math.floor(i / n) % k, i % n].map((x, d) => (d === dim ? 0 : x));
        const whole = filled(b.shape, (i) => {
          const [q, r, c] = index(i);
          return small.data[(q * shape[1] + r) * shape[2] + c];
        });
        const out = on.empty([3, m, n]);
        on.kernels.matmul(on.put(a), view, out);
        expectClose(on.get(out), product(a, whole), 1e-6, `broadcast dim ${dim}`);
      }
    }
  });

  it('of float64 as accurately as float64 is', () => {
    for (const [m, k, n] of [
      [1, 37, 20],
      [20, 37, 1],
      [13, 300, 11],
      [70, 70, 70],
    ]) {
      const a = random([2, m, k], 5);
      const b = random([2, k, n], 6);
      const out = on.empty([2, m, n], 'float64');
      on.kernels.matmul(on.put(a, 'float64'), on.put(b, 'float64', 'reversed'), out);
      expectClose(on.get(out), product(a, b), 1e-14);
    }
  });

  it('of int32 modulo 2^32', () => {
    for (const [m, k, n] of [
      [1, 9, 7],
      [9, 40, 17],
      [70, 80, 90],
    ]) {
      const whole = (seed: number, shape: readonly number[]): Dense => filled(shape, (i) => Math.imul(i + seed, 2654435761));
      const a = whole(3, [1, m, k]);
      const b = whole(8, [1, k, n]);
      const out = on.empty([1, m, n], 'int32');
      on.kernels.matmul(on.put(a, 'int32'), on.put(b, 'int32'), out);
      const { data } = on.get(out);
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let t = 0; t < k; t++) sum = (sum + Math.imul(a.data[i * k + t], b.data[t * n + j])) | 0;
          expect(data[i * n + j]).toBe(sum);
        }
    }
  });

  it('keeps NaN and infinity in their rows and columns', () => {
    const a = filled([1, 6, 9], (i) => (i === 12 ? NaN : i === 30 ? Infinity : i % 5 === 0 ? 1 : 2));
    const b = filled([1, 9, 13], (i) => (i % 3) + 1);
    const out = on.empty([1, 6, 13]);
    on.kernels.matmul(on.put(a), on.put(b), out);
    expectClose(on.get(out), product(a, b), 1e-6);
  });
});

describe('linear', () => {
  it('adds the bias of each column', () => {
    for (const [m, k, n] of [
      [1, 5, 7],
      [7, 5, 1],
      [3, 64, 10],
      [64, 130, 10],
      [33, 300, 65],
      [20, 8, 2030],
    ]) {
      const x = random([m, k], 1);
      const w = random([n, k], 2);
      const bias = random([n], 3);
      const turned = filled([1, k, n], (i) => w.data[(i % n) * k + Math.floor(i / n)]);
      for (const layout of LAYOUTS) {
        const out = on.empty([m, n], 'float32', layout);
        expect(on.kernels.linear(on.put(x, 'float32', layout), on.put(w, 'float32', layout), on.put(bias), out)).toBe(true);
        expectClose(on.get(out), product({ shape: [1, m, k], data: x.data }, turned, bias), 1e-6, `linear ${m}x${k}x${n} ${layout}`);
      }
    }
  });
});

describe('threads', () => {
  it('change no bit of a product', async () => {
    const two = new Tensors({ threads: 2 });
    for (const [batch, m, k, n] of [
      [1, 300, 310, 290],
      [1, 20, 300, 1000],
      [20, 64, 64, 64],
      [1, 1, 700, 1500],
    ]) {
      const [a, b] = [random([batch, m, k], 1), random([batch, k, n], 2)];
      // Several times, as workers come up in between.
      for (let round = 0; round < 3; round++) {
        const [one, other] = [on.empty([batch, m, n]), two.empty([batch, m, n])];
        on.kernels.matmul(on.put(a), on.put(b), one);
        two.kernels.matmul(two.put(a), two.put(b), other);
        expectSame(two.get(other), on.get(one));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    await two.dispose();
  });
});
