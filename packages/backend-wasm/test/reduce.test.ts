/** Reductions, scans and sorts: accuracy, NaN, layouts that take each of the two forms, ties. */
import { describe, expect, it } from 'vitest';
import { WasmBackend } from '../src/index.js';
import { empty, identity, make, randoms, values, type WasmView } from './views.js';

const wasm = new WasmBackend({ threads: 1, deterministic: true });
const f = 'float32';

function reduce(kind: 'sum' | 'prod' | 'max' | 'min' | 'argmax' | 'argmin', x: WasmView, axes: readonly number[]): number[] {
  const shape = x.shape.map((n, d) => (axes.includes(d) ? 1 : n));
  const out = empty(wasm, kind.startsWith('arg') ? 'int32' : x.dtype, shape);
  wasm.kernels.reduce(kind, identity(x.dtype), [], [x], out, axes);
  return values(wasm, out);
}

describe('sums', () => {
  it('of a million float32 are closer to the exact sum than pairwise summation', () => {
    const n = 1_000_003;
    const data = randoms(7, n, 0, 1);
    const exact = data.reduce((sum, v) => sum + v, 0);
    const [got] = reduce('sum', make(wasm, f, [n], data), [0]);
    expect(Math.abs(got / exact - 1)).toBeLessThan(1e-7);
  });

  it.each([
    ['rows', [1], [64, 333]],
    ['columns', [0], [333, 70]],
    ['columns, beyond a block', [0], [9, 1100]],
    ['columns, beyond two blocks, in rounds of several rows', [0], [35, 2070]],
    ['the middle', [1], [5, 90, 33]],
    ['the outer two', [0, 1], [7, 9, 130]],
    ['all', [0, 1], [31, 33]],
    ['few columns', [0], [100, 3]],
  ] as const)('of %s', (_, axes, shape) => {
    const total = shape.reduce((n: number, s) => n * s, 1);
    const data = randoms(11, total);
    const x = make(wasm, f, shape, data);
    const expected = new Map<string, number>();
    let place = 0;
    const walk = (d: number, index: number[]): void => {
      if (d === shape.length) {
        const key = index.filter((_i, k) => !(axes as readonly number[]).includes(k)).join();
        expected.set(key, (expected.get(key) ?? 0) + data[place++]);
      } else for (let i = 0; i < shape[d]; i++) walk(d + 1, [...index, i]);
    };
    walk(0, []);
    reduce('sum', x, axes).forEach((v, i) => expect(v).toBeCloseTo([...expected.values()][i], 4));
  });

  it('of float64 keep what additions lose', () => {
    expect(reduce('sum', make(wasm, 'float64', [5], [1e16, 1, 1, 1, -1e16]), [0])).toEqual([3]);
    expect(reduce('sum', make(wasm, 'float64', [2], [Infinity, 1]), [0])).toEqual([Infinity]);
  });

  it('of columns are the same bits whatever the columns beside them and the blocks they are taken in', () => {
    const [rows, columns] = [43, 2070];
    const x = make(wasm, f, [rows, columns], randoms(5, rows * columns));
    const all = reduce('sum', x, [0]);
    for (const [from, count] of [
      [0, 5],
      [1020, 20],
      [1900, 170],
    ]) {
      const some = reduce('sum', { ...x, shape: [rows, count], offset: from }, [0]);
      expect(some).toEqual(all.slice(from, from + count));
    }
  });

  it('of int32 wrap', () => {
    expect(reduce('sum', make(wasm, 'int32', [3], [2147483647, 1, 5]), [0])).toEqual([-2147483643]);
  });
});

describe('the best', () => {
  it('is NaN where there is one, in both forms', () => {
    const data = randoms(3, 60 * 40);
    data[41] = NaN;
    const x = make(wasm, f, [60, 40], data);
    for (const kind of ['max', 'min'] as const) {
      expect(reduce(kind, x, [1]).map((v) => Number.isNaN(v))).toEqual(Array.from({ length: 60 }, (_, i) => i === 1));
      expect(reduce(kind, x, [0]).map((v) => Number.isNaN(v))).toEqual(Array.from({ length: 40 }, (_, i) => i === 1));
    }
    expect(reduce('argmax', x, [1])[1]).toBe(1);
    expect(reduce('argmin', x, [0])[1]).toBe(1);
  });

  it('is the first among equals', () => {
    for (const dtype of ['float32', 'float64', 'int32'] as const) {
      const x = make(
        wasm,
        dtype,
        [101],
        Array.from({ length: 101 }, (_, i) => (i % 10 === 3 ? 5 : i % 10 === 7 ? -5 : 0)),
      );
      expect(reduce('argmax', x, [0])).toEqual([3]);
      expect(reduce('argmin', x, [0])).toEqual([7]);
      const columns = { ...x, shape: [20, 5], strides: [5, 1] };
      expect(reduce('argmin', columns, [0])).toEqual([0, 0, 1, 1, 0]);
    }
    expect(reduce('argmax', make(wasm, f, [9], new Float32Array(9).fill(-Infinity)), [0])).toEqual([0]);
  });

  it('of bool is any and all', () => {
    const x = make(wasm, 'bool', [3, 5], [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1]);
    expect(reduce('max', x, [1])).toEqual([0, 1, 1]);
    expect(reduce('min', x, [1])).toEqual([0, 0, 1]);
  });
});

describe('scans', () => {
  it('run along any dim, either way', () => {
    const [rows, columns] = [37, 21];
    const data = Array.from({ length: rows * columns }, (_, i) => (i * 7) % 13);
    const x = make(wasm, 'int32', [rows, columns], data);
    const out = empty(wasm, 'int32', [rows, columns]);
    wasm.kernels.scan('sum', false, x, out, 0);
    const down = values(wasm, out);
    wasm.kernels.scan('sum', true, x, out, 1);
    const left = values(wasm, out);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const before = i === 0 ? 0 : down[(i - 1) * columns + j];
        expect(down[i * columns + j]).toBe(before + data[i * columns + j]);
        const after = j === columns - 1 ? 0 : left[i * columns + j + 1];
        expect(left[i * columns + j]).toBe(after + data[i * columns + j]);
      }
    }
  });

  it('keep a NaN from its place on, and ln Σ e^x of large and of no numbers', () => {
    const out = empty(wasm, f, [4]);
    wasm.kernels.scan('max', false, make(wasm, f, [4], [1, NaN, 5, 2]), out, 0);
    expect(values(wasm, out)).toEqual([1, NaN, NaN, NaN]);
    wasm.kernels.scan('logsumexp', false, make(wasm, f, [4], [-Infinity, -Infinity, 1000, 1000]), out, 0);
    expect(values(wasm, out)).toEqual([-Infinity, -Infinity, 1000, Math.fround(1000 + Math.LN2)]);
  });
});

describe('sorting', () => {
  it.each([1, 2, 39, 40, 41, 1000, 5000])('%i elements, stably, NaN last', (n) => {
    for (const dtype of ['float32', 'float64', 'int32', 'uint8'] as const) {
      for (const descending of [false, true]) {
        const list = Array.from({ length: n }, (_, i) => {
          const v = (i * 7919) % 97;
          return dtype === 'uint8' ? v : dtype === 'int32' ? v - 48 : v === 5 ? NaN : v === 6 ? -0 : v === 7 ? 0 : v - 48.5;
        });
        const [sorted, places] = [empty(wasm, dtype, [n]), empty(wasm, 'int32', [n])];
        wasm.kernels.sort(make(wasm, dtype, [n], list), 0, descending, sorted, places);
        const rank = (v: number): number => (Number.isNaN(v) ? Infinity : v);
        const order = list
          .map((_, i) => i)
          .sort((a, b) => {
            const [x, y] = [rank(list[a]), rank(list[b])];
            return x === y ? a - b : (x < y ? -1 : 1) * (descending ? -1 : 1);
          });
        expect(values(wasm, places)).toEqual(order);
        expect(values(wasm, sorted)).toEqual(order.map((i) => list[i]));
      }
    }
  });
});
