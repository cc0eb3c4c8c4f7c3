/** @file Cross entropy of rows and its gradient against the formula in float64. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CpuBackend } from '../src/index.js';
import { make, place, placements, randoms, values } from './views.js';

const cpu = new CpuBackend();
const k = cpu.kernels as Required<typeof cpu.kernels>;

describe('crossEntropy', () => {
  for (const dtype of ['float32', 'float64'] as const) {
    it(`${dtype}: of any size and layout, with ignored rows`, () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 7 }),
          fc.integer({ min: 1, max: 37 }),
          fc.tuple(placements(2, true), placements(2, false), placements(1, true), placements(1, true)),
          fc.integer({ min: 1 }),
          (R, C, p, seed) => {
            const logits = make(cpu, dtype, [R, C], randoms(seed, R * C, -20, 20).map(Math.fround), p[0]);
            const targets = make(
              cpu,
              'int32',
              [R],
              randoms(seed + 1, R, -0.4, 1).map((v) => (v < 0 ? -100 : Math.floor(v * C))),
              p[2],
            );
            const gradLosses = make(cpu, dtype, [R], randoms(seed + 2, R).map(Math.fround), p[3]);
            const [losses, lse, grad] = [place(cpu, dtype, [R]), place(cpu, dtype, [R]), place(cpu, dtype, [R, C], p[1])];
            expect(k.crossEntropy(logits, targets, losses, lse, -100)).toBe(true);
            expect(k.crossEntropyGrad(gradLosses, logits, targets, lse, grad, -100)).toBe(true);
            const [x, t, g, y, dx] = [logits, targets, gradLosses, losses, grad].map((v) => values(v));
            const allowed = dtype === 'float32' ? 4e-6 : 1e-12;
            for (let i = 0; i < R; i++) {
              const row = x.slice(i * C, i * C + C);
              const m = Math.max(...row);
              const total = m + Math.log(row.reduce((s, v) => s + Math.exp(v - m), 0));
              expect(Math.abs(values(lse)[i] - total)).toBeLessThanOrEqual(allowed * 5);
              expect(Math.abs(y[i] - (t[i] < 0 ? 0 : total - row[t[i]]))).toBeLessThanOrEqual(allowed * 10);
              row.forEach((v, j) => {
                const want = t[i] < 0 ? 0 : g[i] * (Math.exp(v - total) - Number(j === t[i]));
                expect(Math.abs(dx[i * C + j] - want)).toBeLessThanOrEqual(allowed);
              });
            }
          },
        ),
        { numRuns: 60 },
      );
    });
  }

  it('takes logits of any size, and −∞ among them', () => {
    const [losses, lse] = [place(cpu, 'float32', [3]), place(cpu, 'float32', [3])];
    const logits = make(cpu, 'float32', [3, 2], [1e4, 0, -Infinity, 3, -Infinity, 3]);
    k.crossEntropy(logits, make(cpu, 'int32', [3], [1, 1, 0]), losses, lse, -100);
    expect(values(losses)).toEqual([1e4, 0, Infinity]);
  });

  it('refuses a target that is no class, and writes nothing', () => {
    const [losses, lse] = [make(cpu, 'float32', [2], [7, 7]), place(cpu, 'float32', [2])];
    const logits = place(cpu, 'float32', [2, 3]);
    for (const bad of [3, -1, -100])
      expect(() => k.crossEntropy(logits, make(cpu, 'int32', [2], [0, bad]), losses, lse, -2)).toThrow(
        expect.objectContaining({ code: 'ERR_INDEX_RANGE' }),
      );
    expect(() => k.crossEntropyGrad(losses, logits, make(cpu, 'int32', [2], [0, 3]), lse, logits, -2)).toThrow(
      expect.objectContaining({ code: 'ERR_INDEX_RANGE' }),
    );
    expect(values(losses)).toEqual([7, 7]);
  });

  it('declines other dtypes', () => {
    const [i, f] = [place(cpu, 'int32', [1, 1]), place(cpu, 'float32', [1, 1])];
    expect(k.crossEntropy(i, i, i, i, -100)).toBe(false);
    expect(k.crossEntropyGrad(f, f, f, f, f, -100)).toBe(false);
  });
});
