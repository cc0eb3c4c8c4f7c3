/** @file Strided views as BLAS takes them: rows or columns of unit stride, or else a copy. */
import type { CpuBuffer } from '@tessera/backend-cpu';
import type { View } from '@tessera/core';
import type { Operand } from './open-blas.js';

export type Floats = Float32Array | Float64Array;
export type CpuView = View<CpuBuffer>;

/** The memory of a view from an element on; offsets of views count from the buffer's base. */
export const dataAt = ({ buffer, offset }: CpuView, more = 0): Floats => (buffer.data as Floats).subarray(buffer.base + offset + more);

export const isFloat = (view: CpuView | null): boolean => view === null || view.dtype === 'float32' || view.dtype === 'float64';

/** A matrix of (rows, columns) at an element of memory, `down` and `across` apart. */
export function operandOf(data: Floats, rows: number, columns: number, down: number, across: number): Operand {
  if (across === 1 && (rows === 1 || down >= columns)) return { data, ld: rows === 1 ? columns : down, transposed: false };
  if (down === 1 && (columns === 1 || across >= rows)) return { data, ld: columns === 1 ? rows : across, transposed: true };
  throw new RangeError('not a BLAS operand');
}

/** Can BLAS read such a matrix where it lies? */
export const readable = (rows: number, columns: number, down: number, across: number): boolean =>
  (across === 1 && (rows === 1 || down >= columns)) || (down === 1 && (columns === 1 || across >= rows));

/** The matrix of a batch, copied where it must be. */
export function matrixOf(view: CpuView, rows: number, columns: number, down: number, across: number, at = 0): Operand {
  if (readable(rows, columns, down, across)) return operandOf(dataAt(view, at), rows, columns, down, across);
  const { data, base } = view.buffer;
  const copy = floatsLike(view, rows * columns);
  const start = base + view.offset + at;
  for (let i = 0, to = 0; i < rows; i++)
    for (let j = 0, from = start + i * down; j < columns; j++, from += across) copy[to++] = (data as Floats)[from]!;
  return { data: copy, ld: columns, transposed: false };
}

export const floatsLike = (view: CpuView, length: number): Floats =>
  view.dtype === 'float64' ? new Float64Array(length) : new Float32Array(length);

/** A view's elements in row-major order: where they lie, or copied. */
export function contiguous(view: CpuView): Floats {
  const { shape, strides } = view;
  const size = shape.reduce((a, b) => a * b, 1);
  let expected = 1;
  let inOrder = true;
  for (let d = shape.length - 1; d >= 0; d--) {
    if (shape[d] !== 1 && strides[d] !== expected) inOrder = false;
    expected *= shape[d]!;
  }
  if (inOrder) return dataAt(view).subarray(0, size);
  const copy = floatsLike(view, size);
  walk(view, (from, to) => (copy[to] = (view.buffer.data as Floats)[from]!));
  return copy;
}

/** Writes row-major elements to a view. */
export function store(values: Floats, view: CpuView): void {
  const data = view.buffer.data as Floats;
  walk(view, (at, i) => (data[at] = values[i]!));
}

/** Calls `visit` with each element's place in the buffer and its row-major index. */
function walk({ buffer, offset, shape, strides }: CpuView, visit: (place: number, index: number) => void): void {
  let index = 0;
  const inner = shape.length - 1;
  const go = (d: number, place: number): void => {
    for (let i = 0; i < shape[d]!; i++, place += strides[d]!) {
      if (d === inner) visit(place, index++);
      else go(d + 1, place);
    }
  };
  go(0, buffer.base + offset);
}
