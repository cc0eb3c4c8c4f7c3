/** @file Layer, root-mean-square and batch norm with their gradients against the formulas in float64, on views of any layout. */
import type { DType } from '@tessera/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CpuBackend } from '../src/index.js';
import { make, place, placements, randoms, sizeOf, values } from './views.js';

const cpu = new CpuBackend();
const k = cpu.kernels as Required<typeof cpu.kernels>;
const EPS = 1e-5;

function checkClose(dtype: DType, got: readonly number[], want: readonly number[], scale = 1): void {
  const allowed = (dtype === 'float32' ? 2e-6 : 1e-12) * scale;
  got.forEach((v, i) => {
    if (!(Math.abs(v - want[i]) <= allowed * (1 + Math.abs(want[i])))) expect.fail(`element ${i}: ${v}, not ${want[i]}`);
  });
}

const mean = (x: readonly number[]): number => x.reduce((s, v) => s + v, 0) / x.length;

/** x̂ of one group of elements with its statistics, and the way back. */
function standardized(
  x: readonly number[],
  centred: boolean,
): { hat: number[]; m: number; variance: number; r: number; back: (g: readonly number[]) => number[] } {
  const m = centred ? mean(x) : 0;
  const variance = mean(x.map((v) => (v - m) ** 2));
  const r = 1 / Math.sqrt(variance + EPS);
  const hat = x.map((v) => (v - m) * r);
  const back = (g: readonly number[]): number[] => {
    const along = mean(g.map((v, i) => v * hat[i]));
    const shift = centred ? mean(g) : 0;
    return g.map((v, i) => r * (v - shift - hat[i] * along));
  };
  return { hat, m, variance, r, back };
}

const sizes = fc.constantFrom(1, 2, 3, 7, 16, 31);
const layouts = fc.tuple(placements(2, true), placements(2, false), placements(2, false));

describe('layerNorm', () => {
  for (const dtype of ['float32', 'float64'] as const) {
    it(`${dtype}: of any size and layout, centred or not, with and without weight and bias`, () => {
      fc.assert(
        fc.property(
          sizes,
          sizes,
          layouts,
          fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
          fc.integer({ min: 1 }),
          (R, C, p, has, seed) => {
            const [centred, weighted, biased] = has;
            const input = make(cpu, dtype, [R, C], randoms(seed, R * C, -3, 5).map(Math.fround), p[0]);
            const x = values(input);
            const weight = weighted ? make(cpu, dtype, [C], randoms(seed + 1, C, 0.5, 2).map(Math.fround)) : null;
            const bias = biased ? make(cpu, dtype, [C], randoms(seed + 2, C).map(Math.fround)) : null;
            const w = weight === null ? new Array<number>(C).fill(1) : values(weight);
            const b = bias === null ? new Array<number>(C).fill(0) : values(bias);
            const out = place(cpu, dtype, [R, C], p[1]);
            const means = centred ? place(cpu, dtype, [R]) : null;
            const rstd = place(cpu, dtype, [R]);
            expect(k.layerNorm(input, weight, bias, out, means, rstd, EPS)).toBe(true);
            const rows = Array.from({ length: R }, (_, i) => standardized(x.slice(i * C, i * C + C), centred));
            checkClose(
              dtype,
              values(out),
              rows.flatMap(({ hat }) => hat.map((v, j) => v * w[j] + b[j])),
              4,
            );
            if (means !== null)
              checkClose(
                dtype,
                values(means),
                rows.map(({ m }) => m),
              );
            checkClose(
              dtype,
              values(rstd),
              rows.map(({ r }) => r),
            );

            const gradOut = make(cpu, dtype, [R, C], randoms(seed + 3, R * C).map(Math.fround), p[0]);
            const g = values(gradOut);
            const gradIn = place(cpu, dtype, [R, C], p[2]);
            const gradWeight = weighted ? place(cpu, dtype, [C]) : null;
            const gradBias = biased ? place(cpu, dtype, [C]) : null;
            expect(k.layerNormGrad(gradOut, input, weight, means, rstd, gradIn, gradWeight, gradBias)).toBe(true);
            // Where a row hardly varies, r is large, and so is what rounding its statistics to float32 does.
            const worst = Math.max(...rows.map(({ r }) => r));
            checkClose(
              dtype,
              values(gradIn),
              rows.flatMap(({ back }, i) => back(g.slice(i * C, i * C + C).map((v, j) => v * w[j]))),
              20 * (1 + worst),
            );
            const summed = (of: (i: number, j: number) => number): number[] =>
              Array.from({ length: C }, (_, j) => rows.reduce((s, _row, i) => s + of(i, j), 0));
            if (gradWeight !== null)
              checkClose(
                dtype,
                values(gradWeight),
                summed((i, j) => g[i * C + j] * rows[i].hat[j]),
                20 * (1 + worst),
              );
            if (gradBias !== null)
              checkClose(
                dtype,
                values(gradBias),
                summed((i, j) => g[i * C + j]),
                4,
              );
          },
        ),
        { numRuns: 80 },
      );
    });
  }

  it('keeps its accuracy where the mean is a thousand times the spread', () => {
    const x = randoms(5, 4096, 1000, 1001).map(Math.fround);
    const out = place(cpu, 'float32', [1, 4096]);
    k.layerNorm(make(cpu, 'float32', [1, 4096], x), null, null, out, place(cpu, 'float32', [1]), place(cpu, 'float32', [1]), EPS);
    checkClose('float32', values(out), standardized(x, true).hat);
  });

  it('gives NaN to rows with NaN, and to those alone', () => {
    const out = place(cpu, 'float32', [2, 2]);
    k.layerNorm(make(cpu, 'float32', [2, 2], [NaN, 1, 1, -1]), null, null, out, place(cpu, 'float32', [2]), place(cpu, 'float32', [2]), 0);
    expect(values(out)).toEqual([NaN, NaN, 1, -1]);
  });
});

describe('batchNorm', () => {
  for (const dtype of ['float32', 'float64'] as const) {
    it(`${dtype}: of any size and layout, with and without weight and bias`, () => {
      const three = fc.tuple(placements(3, true), placements(3, false), placements(3, false));
      fc.assert(
        fc.property(fc.tuple(sizes, sizes, sizes), three, fc.boolean(), fc.integer({ min: 1 }), ([N, C, S], p, affine, seed) => {
          const shape = [N, C, S];
          const input = make(cpu, dtype, shape, randoms(seed, sizeOf(shape), -3, 5).map(Math.fround), p[0]);
          const x = values(input);
          const weight = affine ? make(cpu, dtype, [C], randoms(seed + 1, C, 0.5, 2).map(Math.fround)) : null;
          const bias = affine ? make(cpu, dtype, [C], randoms(seed + 2, C).map(Math.fround)) : null;
          const w = weight === null ? new Array<number>(C).fill(1) : values(weight);
          const b = bias === null ? new Array<number>(C).fill(0) : values(bias);
          const [out, gradIn] = [place(cpu, dtype, shape, p[1]), place(cpu, dtype, shape, p[2])];
          const [means, variances] = [place(cpu, dtype, [C]), place(cpu, dtype, [C])];
          const channel = (data: readonly number[], c: number): number[] =>
            Array.from({ length: N }, (_, n) => data.slice((n * C + c) * S, (n * C + c) * S + S)).flat();
          expect(k.batchNorm(input, weight, bias, out, means, variances, EPS)).toBe(true);
          const gradOut = make(cpu, dtype, shape, randoms(seed + 3, sizeOf(shape)).map(Math.fround), p[0]);
          const [gradWeight, gradBias] = affine ? [place(cpu, dtype, [C]), place(cpu, dtype, [C])] : [null, null];
          expect(k.batchNormGrad(gradOut, input, weight, means, variances, EPS, gradIn, gradWeight, gradBias)).toBe(true);
          const [y, dx, g] = [values(out), values(gradIn), values(gradOut)];
          const [dw, db] = [gradWeight, gradBias].map((v) => (v === null ? [] : values(v)));
          for (let c = 0; c < C; c++) {
            const { hat, m, variance, r, back } = standardized(channel(x, c), true);
            checkClose(dtype, [values(means)[c], values(variances)[c]], [m, variance], 4);
            checkClose(
              dtype,
              channel(y, c),
              hat.map((v) => v * w[c] + b[c]),
              20 * (1 + r),
            );
            const gc = channel(g, c);
            checkClose(dtype, channel(dx, c), back(gc.map((v) => v * w[c])), 20 * (1 + r * r));
            if (affine)
              checkClose(dtype, [dw[c], db[c]], [gc.reduce((s, v, i) => s + v * hat[i], 0), gc.reduce((s, v) => s + v, 0)], 50 * (1 + r));
          }
        }),
        { numRuns: 60 },
      );
    });
  }
});

it('declines other dtypes, and mixtures', () => {
  const [i, f, d] = (['int32', 'float32', 'float64'] as const).map((dtype) => place(cpu, dtype, [1, 1, 1]));
  expect(k.layerNorm(i, null, null, i, null, i, EPS)).toBe(false);
  expect(k.layerNorm(f, null, null, f, null, d, EPS)).toBe(false);
  expect(k.batchNorm(f, d, null, f, f, f, EPS)).toBe(false);
  expect(k.batchNormGrad(d, f, null, f, f, EPS, f, null, null)).toBe(false);
});
