/** @file The seven kernels. */
import { IndexError, type ReduceKind, type RequiredKernels, type ScanKind, type ScatterKind } from '@tessera/core';
import { type Buffer, each, eachRow, load, place, replaced, store, type Strided } from './memory.js';
import { run } from './program.js';

type Kernels = RequiredKernels<Buffer>;

export const pointwise: Kernels['pointwise'] = (program, scalars, inputs, outputs) => {
  each(outputs[0]!.shape, (index) => {
    // All that is read is read before anything is written: an output may be an input.
    const registers = run(program, scalars, inputs, index);
    for (let i = 0; i < outputs.length; i++) store(outputs[i]!, index, registers[program.outputs[i]!.register]!);
  });
};

/** Is x the winner over the best so far? NaN is, once; the first of equals stays. */
const wins = (kind: 'max' | 'min', x: number, best: number): boolean =>
  !Number.isNaN(best) && (Number.isNaN(x) || (kind === 'max' ? x > best : x < best));

/** Folds values one by one; in JavaScript's numbers, so that sums keep their digits. */
class Fold {
  value: number;
  place = 0;
  #seen = 0;

  constructor(
    readonly kind: ReduceKind,
    readonly integers: boolean,
  ) {
    this.value = kind === 'prod' ? 1 : 0;
  }

  add(x: number): void {
    const { kind, integers, value } = this;
    if (kind === 'sum') this.value = integers ? (value + x) | 0 : value + x;
    else if (kind === 'prod') this.value = integers ? Math.imul(value, x) : value * x;
    else if (this.#seen === 0 || wins(kind.endsWith('max') ? 'max' : 'min', x, value)) {
      this.value = x;
      this.place = this.#seen;
    }
    this.#seen++;
  }

  get result(): number {
    return this.kind.startsWith('arg') ? this.place : this.value;
  }
}

export const reduce: Kernels['reduce'] = (kind, program, scalars, inputs, output, axes) => {
  const { shape } = inputs[0]!;
  const { register, dtype } = program.outputs[0]!;
  const inner = axes.map((axis) => shape[axis]!);
  each(output.shape, (kept) => {
    const fold = new Fold(kind, dtype === 'int32');
    const index = [...kept];
    each(inner, (along) => {
      axes.forEach((axis, i) => (index[axis] = along[i]!));
      fold.add(run(program, scalars, inputs, index)[register]!);
    });
    store(output, kept, fold.result);
  });
};

/** One step of a running fold. */
function step(kind: ScanKind, sum: number, x: number, integers: boolean): number {
  if (kind === 'sum') return integers ? (sum + x) | 0 : sum + x;
  if (kind === 'prod') return integers ? Math.imul(sum, x) : sum * x;
  if (kind !== 'logsumexp') return wins(kind, x, sum) ? x : sum;
  const largest = Math.max(sum, x);
  return Number.isFinite(largest) ? largest + Math.log(Math.exp(sum - largest) + Math.exp(x - largest)) : largest;
}

export const scan: Kernels['scan'] = (kind, reverse, input, output, axis) => {
  const length = input.shape[axis]!;
  eachRow(input.shape, axis, (row) => {
    let sum = 0;
    for (let k = 0; k < length; k++) {
      const index = replaced(row, axis, reverse ? length - 1 - k : k);
      const x = load(input, index);
      sum = k === 0 ? x : step(kind, sum, x, input.dtype === 'int32');
      store(output, index, sum);
    }
  });
};

export const matmul: Kernels['matmul'] = (a, b, out) => {
  const inner = a.shape[2]!;
  const integers = out.dtype === 'int32';
  const [left, right] = [a.buffer.data, b.buffer.data] as [Float32Array, Float32Array];
  each(out.shape, (index) => {
    const [n, i, j] = index as [number, number, number];
    let sum = 0;
    for (let k = 0, p = place(a, [n, i, 0]), q = place(b, [n, 0, j]); k < inner; k++, p += a.strides[2]!, q += b.strides[1]!)
      sum = integers ? (sum + Math.imul(left[p]!, right[q]!)) | 0 : sum + left[p]! * right[q]!;
    store(out, index, sum);
  });
};

/** The index that an element of `indices` points at. @throws IndexError */
function target(indices: Strided, index: readonly number[], dim: number, size: number): number[] {
  const i = load(indices, index);
  if (!(i >= 0 && i < size)) throw new IndexError('ERR_INDEX_RANGE', `index ${i} is out of range for a dim of size ${size}`);
  return replaced(index, dim, i);
}

export const gather: Kernels['gather'] = (input, indices, dim, out) => {
  const size = input.shape[dim]!;
  // Before anything is written.
  each(out.shape, (index) => void target(indices, index, dim, size));
  each(out.shape, (index) => store(out, index, load(input, target(indices, index, dim, size))));
};

const combine: { readonly [K in ScatterKind]: (old: number, x: number, integers: boolean) => number } = {
  set: (_, x) => x,
  add: (old, x) => old + x,
  mul: (old, x, integers) => (integers ? Math.imul(old, x) : old * x),
  max: (old, x) => (wins('max', x, old) ? x : old),
  min: (old, x) => (wins('min', x, old) ? x : old),
};

export const scatter: Kernels['scatter'] = (kind, indices, source, dim, out) => {
  const size = out.shape[dim]!;
  each(source.shape, (index) => void target(indices, index, dim, size));
  each(source.shape, (index) => {
    const to = target(indices, index, dim, size);
    store(out, to, combine[kind](load(out, to), load(source, index), out.dtype === 'int32'));
  });
};

/** NaN is the largest. */
const order = (x: number, y: number): number => (Number.isNaN(x) ? (Number.isNaN(y) ? 0 : 1) : Number.isNaN(y) ? -1 : x - y);

export const sort: Kernels['sort'] = (input, dim, descending, values, indices) => {
  eachRow(input.shape, dim, (row) => {
    const keys = Array.from({ length: input.shape[dim]! }, (_, k) => load(input, replaced(row, dim, k)));
    // Array.sort is stable; the other way round is another order, and no reversal.
    const places = keys.map((_, k) => k).sort((p, q) => (descending ? order(keys[q]!, keys[p]!) : order(keys[p]!, keys[q]!)));
    places.forEach((from, k) => {
      const index = replaced(row, dim, k);
      store(values, index, keys[from]!);
      store(indices, index, from);
    });
  });
};
