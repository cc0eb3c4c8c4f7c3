/** @file The seven kernels. */
import { DTYPE_INFO, IndexError, type RequiredKernels, type ScatterKind } from '@tessera/core/backend';
import { begin, foldOf } from './folds.js';
import { type Buffer, DEVICE } from './memory.js';
import { evaluate, rounded } from './program.js';
import { blocks, flipped, load, numel, permuted, store, type V, Walk, withLast } from './walk.js';

type Kernels = RequiredKernels<Buffer>;

const pointwise: Kernels['pointwise'] = (program, scalars, inputs, outputs) => {
  const { shape } = outputs[0]!;
  const walks = outputs.map((view) => new Walk(view));
  evaluate(program, scalars, inputs, shape, withLast(shape.length, []), (results, count) => {
    for (let k = 0; k < walks.length; k++) {
      const { buffer, dtype } = outputs[k]!;
      const places = walks[k]!.next(count);
      const values = results[k]!;
      // A register is rounded already, to what it computes in.
      if (DTYPE_INFO[dtype].compute === dtype) for (let i = 0; i < count; i++) buffer.data[places[i]!] = values[i]!;
      else for (let i = 0; i < count; i++) buffer.data[places[i]!] = rounded(values[i]!, dtype);
    }
  });
};

const reduce: Kernels['reduce'] = (kind, program, scalars, inputs, output, axes) => {
  const { shape } = inputs[0]!;
  const order = withLast(shape.length, axes);
  const length = numel(axes.map((d) => shape[d]!));
  const results = new Float64Array(numel(output.shape));
  const arg = kind === 'argmax' || kind === 'argmin';
  const fold = foldOf(kind, program.outputs[0]!.dtype);
  let state = begin(kind);
  let seen = 0;
  let done = 0;
  evaluate(program, scalars, inputs, shape, order, ([values], count) => {
    for (let from = 0; from < count;) {
      const to = Math.min(count, from + length - seen);
      fold(state, values!, from, to);
      seen += to - from;
      from = to;
      if (seen < length) continue;
      results[done++] = arg ? state.place : rounded(kind === 'sum' ? state.value + state.extra : state.value, output.dtype);
      state = begin(kind);
      seen = 0;
    }
  });
  store(results, permuted(output, order));
};

const scan: Kernels['scan'] = (kind, reverse, input, output, axis) => {
  const order = withLast(input.shape.length, [axis]);
  const laid = (view: V): V => permuted(reverse ? flipped(view, axis) : view, order);
  const values = load(laid(input));
  const length = input.shape[axis]!;
  const fold = foldOf(kind, input.dtype);
  for (let from = 0; from < values.length; from += length) fold(begin(kind), values, from, from + length, values);
  for (let i = 0; i < values.length; i++) values[i] = rounded(values[i]!, output.dtype);
  store(values, laid(output));
};

const matmul: Kernels['matmul'] = (a, b, out) => {
  const [batches = 1, rows = 1, inner = 1] = a.shape;
  const columns = b.shape[2]!;
  const int = out.dtype === 'int32';
  const [left, right] = [load(a), load(b)];
  const product = new Float64Array(batches * rows * columns);
  for (let batch = 0; batch < batches; batch++) {
    for (let i = 0; i < rows; i++) {
      const at = (batch * rows + i) * columns;
      for (let k = 0; k < inner; k++) {
        const x = left[(batch * rows + i) * inner + k]!;
        const from = (batch * inner + k) * columns;
        if (int) for (let j = 0; j < columns; j++) product[at + j] = (product[at + j]! + Math.imul(x, right[from + j]!)) | 0;
        else for (let j = 0; j < columns; j++) product[at + j]! += x * right[from + j]!;
      }
    }
  }
  if (out.dtype === 'float32') for (let i = 0; i < product.length; i++) product[i] = Math.fround(product[i]!);
  store(product, out);
};

/** All indices, each of which lies below `size`. @throws IndexError `ERR_INDEX_RANGE` */
function checked(op: string, indices: V, size: number): Float64Array {
  const all = load(indices);
  const bad = all.findIndex((index) => index < 0 || index >= size);
  if (bad < 0) return all;
  throw new IndexError('ERR_INDEX_RANGE', `${op}: the index ${all[bad]} does not lie below ${size}`, {
    op,
    device: DEVICE,
    shapes: [indices.shape],
  });
}

/** Walks over the elements of `shape`, of which those of one dim are named by indices: the places where that index is 0. */
const fixed = (view: V, shape: readonly number[], dim: number): Walk =>
  new Walk({ shape, strides: view.strides.map((stride, d) => (d === dim ? 0 : stride)), offset: view.offset });

const gather: Kernels['gather'] = (input, indices, dim, out) => {
  const all = checked('gather', indices, input.shape[dim]!);
  const values = new Float64Array(all.length);
  const stride = input.strides[dim]!;
  const walk = fixed(input, out.shape, dim);
  blocks(all.length, (count, start) => {
    const places = walk.next(count);
    for (let i = 0; i < count; i++) values[start + i] = input.buffer.data[places[i]! + all[start + i]! * stride]!;
  });
  store(values, out);
};

const COMBINE: Record<ScatterKind, (old: number, x: number) => number> = {
  set: (_, x) => x,
  add: (old, x) => old + x,
  mul: (old, x) => old * x,
  max: Math.max,
  min: Math.min,
};

const scatter: Kernels['scatter'] = (kind, indices, source, dim, out) => {
  const all = checked('scatter', indices, out.shape[dim]!);
  const values = load(source);
  const { data } = out.buffer;
  const stride = out.strides[dim]!;
  const combine = kind === 'mul' && out.dtype === 'int32' ? Math.imul : COMBINE[kind];
  const walk = fixed(out, source.shape, dim);
  blocks(all.length, (count, start) => {
    const places = walk.next(count);
    for (let i = 0; i < count; i++) {
      const place = places[i]! + all[start + i]! * stride;
      data[place] = rounded(combine(data[place]!, values[start + i]!), out.dtype);
    }
  });
};

const sort: Kernels['sort'] = (input, dim, descending, values, indices) => {
  const order = withLast(input.shape.length, [dim]);
  const all = load(permuted(input, order));
  const places = new Float64Array(all.length);
  const length = input.shape[dim]!;
  const sign = descending ? -1 : 1;
  for (let from = 0; from < all.length; from += length) {
    const row = all.slice(from, from + length);
    const sorted = Uint32Array.from(row, (_, i) => i).sort((i, j) => {
      const [x, y] = [row[i]!, row[j]!];
      if (x < y) return -sign;
      if (x > y) return sign;
      const nans = Number(Number.isNaN(x)) - Number(Number.isNaN(y));
      return nans === 0 ? i - j : nans * sign;
    });
    for (let i = 0; i < length; i++) {
      places[from + i] = sorted[i]!;
      all[from + i] = row[sorted[i]!]!;
    }
  }
  store(all, permuted(values, order));
  store(places, permuted(indices, order));
};

export const kernels: Kernels = { pointwise, reduce, scan, matmul, gather, scatter, sort };
