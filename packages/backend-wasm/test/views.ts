/** @file What tests share: views made from plain values, with any strides, and read back as plain values. */
import {
  type ComputeDType,
  type DType,
  DTYPE_INFO,
  f16BitsToF32,
  f32ToF16Bits,
  bf16BitsToF32,
  f32ToBf16Bits,
  makeProgram,
  type Opcode,
  type Program,
  type View,
} from '@tessera/core';
import type { WasmBackend, WasmBuffer } from '../src/index.js';

export type WasmView = View<WasmBuffer>;

export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, s) => n * s, 1);

export function contiguous(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  for (let d = shape.length - 1, step = 1; d >= 0; d--) {
    strides[d] = step;
    step *= shape[d];
  }
  return strides;
}

function encode(dtype: DType, values: ArrayLike<number>): Uint8Array {
  const array = new DTYPE_INFO[dtype].array(values.length);
  for (let i = 0; i < values.length; i++)
    array[i] = dtype === 'float16' ? f32ToF16Bits(values[i]) : dtype === 'bfloat16' ? f32ToBf16Bits(values[i]) : values[i];
  return new Uint8Array(array.buffer);
}

function decode(dtype: DType, bytes: Uint8Array): number[] {
  const array = new DTYPE_INFO[dtype].array(bytes.slice().buffer);
  return Array.from(array, (x) => (dtype === 'float16' ? f16BitsToF32(x) : dtype === 'bfloat16' ? bf16BitsToF32(x) : x));
}

/** A row-major view of a new buffer. */
export function make(backend: WasmBackend, dtype: DType, shape: readonly number[], values: ArrayLike<number>): WasmView {
  const buffer = backend.allocate(dtype, Math.max(values.length, 1));
  backend.write(buffer, 0, encode(dtype, values));
  return { buffer, dtype, shape, strides: contiguous(shape), offset: 0 };
}

/** A row-major view whose contents do not matter. */
export function empty(backend: WasmBackend, dtype: DType, shape: readonly number[]): WasmView {
  return { buffer: backend.allocate(dtype, sizeOf(shape)), dtype, shape, strides: contiguous(shape), offset: 0 };
}

/** All elements in row-major order. */
export function values(backend: WasmBackend, { buffer, dtype, shape, strides, offset }: WasmView): number[] {
  const all = decode(dtype, backend.readSync(buffer, 0, buffer.length));
  const out: number[] = [];
  const walk = (d: number, at: number): void => {
    if (d === shape.length) out.push(all[at]);
    else for (let i = 0; i < shape[d]; i++) walk(d + 1, at + i * strides[d]);
  };
  walk(0, offset);
  return out;
}

/** A program of one instruction on as many inputs as it has arguments. */
export function single(op: Opcode, inputs: readonly DType[], dtype: ComputeDType): Program {
  return makeProgram({
    inputs,
    scalars: [],
    instructions: [{ op, dtype, args: inputs.map((_, i) => i) }],
    outputs: [{ register: inputs.length, dtype }],
  });
}

/** The program that gives its input. */
export const identity = (dtype: DType): Program =>
  makeProgram({ inputs: [dtype], scalars: [], instructions: [], outputs: [{ register: 0, dtype }] });

/** Numbers with a seed, in [from, to). */
export function randoms(seed: number, count: number, from = -1, to = 1): Float32Array {
  let state = seed >>> 0 || 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return from + (state / 2 ** 32) * (to - from);
  });
}
