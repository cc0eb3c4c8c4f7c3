import type { DType } from '@tessera/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CpuBackend } from '../src/index.js';
import { type CpuView, make, place, placements, randoms, sizeOf, values } from './views.js';

const cpu = new CpuBackend();

/** The product in float64 (int32: modulo 2^32). */
function naive(a: number[], b: number[], B: number, M: number, K: number, N: number, int: boolean): Float64Array {
  const out = new Float64Array(B * M * N);
  for (let n = 0; n < B; n++)
    for (let i = 0; i < M; i++)
      for (let j = 0; j < N; j++) {
        let sum = 0;
        for (let k = 0; k < K; k++) {
          const x = a[(n * M + i) * K + k];
          const y = b[(n * K + k) * N + j];
          sum = int ? (sum + Math.imul(x, y)) | 0 : sum + x * y;
        }
        out[(n * M + i) * N + j] = sum;
      }
  return out;
}

/** The elements that are wrong. */
function faults(dtype: DType, a: CpuView, b: CpuView, out: CpuView): string[] {
  const [B, M, K] = a.shape;
  const N = b.shape[2];
  cpu.kernels.matmul(a, b, out);
  const want = naive(values(a), values(b), B, M, K, N, dtype === 'int32');
  const got = values(out);
  const allowed = dtype === 'float32' ? 6e-8 : 1e-15;
  const scale = naive(values(a).map(Math.abs), values(b).map(Math.abs), B, M, K, N, false);
  const wrong = [...want.keys()].filter((i) =>
    dtype === 'int32' ? got[i] !== want[i] : !(Math.abs(got[i] - want[i]) <= Math.abs(want[i]) * allowed + scale[i] * K * 1.2e-16),
  );
  return wrong.map((i) => `element ${i}: ${want[i]}, got ${got[i]}`);
}

const data = (dtype: DType, seed: number, n: number): number[] =>
  randoms(seed, n, -1, 1).map((v) => (dtype === 'int32' ? Math.trunc(v * 2 ** 31) : Math.fround(v)));

describe('matmul', () => {
  for (const dtype of ['float32', 'float64', 'int32'] as const) {
    it(`of ${dtype}, any small sizes, any layout`, () => {
      const size = fc.integer({ min: 1, max: 9 });
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 3 }),
          size,
          size,
          size,
          placements(3, true),
          placements(3, true),
          placements(3, false),
          fc.integer({ min: 1 }),
          (B, M, K, N, pa, pb, po, seed) => {
            expect(
              faults(
                dtype,
                make(cpu, dtype, [B, M, K], data(dtype, seed, B * M * K), pa),
                make(cpu, dtype, [B, K, N], data(dtype, seed + 1, B * K * N), pb),
                place(cpu, dtype, [B, M, N], po),
              ),
            ).toEqual([]);
          },
        ),
        { numRuns: 150 },
      );
    });

    it(`of ${dtype}, sizes that take each path: packed, ragged, a row, a column, deep, wide`, { timeout: 60_000 }, () => {
      const sizes = [
        [1, 33, 70, 29],
        [1, 64, 64, 64],
        [2, 17, 31, 19],
        [1, 1, 50, 37],
        [1, 37, 50, 1],
        [1, 5, 2600, 7],
        [1, 9, 1025, 150],
        [1, 6, 140, 1000],
        [3, 1, 1, 1],
        [1, 90, 1, 90],
      ];
      for (const [B, M, K, N] of sizes) {
        for (const transposed of [false, true]) {
          const layout = transposed ? { order: [0, 2, 1], flipped: [false, true, false], gap: 1, broadcast: [] } : undefined;
          expect(
            faults(
              dtype,
              make(cpu, dtype, [B, M, K], data(dtype, 1, B * M * K), layout),
              make(cpu, dtype, [B, K, N], data(dtype, 2, B * K * N), layout),
              place(cpu, dtype, [B, M, N], layout),
            ),
          ).toEqual([]);
        }
      }
    });
  }

  it('takes one right side for a whole batch as more rows', () => {
    const b = make(cpu, 'float32', [1, 8, 12], data('float32', 3, 96));
    expect(
      faults(
        'float32',
        make(cpu, 'float32', [5, 7, 8], data('float32', 4, 280)),
        { ...b, shape: [5, 8, 12], strides: [0, 12, 1] },
        place(cpu, 'float32', [5, 7, 12]),
      ),
    ).toEqual([]);
  });

  it('lets NaN and infinity through, and 0 · ∞ is NaN', () => {
    const K = 40;
    const a = new Array<number>(20 * K).fill(0);
    const b = new Array<number>(K * 20).fill(1);
    a[0] = Infinity;
    a[K] = NaN;
    b[5 * 20 + 3] = Infinity;
    const out = place(cpu, 'float32', [1, 20, 20]);
    cpu.kernels.matmul(make(cpu, 'float32', [1, 20, K], a), make(cpu, 'float32', [1, K, 20], b), out);
    const got = values(out);
    expect([got[0], got[20], got[3], got[2 * 20 + 3], got[2 * 20 + 4]]).toEqual([Infinity, NaN, NaN, NaN, 0]);
    expect(sizeOf(out.shape)).toBe(got.length);
  });

  it('refuses other dtypes', () => {
    const view = make(cpu, 'uint8', [1, 1, 1], [1]);
    expect(() => cpu.kernels.matmul(view, view, view)).toThrow(expect.objectContaining({ code: 'ERR_KERNEL_DTYPE' }));
  });
});
