/** @file The scatter kernel: out[indices[i][j]][j] = source[i][j] for dim 0 (or +=, *=, max, min), in row-major order. */
import {
  checkKernelDType,
  mergeDims,
  SCATTER_REDUCE_DTYPES,
  type ScatterKind,
  type TypedArray,
  type View,
  walkRows,
  without,
} from '@tessera/core/backend';
import type { CpuBuffer } from '../memory/cpu-buffer.js';
import { checkIndices } from './indices.js';

/** One row: element j of the source goes to `out[o + index[i + j * stepIndex] * stride + j * stepOut]`. */
type ScatterRow = (
  out: TypedArray,
  o: number,
  stepOut: number,
  stride: number,
  index: TypedArray,
  i: number,
  stepIndex: number,
  source: TypedArray,
  s: number,
  stepSource: number,
  count: number,
) => void;

const set: ScatterRow = (out, o, stepOut, stride, index, i, stepIndex, source, s, stepSource, count) => {
  for (let j = 0; j < count; j++, o += stepOut, i += stepIndex, s += stepSource) out[o + index[i] * stride] = source[s];
};

const add: ScatterRow = (out, o, stepOut, stride, index, i, stepIndex, source, s, stepSource, count) => {
  for (let j = 0; j < count; j++, o += stepOut, i += stepIndex, s += stepSource) out[o + index[i] * stride] += source[s];
};

const mul: ScatterRow = (out, o, stepOut, stride, index, i, stepIndex, source, s, stepSource, count) => {
  if (out instanceof Int32Array) {
    for (let j = 0; j < count; j++, o += stepOut, i += stepIndex, s += stepSource)
      out[o + index[i] * stride] = Math.imul(out[o + index[i] * stride], source[s]);
  } else {
    for (let j = 0; j < count; j++, o += stepOut, i += stepIndex, s += stepSource) out[o + index[i] * stride] *= source[s];
  }
};

const max: ScatterRow = (out, o, stepOut, stride, index, i, stepIndex, source, s, stepSource, count) => {
  for (let j = 0; j < count; j++, o += stepOut, i += stepIndex, s += stepSource)
    out[o + index[i] * stride] = Math.max(out[o + index[i] * stride], source[s]);
};

const min: ScatterRow = (out, o, stepOut, stride, index, i, stepIndex, source, s, stepSource, count) => {
  for (let j = 0; j < count; j++, o += stepOut, i += stepIndex, s += stepSource)
    out[o + index[i] * stride] = Math.min(out[o + index[i] * stride], source[s]);
};

const ROWS: Readonly<Record<ScatterKind, ScatterRow>> = { set, add, mul, max, min };

export function scatter(kind: ScatterKind, indices: View<CpuBuffer>, source: View<CpuBuffer>, dim: number, out: View<CpuBuffer>): void {
  checkKernelDType('cpu', 'scatter', source.dtype, kind === 'set' ? undefined : SCATTER_REDUCE_DTYPES);
  checkIndices('scatter', indices, dim, out.shape[dim]);
  const loops = mergeDims(source.shape, [without(out.strides, dim), indices.strides, source.strides]);
  const last = loops.shape.length - 1;
  const count = loops.shape[last];
  const [stepOut, stepIndex, stepSource] = loops.strides.map((s) => s[last]);
  const stride = out.strides[dim];
  const row = ROWS[kind];
  const start = [out.buffer.base + out.offset, indices.buffer.base + indices.offset, source.buffer.base + source.offset];
  walkRows(loops, start, ([o, i, s]) =>
    row(out.buffer.data, o, stepOut, stride, indices.buffer.data, i, stepIndex, source.buffer.data, s, stepSource, count),
  );
}
