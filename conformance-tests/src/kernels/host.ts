/** @file Arrays on the host, row-major: what kernels are given, and what they should give. */
import { type DType, Generator } from '@tessera/core';
import { rounded } from './bytes.js';

export interface HostArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, size) => n * size, 1);

/** Calls `fn` with each index of a shape, in row-major order, and the place of the element. */
export function eachIndex(shape: readonly number[], fn: (index: readonly number[], place: number) => void): void {
  const index = shape.map(() => 0);
  for (let place = 0; place < sizeOf(shape); place++) {
    fn(index, place);
    for (let d = shape.length - 1; d >= 0 && ++index[d] === shape[d]; d--) index[d] = 0;
  }
}

/** The place of an index in a row-major array; a dim of size 1 stands for all indices. */
export function placeOf(index: readonly number[], shape: readonly number[]): number {
  return shape.reduce((place, size, d) => place * size + (size === 1 ? 0 : index[d]), 0);
}

/** An array of what a function says of each index. */
export function hostArray(dtype: DType, shape: readonly number[], value: (index: readonly number[], place: number) => number): HostArray {
  const data: number[] = [];
  eachIndex(shape, (index, place) => data.push(rounded(value(index, place), dtype)));
  return { dtype, shape, data };
}

/** Random elements: floats from -2 to 2, integers from -9 to 9 (uint8 0 to 18), truth values. The same for the same seed. */
export function randomArray(dtype: DType, shape: readonly number[], seed: number): HostArray {
  const uniform = new Generator(seed).uniform(new Float64Array(sizeOf(shape)));
  const value = (x: number): number => {
    if (dtype === 'bool') return x < 0.5 ? 0 : 1;
    if (dtype === 'uint8') return Math.floor(x * 19);
    return dtype === 'int32' ? Math.floor(x * 19) - 9 : x * 4 - 2;
  };
  return hostArray(dtype, shape, (_, place) => value(uniform[place]));
}

/** Sizes around those of tiles, vectors, workgroups and blocks: one less, the same, one more. */
export const TILE_EDGES: readonly number[] = [4, 8, 16, 32, 64, 128, 256].flatMap((size) => [size - 1, size, size + 1]);

/** The same values along `dim` as at its first index. */
export function repeatedAlong({ dtype, shape, data }: HostArray, dim: number): HostArray {
  return hostArray(
    dtype,
    shape,
    (index) =>
      data[
        placeOf(
          index.map((i, d) => (d === dim ? 0 : i)),
          shape,
        )
      ],
  );
}

/** A matrix with NaN in two of its rows, at several places. */
export const withNaN = (): HostArray =>
  hostArray('float32', [4, 6], ([i, j]) => ((i === 1 && j === 3) || (i === 2 && (j === 0 || j === 5)) ? NaN : i - j));
/** A matrix with an infinity of each sign. */
export const withInfinity = (): HostArray =>
  hostArray('float32', [4, 6], ([i, j]) => (i === 1 && j === 2 ? Infinity : i === 2 && j === 4 ? -Infinity : i - j));
