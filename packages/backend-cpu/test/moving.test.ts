import { type DType, KERNEL_DTYPES, type ScanKind, type ScatterKind } from '@tessera/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CpuBackend } from '../src/index.js';
import { indicesOf, make, place, placements, randoms, sizeOf, values } from './views.js';

const cpu = new CpuBackend();

/** A shape, a dim of it, and placements for `views` views. */
const cases = (views: number) =>
  fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }).chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      dim: fc.integer({ min: 0, max: shape.length - 1 }),
      size: fc.integer({ min: 1, max: 5 }),
      seed: fc.integer({ min: 1 }),
      placed: fc.tuple(...Array.from({ length: views }, () => placements(shape.length, false))),
    }),
  );

/** Values that each dtype holds exactly. */
const exactly = (dtype: DType, seed: number, n: number): number[] =>
  randoms(seed, n, 0, 100).map((v) =>
    dtype === 'bool' ? (v % 2) | 0 : dtype === 'uint8' ? v | 0 : Math.floor(v) - (dtype === 'int32' ? 50 : 50),
  );

const flatIndex = (index: readonly number[], shape: readonly number[]): number => index.reduce((k, i, d) => k * shape[d] + i, 0);
const replaced = (list: readonly number[], at: number, value: number): number[] => list.map((v, i) => (i === at ? value : v));

describe('gather', () => {
  for (const dtype of KERNEL_DTYPES.gather) {
    it(`of ${dtype}, on any layout`, () => {
      fc.assert(
        fc.property(cases(3), ({ shape, dim, size, seed, placed }) => {
          const inShape = replaced(shape, dim, size);
          const data = exactly(dtype, seed, sizeOf(inShape));
          const index = randoms(seed + 1, sizeOf(shape), 0, size).map(Math.floor);
          const out = place(cpu, dtype, shape, placed[0]);
          cpu.kernels.gather(make(cpu, dtype, inShape, data, placed[1]), make(cpu, 'int32', shape, index, placed[2]), dim, out);
          expect(values(out)).toEqual([...indicesOf(shape)].map((at, i) => data[flatIndex(replaced(at, dim, index[i]), inShape)]));
        }),
        { numRuns: 60 },
      );
    });
  }

  it('looks rows up by indices of stride 0', () => {
    for (const width of [3, 200]) {
      const table = randoms(1, 10 * width).map(Math.fround);
      const index = make(cpu, 'int32', [4, 1], [7, 0, 9, 7]);
      const out = place(cpu, 'float32', [4, width]);
      cpu.kernels.gather(make(cpu, 'float32', [10, width], table), { ...index, shape: [4, width], strides: [1, 0] }, 0, out);
      expect(values(out)).toEqual([7, 0, 9, 7].flatMap((row) => table.slice(row * width, (row + 1) * width)));
    }
  });

  it('names a bad index and writes nothing', () => {
    for (const bad of [-1, 3]) {
      const out = make(cpu, 'float32', [2, 2], [5, 6, 7, 8]);
      expect(() =>
        cpu.kernels.gather(make(cpu, 'float32', [3, 2], [1, 2, 3, 4, 5, 6]), make(cpu, 'int32', [2, 2], [0, 1, 2, bad]), 0, out),
      ).toThrow(
        expect.objectContaining({ code: 'ERR_INDEX_RANGE', message: `gather: index ${bad} at [1, 1] is out of range for dim 0 of size 3` }),
      );
      expect(values(out)).toEqual([5, 6, 7, 8]);
    }
  });
});

describe('scatter', () => {
  const combine: Record<ScatterKind, (a: number, b: number, dtype: DType) => number> = {
    set: (_, b) => b,
    add: (a, b, dtype) => (dtype === 'int32' ? (a + b) | 0 : a + b),
    mul: (a, b, dtype) => (dtype === 'int32' ? Math.imul(a, b) : dtype === 'float32' ? Math.fround(a * b) : a * b),
    max: (a, b) => Math.max(a, b),
    min: (a, b) => Math.min(a, b),
  };
  for (const kind of ['set', 'add', 'mul', 'max', 'min'] as const) {
    for (const dtype of kind === 'set' ? KERNEL_DTYPES.scatter : (['float32', 'float64', 'int32'] as const)) {
      it(`${kind} of ${dtype}, on any layout`, () => {
        fc.assert(
          fc.property(cases(3), ({ shape, dim, size, seed, placed }) => {
            const outShape = replaced(shape, dim, size);
            const source = exactly(dtype, seed, sizeOf(shape));
            const want = exactly(dtype, seed + 2, sizeOf(outShape));
            const index = randoms(seed + 1, sizeOf(shape), 0, size).map(Math.floor);
            const out = make(cpu, dtype, outShape, want, placed[0]);
            cpu.kernels.scatter(kind, make(cpu, 'int32', shape, index, placed[1]), make(cpu, dtype, shape, source, placed[2]), dim, out);
            [...indicesOf(shape)].forEach((at, i) => {
              const k = flatIndex(replaced(at, dim, index[i]), outShape);
              want[k] = combine[kind](want[k], source[i], dtype);
            });
            expect(values(out)).toEqual(want);
          }),
          { numRuns: 60 },
        );
      });
    }
  }

  it('wraps int32 products, and NaN wins', () => {
    const out = make(cpu, 'int32', [1], [65537]);
    cpu.kernels.scatter('mul', make(cpu, 'int32', [1], [0]), make(cpu, 'int32', [1], [65539]), 0, out);
    expect(values(out)).toEqual([Math.imul(65537, 65539)]);
    const floats = make(cpu, 'float32', [1], [1]);
    for (const v of [NaN, 7]) cpu.kernels.scatter('max', make(cpu, 'int32', [1], [0]), make(cpu, 'float32', [1], [v]), 0, floats);
    expect(values(floats)).toEqual([NaN]);
  });

  it('names a bad index and writes nothing', () => {
    const out = make(cpu, 'float32', [2], [5, 6]);
    expect(() => cpu.kernels.scatter('set', make(cpu, 'int32', [3], [0, 1, 2]), make(cpu, 'float32', [3], [1, 2, 3]), 0, out)).toThrow(
      expect.objectContaining({ code: 'ERR_INDEX_RANGE' }),
    );
    expect(values(out)).toEqual([5, 6]);
  });
});

describe('scan', () => {
  const naive: Record<ScanKind, (xs: number[], int: boolean) => number> = {
    sum: (xs, int) => xs.reduce((s, v) => (int ? (s + v) | 0 : s + v), 0),
    prod: (xs, int) => xs.reduce((s, v) => (int ? Math.imul(s, v) : s * v), 1),
    max: (xs) => Math.max(...xs),
    min: (xs) => Math.min(...xs),
    logsumexp: (xs) => {
      const m = Math.max(...xs);
      return Number.isFinite(m) ? m + Math.log(xs.reduce((s, v) => s + Math.exp(v - m), 0)) : m;
    },
  };
  for (const kind of ['sum', 'prod', 'max', 'min', 'logsumexp'] as const) {
    for (const dtype of ['float32', 'float64', 'int32'] as const) {
      if (kind === 'logsumexp' && dtype === 'int32') continue;
      it(`${kind} of ${dtype}, both ways, on any layout`, () => {
        fc.assert(
          fc.property(cases(2), fc.boolean(), fc.boolean(), ({ shape, dim, seed, placed }, reverse, special) => {
            let data = randoms(seed, sizeOf(shape), -3, 3).map((v) => (dtype === 'int32' ? Math.trunc(v) : Math.fround(v)));
            if (special && dtype !== 'int32')
              data = data.map((v, i) => (i % 11 === 5 ? NaN : i % 7 === 1 ? -Infinity : i % 13 === 2 ? Infinity : v));
            const out = place(cpu, dtype, shape, placed[0]);
            cpu.kernels.scan(kind, reverse, make(cpu, dtype, shape, data, placed[1]), out, dim);
            const got = values(out);
            [...indicesOf(shape)].forEach((at, i) => {
              const places = Array.from({ length: shape[dim] }, (_, k) => k).filter((k) => (reverse ? k >= at[dim] : k <= at[dim]));
              const want = naive[kind](
                (reverse ? places.toReversed() : places).map((k) => data[flatIndex(replaced(at, dim, k), shape)]),
                dtype === 'int32',
              );
              if (!Object.is(got[i], want))
                expect(Math.abs(got[i] - want)).toBeLessThanOrEqual(
                  Math.abs(want) * (dtype === 'float32' ? 1e-6 : 1e-14) + (dtype === 'float32' ? 1e-6 : 1e-14),
                );
            });
          }),
          { numRuns: 60 },
        );
      });
    }
  }
  it('has no logsumexp of integers', () => {
    expect(() => cpu.kernels.scan('logsumexp', false, make(cpu, 'int32', [1], [1]), place(cpu, 'int32', [1]), 0)).toThrow(
      expect.objectContaining({ code: 'ERR_SCAN_KIND' }),
    );
  });
});

describe('sort', () => {
  for (const dtype of KERNEL_DTYPES.sort) {
    for (const descending of [false, true]) {
      it(`of ${dtype}, ${descending ? 'descending' : 'ascending'}, stable, NaN largest, on any layout`, () => {
        const check = (shape: number[], dim: number, data: number[], placed: Parameters<typeof place>[3][]): void => {
          const out = place(cpu, dtype, shape, placed[0]);
          const at = place(cpu, 'int32', shape, placed[1]);
          cpu.kernels.sort(make(cpu, dtype, shape, data, placed[2]), dim, descending, out, at);
          const got = values(out);
          const places = values(at);
          for (const index of indicesOf(replaced(shape, dim, 1))) {
            const line = Array.from({ length: shape[dim] }, (_, k) => flatIndex(replaced(index, dim, k), shape));
            const compare = (a: number, b: number): number => {
              const [x, y] = [data[line[a]], data[line[b]]];
              if (x !== x || y !== y) return (x !== x ? 1 : 0) - (y !== y ? 1 : 0);
              return x < y ? -1 : x > y ? 1 : 0;
            };
            const want = line.map((_, k) => k).sort((a, b) => (descending ? compare(b, a) : compare(a, b)));
            expect(line.map((k) => places[k])).toEqual(want);
            expect(line.map((k) => got[k])).toEqual(want.map((k) => data[line[k]]));
          }
        };
        const some = (seed: number, n: number): number[] =>
          exactly(dtype, seed, n).map((v, i) =>
            dtype.startsWith('float') ? (i % 9 === 4 ? NaN : i % 8 === 3 ? -0 : i % 8 === 5 ? 0 : i % 17 === 0 ? -Infinity : v / 4) : v,
          );
        fc.assert(
          fc.property(cases(3), ({ shape, dim, seed, placed }) => check(shape, dim, some(seed, sizeOf(shape)), placed)),
          { numRuns: 60 },
        );
        for (const n of [1, 2, 13, 100, 255, 256, 1000]) check([2, n], 1, some(n, 2 * n), []);
        if (dtype === 'int32') check([600], 0, randoms(5, 600, -(2 ** 31), 2 ** 31).map(Math.trunc), []);
        if (dtype.startsWith('float'))
          check(
            [3000],
            0,
            randoms(6, 3000, -1e3, 1e3).map((v, i) => Math.fround(i % 3 ? v : v * 1e-40)),
            [],
          );
      });
    }
  }
});
