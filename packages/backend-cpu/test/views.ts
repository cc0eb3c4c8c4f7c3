/** @file What tests share: views made from plain values, with any strides, and read back as plain values. */
import {
  type ComputeDType,
  type DType,
  f16BitsToF32,
  bf16BitsToF32,
  f32ToBf16Bits,
  f32ToF16Bits,
  type Instruction,
  makeProgram,
  type Program,
  type View,
} from '@tessera/core';
import fc from 'fast-check';
import type { CpuBackend, CpuBuffer } from '../src/index.js';

export type CpuView = View<CpuBuffer>;

export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, s) => n * s, 1);

/** Every index of a shape, in row-major order. */
export function* indicesOf(shape: readonly number[]): Generator<number[]> {
  const total = sizeOf(shape);
  for (let i = 0; i < total; i++) {
    const index = new Array<number>(shape.length);
    for (let d = shape.length - 1, rest = i; d >= 0; d--) {
      index[d] = rest % shape[d];
      rest = Math.floor(rest / shape[d]);
    }
    yield index;
  }
}

export function contiguous(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  for (let d = shape.length - 1, step = 1; d >= 0; d--) {
    strides[d] = step;
    step *= shape[d];
  }
  return strides;
}

/** Where in its array each element of a view lies, in row-major order. */
function offsetsOf(view: CpuView): Int32Array {
  let offsets = Int32Array.of(view.buffer.base + view.offset);
  view.shape.forEach((size, d) => {
    const next = new Int32Array(offsets.length * size);
    for (let i = 0, k = 0; i < offsets.length; i++) for (let j = 0; j < size; j++, k++) next[k] = offsets[i] + j * view.strides[d];
    offsets = next;
  });
  return offsets;
}

/** How a view lies in its buffer. */
export interface Placement {
  /** The order of the dims in memory, outermost first. */
  order: number[];
  /** Dims that run backward. */
  flipped: boolean[];
  /** Elements skipped between neighbours. */
  gap: number;
  /** Dims with stride 0. */
  broadcast: boolean[];
}

/** Placements of a shape of `rank` dims; without broadcast dims for outputs. */
export const placements = (rank: number, broadcast: boolean): fc.Arbitrary<Placement> =>
  fc.record({
    order: fc.shuffledSubarray([...Array(rank).keys()], { minLength: rank }),
    flipped: fc.array(fc.boolean(), { minLength: rank, maxLength: rank }),
    gap: fc.constantFrom(0, 0, 1, 3),
    broadcast: fc.array(broadcast ? fc.boolean() : fc.constant(false), { minLength: rank, maxLength: rank }),
  });

/** A view of a new buffer; its elements have arbitrary contents. */
export function place(backend: CpuBackend, dtype: DType, shape: readonly number[], placement?: Placement): CpuView {
  const { order, flipped, gap, broadcast } = placement ?? { order: shape.map((_, d) => d), flipped: [], gap: 0, broadcast: [] };
  const strides = new Array<number>(shape.length).fill(0);
  let step = 1 + gap;
  let offset = gap;
  for (const d of order.toReversed()) {
    if (broadcast[d]) continue;
    strides[d] = flipped[d] ? -step : step;
    if (flipped[d]) offset += step * (shape[d] - 1);
    step = step * shape[d] + gap;
  }
  return { buffer: backend.allocate(dtype, step + offset + 1), dtype, shape, strides, offset };
}

/** Writes values in row-major order (a broadcast element keeps the last). */
export function fill(view: CpuView, values: ArrayLike<number>): CpuView {
  const { data } = view.buffer;
  offsetsOf(view).forEach((at, i) => {
    const v = values[i];
    data[at] = view.dtype === 'float16' ? f32ToF16Bits(v) : view.dtype === 'bfloat16' ? f32ToBf16Bits(v) : v;
  });
  return view;
}

export const make = (
  backend: CpuBackend,
  dtype: DType,
  shape: readonly number[],
  values: ArrayLike<number>,
  placement?: Placement,
): CpuView => fill(place(backend, dtype, shape, placement), values);

/** All elements in row-major order. */
export function values(view: CpuView): number[] {
  return Array.from(offsetsOf(view), (at) => {
    const v = view.buffer.data[at];
    return view.dtype === 'float16' ? f16BitsToF32(v) : view.dtype === 'bfloat16' ? bf16BitsToF32(v) : v;
  });
}

/** A program of one instruction on as many inputs as it has arguments. */
export function single(op: Instruction['op'], inputs: readonly DType[], dtype: ComputeDType, output: DType = dtype, dim?: number): Program {
  return makeProgram({
    inputs,
    scalars: [],
    instructions: [{ op, dtype, args: op === 'index' ? [] : inputs.map((_, i) => i), dim }],
    outputs: [{ register: inputs.length, dtype: output }],
  });
}

/** The program that gives its input. */
export const identity = (dtype: DType): Program =>
  makeProgram({ inputs: [dtype], scalars: [], instructions: [], outputs: [{ register: 0, dtype }] });

/** Numbers with a seed. */
export function randoms(seed: number, count: number, from = -1, to = 1): number[] {
  let state = seed >>> 0 || 1;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return from + (state / 2 ** 32) * (to - from);
  });
}
