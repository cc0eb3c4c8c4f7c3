/** @file A view of images as planes: (N, C, …) with one to three spatial dims, always seen as three, addresses and strides in bytes. */
import type { View } from '@tessera/core/backend';

export type Three = readonly [number, number, number];

export interface ImagePlanes {
  /** Of the first element, in bytes. */
  readonly address: number;
  readonly N: number;
  readonly C: number;
  readonly sizes: Three;
  readonly strideN: number;
  readonly strideC: number;
  readonly strides: Three;
}

/** Dims are filled up in front. */
export const three = (list: readonly number[], fill: number): Three => {
  const [a, b, c] = [...new Array<number>(3 - list.length).fill(fill), ...list];
  return [a, b, c];
};

export function imagePlanes(view: View, address: number, size: number): ImagePlanes {
  const bytes = view.strides.map((stride) => stride * size);
  return {
    address,
    N: view.shape[0],
    C: view.shape[1],
    sizes: three(view.shape.slice(2), 1),
    strideN: bytes[0],
    strideC: bytes[1],
    strides: three(bytes.slice(2), 0),
  };
}

export const product = ([a, b, c]: Three): number => a * b * c;
