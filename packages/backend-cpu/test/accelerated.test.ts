import type { DType, Window } from '@tessera/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CpuBackend } from '../src/index.js';
import { indicesOf, make, place, placements, randoms, sizeOf, values } from './views.js';

const cpu = new CpuBackend();
const k = cpu.kernels as Required<typeof cpu.kernels>;

const at = (index: readonly number[], shape: readonly number[]): number => index.reduce((n, i, d) => n * shape[d] + i, 0);
const near = (dtype: DType, got: number[], want: number[]): void =>
  got.forEach((v, i) => {
    if (!Object.is(v, want[i]) && !(Math.abs(v - want[i]) <= 1e-12 + Math.abs(want[i]) * (dtype === 'float32' ? 4e-7 : 1e-13)))
      expect.fail(`element ${i}: ${v}, not ${want[i]}`);
  });

/** The places of the input under the window at `o`, in row-major order, and how many of its elements lie in the padded input. */
function windowAt(
  o: readonly number[],
  sizes: readonly number[],
  kernel: readonly number[],
  w: Window,
): { inside: number[][]; padded: number } {
  const all = [...indicesOf(kernel)].map((t) => o.map((i, d) => i * w.stride[d] - w.padding[d] + t[d] * w.dilation[d]));
  return {
    inside: all.filter((p) => p.every((v, d) => v >= 0 && v < sizes[d])),
    padded: all.filter((p) => p.every((v, d) => v < sizes[d] + w.padding[d])).length,
  };
}

const pools = fc
  .array(
    fc
      .record({
        size: fc.integer({ min: 1, max: 7 }),
        kernel: fc.integer({ min: 1, max: 3 }),
        stride: fc.integer({ min: 1, max: 3 }),
        dilation: fc.integer({ min: 1, max: 2 }),
        ceil: fc.boolean(),
      })
      .chain(
        (d) =>
          fc.record({
            ...Object.fromEntries(Object.entries(d).map(([key, v]) => [key, fc.constant(v)])),
            padding: fc.integer({ min: 0, max: Math.floor(d.kernel / 2) }),
          }) as unknown as fc.Arbitrary<{ size: number; kernel: number; stride: number; dilation: number; ceil: boolean; padding: number }>,
      )
      .filter((d) => d.size + 2 * d.padding >= d.dilation * (d.kernel - 1) + 1),
    { minLength: 1, maxLength: 3 },
  )
  .chain((dims) =>
    fc.tuple(fc.constant(dims), fc.tuple(...Array.from({ length: 4 }, () => placements(dims.length + 2, false))), fc.integer({ min: 1 })),
  );

describe('pooling', () => {
  it('of any small size, on any layout, with its gradients', () => {
    fc.assert(
      fc.property(
        pools,
        fc.constantFrom<DType>('float32', 'float64'),
        fc.constantFrom<'padded' | 'valid' | number>('padded', 'valid', 3),
        ([dims, placed, seed], dtype, divisor) => {
          const w: Window = {
            stride: dims.map((d) => d.stride),
            padding: dims.map((d) => d.padding),
            dilation: dims.map((d) => d.dilation),
          };
          const kernel = dims.map((d) => d.kernel);
          const sizes = dims.map((d) => d.size);
          const positions = dims.map((d) => {
            const span = d.size + 2 * d.padding - d.dilation * (d.kernel - 1) - 1;
            const n = (d.ceil ? Math.ceil : Math.floor)(span / d.stride) + 1;
            return d.ceil && (n - 1) * d.stride >= d.size + d.padding ? n - 1 : n;
          });
          const inShape = [2, 2, ...sizes];
          const shape = [2, 2, ...positions];
          const x = randoms(seed, sizeOf(inShape), -2, 2).map((v, i) =>
            i % 13 === 5 ? NaN : i % 5 === 1 ? -Infinity : Math.fround(Math.round(v * 2) / 2 + 0),
          );
          const g = randoms(seed + 1, sizeOf(shape)).map(Math.fround);
          const input = make(cpu, dtype, inShape, x, placed[0]);
          const finite = x.map((v) => (Number.isFinite(v) ? v : 0.25));

          const out = place(cpu, dtype, shape, placed[1]);
          const indices = place(cpu, 'int32', shape, placed[2]);
          expect(k.maxPool(input, out, indices, kernel, w)).toBe(true);
          const wantMax: number[] = [];
          const wantPlaces: number[] = [];
          const wantMaxGrad = new Array<number>(x.length).fill(0);
          const wantMean: number[] = [];
          const wantMeanGrad = new Array<number>(x.length).fill(0);
          for (const index of indicesOf(shape)) {
            const { inside, padded } = windowAt(index.slice(2), sizes, kernel, w);
            const flat = inside.map((p) => at([index[0], index[1], ...p], inShape));
            const list = flat.map((i) => x[i]);
            const best = list.some(Number.isNaN) ? NaN : Math.max(...list);
            const first = Math.max(
              0,
              list.findIndex((v) => Object.is(v, best) || v === best),
            );
            const i = wantMax.length;
            wantMax.push(best);
            wantPlaces.push(inside.length === 0 ? -1 : at(inside[first], sizes));
            if (inside.length > 0) wantMaxGrad[flat[first]] = Math.fround(wantMaxGrad[flat[first]] + g[i]);
            const by = divisor === 'padded' ? padded : divisor === 'valid' ? inside.length : divisor;
            wantMean.push(flat.reduce((s, p) => s + finite[p], 0) / by);
            for (const p of flat) wantMeanGrad[p] += g[i] / by;
          }
          if (wantPlaces.includes(-1)) return; // a dilated window all in the padding: PyTorch refuses it
          expect(values(out)).toEqual(wantMax);
          expect(values(indices)).toEqual(wantPlaces);

          const gradOut = make(cpu, dtype, shape, g, placed[3]);
          const gradIn = place(cpu, dtype, inShape, placed[0]);
          expect(k.maxPoolGrad(gradOut, indices, gradIn, kernel, w)).toBe(true);
          const scale = (got: number[], want: number[]): void =>
            got.forEach((v, i) => expect(Math.abs(v - want[i])).toBeLessThanOrEqual(dtype === 'float32' ? 2e-6 : 1e-6));
          scale(values(gradIn), wantMaxGrad);

          expect(k.avgPool(make(cpu, dtype, inShape, finite, placed[0]), out, kernel, w, divisor)).toBe(true);
          near(dtype, values(out), wantMean);
          expect(k.avgPoolGrad(gradOut, gradIn, kernel, w, divisor)).toBe(true);
          scale(values(gradIn), wantMeanGrad);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('refuses indices outside the plane, and writes nothing', () => {
    const w: Window = { stride: [2], padding: [0], dilation: [1] };
    const gradIn = make(cpu, 'float32', [1, 1, 4], [1, 2, 3, 4]);
    expect(() => k.maxPoolGrad(make(cpu, 'float32', [1, 1, 2], [1, 1]), make(cpu, 'int32', [1, 1, 2], [0, 4]), gradIn, [2], w)).toThrow(
      expect.objectContaining({ code: 'ERR_INDEX_RANGE' }),
    );
    expect(values(gradIn)).toEqual([1, 2, 3, 4]);
  });
});

describe('softmax', () => {
  const rows = fc.tuple(
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 40 }),
    fc.tuple(placements(2, false), placements(2, false), placements(2, false)),
    fc.integer({ min: 1 }),
  );
  for (const log of [false, true]) {
    for (const dtype of ['float32', 'float64'] as const) {
      it(`${log ? 'logarithm' : 'itself'} of ${dtype}, and its gradient, on any layout`, () => {
        fc.assert(
          fc.property(rows, ([R, C, placed, seed]) => {
            const x = randoms(seed, R * C, -30, 30).map(Math.fround);
            const g = randoms(seed + 1, R * C).map(Math.fround);
            const out = place(cpu, dtype, [R, C], placed[0]);
            expect(k.softmax(make(cpu, dtype, [R, C], x, placed[1]), out, log)).toBe(true);
            const y = values(out);
            const gradIn = place(cpu, dtype, [R, C], placed[2]);
            expect(k.softmaxGrad(make(cpu, dtype, [R, C], g, placed[1]), out, gradIn, log)).toBe(true);
            const got = values(gradIn);
            for (let r = 0; r < R; r++) {
              const line = x.slice(r * C, r * C + C);
              const m = Math.max(...line);
              const sum = line.reduce((s, v) => s + Math.exp(v - m), 0);
              near(
                dtype,
                y.slice(r * C, r * C + C),
                line.map((v) => (log ? v - m - Math.log(sum) : Math.exp(v - m) / sum)),
              );
              const gs = g.slice(r * C, r * C + C);
              const ys = y.slice(r * C, r * C + C);
              const total = gs.reduce((s, v, j) => s + (log ? v : v * ys[j]), 0);
              gs.forEach((v, j) => {
                const want = log ? v - Math.exp(ys[j]) * total : ys[j] * (v - total);
                expect(Math.abs(got[r * C + j] - want)).toBeLessThanOrEqual((dtype === 'float32' ? 3e-7 : 1e-13) * (1 + Math.abs(total)));
              });
            }
          }),
          { numRuns: 60 },
        );
      });
    }
  }

  it('gives 0 to −∞ and NaN to a row with NaN, or of −∞ alone', () => {
    const out = place(cpu, 'float32', [3, 2]);
    k.softmax(make(cpu, 'float32', [3, 2], [-Infinity, 1, NaN, 1, -Infinity, -Infinity]), out, false);
    expect(values(out)).toEqual([0, 1, NaN, NaN, NaN, NaN]);
  });
});

describe('linear', () => {
  it('of any size, with and without bias, on any layout', () => {
    const size = fc.constantFrom(1, 2, 3, 5, 8, 17, 40);
    fc.assert(
      fc.property(
        size,
        size,
        size,
        placements(2, false),
        placements(2, true),
        placements(2, false),
        fc.boolean(),
        fc.constantFrom<DType>('float32', 'float64'),
        (M, K, N, pa, pb, po, withBias, dtype) => {
          const a = make(cpu, dtype, [M, K], randoms(M * K, M * K), pa);
          const b = make(cpu, dtype, [N, K], randoms(N + K, N * K), pb);
          const bias = withBias ? make(cpu, dtype, [N], randoms(5, N)) : null;
          const out = place(cpu, dtype, [M, N], po);
          expect(k.linear(a, b, bias, out)).toBe(true);
          const [x, y, z] = [values(a), values(b), bias === null ? null : values(bias)];
          const want = [...indicesOf([M, N])].map(([i, j]) => {
            let sum = 0;
            for (let t = 0; t < K; t++) sum += x[i * K + t] * y[j * K + t];
            return sum + (z === null ? 0 : z[j]);
          });
          near(dtype, values(out), want);
        },
      ),
      { numRuns: 100 },
    );
  });
});

it('declines integers', () => {
  const v = make(cpu, 'int32', [1, 1], [1]);
  expect([k.linear(v, v, null, v), k.softmax(v, v, false), k.softmaxGrad(v, v, v, false)]).toEqual([false, false, false]);
});
