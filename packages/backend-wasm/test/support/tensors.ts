/** @file Arrays in the memory of a backend and back, for tests of single kernels, with a float64 copy of what float32 made of them. */
import type { DType, View } from '@tessera/core';
import { expect } from 'vitest';
import { createWasmBackend, type WasmBackend, type WasmBackendOptions, type WasmBuffer } from '../../src/index.js';

export type WasmView = View<WasmBuffer>;

/** Numbers of a shape, row-major. */
export interface Dense {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, size) => n * size, 1);

const ARRAYS = { float32: Float32Array, float64: Float64Array, int32: Int32Array, bool: Uint8Array } as const;
type TestDType = keyof typeof ARRAYS;

/** The same numbers each time, in (−1, 1). */
export function random(shape: readonly number[], seed: number): Dense {
  let state = (seed * 2654435761) >>> 0 || 1;
  const data = Float64Array.from({ length: sizeOf(shape) }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.fround((state >>> 0) / 2 ** 31 - 1);
  });
  return { shape, data };
}

export const filled = (shape: readonly number[], fn: (index: number) => number): Dense => ({
  shape,
  data: Float64Array.from({ length: sizeOf(shape) }, (_, i) => fn(i)),
});

const contiguous = (shape: readonly number[]): number[] => shape.map((_, d) => sizeOf(shape.slice(d + 1)));

/** How a view lies in its buffer: plainly, with dims in reversed order, or with gaps and an offset. */
export type Layout = 'plain' | 'reversed' | 'gaps';

const GUARD = -7.25;

export class Tensors {
  readonly backend: WasmBackend;

  constructor(options: WasmBackendOptions = { threads: 1 }) {
    this.backend = createWasmBackend(options);
  }

  get kernels(): Required<WasmBackend['kernels']> {
    return this.backend.kernels as Required<WasmBackend['kernels']>;
  }

  /** A view with the given numbers. */
  put({ shape, data }: Dense, dtype: TestDType = 'float32', layout: Layout = 'plain'): WasmView {
    const view = this.empty(shape, dtype, layout);
    this.#write(view, (storage) => eachPlace(view, (at, i) => (storage[at] = data[i])));
    return view;
  }

  /** A view to be written; what lies around it must not change ({@link get} looks). */
  empty(shape: readonly number[], dtype: TestDType = 'float32', layout: Layout = 'plain'): WasmView {
    const strides =
      layout === 'reversed'
        ? contiguous(shape.toReversed()).toReversed()
        : layout === 'gaps'
          ? contiguous(shape.map((size) => 2 * size + 1))
          : contiguous(shape);
    const offset = layout === 'gaps' ? 3 : 0;
    const length = shape.reduce((end, size, d) => end + Math.max(0, size - 1) * strides[d], offset) + 1;
    const buffer = this.backend.allocate(dtype, length);
    const view = { buffer, dtype: dtype as DType, shape, strides, offset };
    this.#write(view, (storage) => storage.fill(GUARD));
    return view;
  }

  #write(view: WasmView, change: (storage: { fill(x: number): void; [index: number]: number }) => void): void {
    const Storage = ARRAYS[view.dtype as TestDType];
    const storage = new Storage(this.backend.readSync(view.buffer, 0, view.buffer.length).buffer as ArrayBuffer);
    change(storage);
    this.backend.write(view.buffer, 0, new Uint8Array(storage.buffer));
  }

  /** The numbers of a view. */
  get(view: WasmView): Dense {
    const storage = new ARRAYS[view.dtype as TestDType](this.backend.readSync(view.buffer, 0, view.buffer.length).buffer as ArrayBuffer);
    const data = new Float64Array(sizeOf(view.shape));
    const inside = new Uint8Array(storage.length);
    eachPlace(view, (at, i) => {
      data[i] = storage[at];
      inside[at] = 1;
    });
    const guard = new ARRAYS[view.dtype as TestDType]([GUARD])[0];
    for (let at = 0; at < storage.length; at++)
      if (inside[at] === 0 && storage[at] !== guard) expect.fail(`element ${at}, outside the view, became ${storage[at]}`);
    return { shape: view.shape, data };
  }

  async dispose(): Promise<void> {
    await this.backend.dispose();
  }
}

/** Calls `fn` with the place of each element in the buffer, in row-major order. */
function eachPlace({ shape, strides, offset }: WasmView, fn: (at: number, index: number) => void): void {
  const total = sizeOf(shape);
  const index = new Array<number>(shape.length).fill(0);
  let at = offset;
  for (let i = 0; i < total; i++) {
    fn(at, i);
    for (let d = shape.length - 1; d >= 0; d--) {
      at += strides[d];
      if (++index[d] < shape[d]) break;
      at -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
}

/** Each number must be within `rtol` of the largest expected one; NaN where NaN is expected. */
export function expectClose(got: Dense, expected: ArrayLike<number>, rtol: number, what = 'result'): void {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) if (Math.abs(expected[i]) < Infinity) largest = Math.max(largest, Math.abs(expected[i]));
  expect(got.data.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [got.data[i], expected[i]];
    if (a === b || (a !== a && b !== b) || Math.abs(a - b) <= rtol * largest) continue;
    expect.fail(`${what}[${i}] is ${a}, expected ${b} (largest ${largest}, of shape ${got.shape.join('x')})`);
  }
}

/** The very same numbers. */
export function expectSame(got: Dense, expected: Dense, what = 'result'): void {
  const at = got.data.findIndex((x, i) => !Object.is(x, expected.data[i]));
  if (at >= 0) expect.fail(`${what}[${at}] is ${got.data[at]}, expected ${expected.data[at]}`);
}
