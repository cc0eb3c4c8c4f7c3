/** @file The gather kernel: out[i][j] = input[indices[i][j]][j] for dim 0, and so on. */
import { checkKernelDType, mergeDims, type TypedArray, type View, walkRows, without } from '@tessera/core/backend';
import type { CpuBuffer } from '../memory/cpu-buffer.js';
import { checkIndices } from './indices.js';

export function gather(input: View<CpuBuffer>, indices: View<CpuBuffer>, dim: number, out: View<CpuBuffer>): void {
  checkKernelDType('cpu', 'gather', input.dtype);
  checkIndices('gather', indices, dim, input.shape[dim]);
  const loops = mergeDims(out.shape, [without(input.strides, dim), indices.strides, out.strides]);
  const last = loops.shape.length - 1;
  const count = loops.shape[last];
  const [stepIn, stepIndex, stepOut] = loops.strides.map((s) => s[last]);
  const stride = input.strides[dim];
  const x = input.buffer.data;
  const index = indices.buffer.data;
  const y = out.buffer.data;
  const start = [input.buffer.base + input.offset, indices.buffer.base + indices.offset, out.buffer.base + out.offset];
  walkRows(loops, start, ([a, i, o]) => {
    if (stepIndex !== 0) pick(x, a, stepIn, index, i, stepIndex, stride, y, o, stepOut, count);
    else copyRow(x, a + index[i] * stride, stepIn, y, o, stepOut, count);
  });
}

/** A row with an index for each element. */
function pick(
  x: TypedArray,
  a: number,
  stepIn: number,
  index: TypedArray,
  i: number,
  stepIndex: number,
  stride: number,
  y: TypedArray,
  o: number,
  stepOut: number,
  count: number,
): void {
  for (let j = 0; j < count; j++) {
    y[o] = x[a + index[i] * stride];
    a += stepIn;
    i += stepIndex;
    o += stepOut;
  }
}

/** A row with one index: a lookup, as of an embedding. */
function copyRow(x: TypedArray, a: number, stepIn: number, y: TypedArray, o: number, stepOut: number, count: number): void {
  if (stepIn === 1 && stepOut === 1) {
    if (count >= 128) y.set(x.subarray(a, a + count), o);
    else for (let j = 0; j < count; j++) y[o + j] = x[a + j];
  } else {
    for (let j = 0; j < count; j++, a += stepIn, o += stepOut) y[o] = x[a];
  }
}
