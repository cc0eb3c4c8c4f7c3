/** @file The sort kernel: along one dim, stably, NaN as the largest. A line at a time: its values, then a permutation of its places. */
import { checkKernelDType, mergeDims, type TypedArray, type View, walkRows } from '@tessera/core/backend';
import type { CpuBuffer } from '../memory/cpu-buffer.js';
import { mergeSort } from './sort-merge.js';
import { radixSort } from './sort-radix.js';

/** From this length on, 32-bit keys are sorted by radix. */
const RADIX_FROM = 256;

let line = new Float64Array(0);

export function sort(input: View<CpuBuffer>, dim: number, descending: boolean, values: View<CpuBuffer>, indices: View<CpuBuffer>): void {
  checkKernelDType('cpu', 'sort', input.dtype);
  const count = input.shape[dim];
  if (line.length < count) line = new Float64Array(count);
  const lines = mergeDims(
    input.shape.map((n, d) => (d === dim ? 1 : n)),
    [input.strides, values.strides, indices.strides],
  );
  const last = lines.shape.length - 1;
  const [nextInput, nextValues, nextIndices] = lines.strides.map((s) => s[last]);
  const [stepInput, stepValues, stepIndices] = [input.strides[dim], values.strides[dim], indices.strides[dim]];
  const order = input.dtype !== 'float64' && count >= RADIX_FROM ? radixSort : mergeSort;
  const float = input.dtype === 'float32';
  walkRows(
    lines,
    [input.buffer.base + input.offset, values.buffer.base + values.offset, indices.buffer.base + indices.offset],
    ([a, v, p]) => {
      for (let k = 0; k < lines.shape[last]; k++, a += nextInput, v += nextValues, p += nextIndices) {
        load(input.buffer.data, a, stepInput, count);
        const places = order(line, count, descending, float);
        store(places, values.buffer.data, v, stepValues, indices.buffer.data, p, stepIndices, count);
      }
    },
  );
}

function load(x: TypedArray, a: number, step: number, count: number): void {
  for (let j = 0; j < count; j++, a += step) line[j] = x[a];
}

function store(
  places: Int32Array,
  values: TypedArray,
  v: number,
  stepValues: number,
  indices: TypedArray,
  p: number,
  stepIndices: number,
  count: number,
): void {
  for (let j = 0; j < count; j++, v += stepValues, p += stepIndices) {
    const place = places[j];
    values[v] = line[place];
    indices[p] = place;
  }
}
