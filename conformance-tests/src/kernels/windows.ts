/** @file Sliding windows on the host: the one walk that convolutions and poolings have in common. */
import type { Window } from '@tessera/core';
import { eachIndex } from './host.js';

/** A window in one, two or three dims, and how it moves. */
export interface Sliding {
  readonly kernel: readonly number[];
  readonly window: Window;
}

/** The spatial sizes of the result. */
export function slidOver(input: readonly number[], { kernel, window: { stride, padding, dilation } }: Sliding): number[] {
  return input.map((size, d) => Math.floor((size + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1) / stride[d]) + 1);
}

/** Calls `fn` for each place of the window and each of its elements: where they lie in the result, the window and the input (null: in the padding). */
export function eachTap(
  input: readonly number[],
  sliding: Sliding,
  fn: (out: readonly number[], tap: readonly number[], source: readonly number[] | null) => void,
): void {
  const { kernel, window } = sliding;
  eachIndex(slidOver(input, sliding), (out) => {
    const place = [...out];
    eachIndex(kernel, (tap) => {
      const source = place.map((o, d) => o * window.stride[d] - window.padding[d] + tap[d] * window.dilation[d]);
      fn(place, tap, source.every((s, d) => s >= 0 && s < input[d]) ? source : null);
    });
  });
}

const same = (value: number, dims: number): number[] => new Array<number>(dims).fill(value);

/** Plain, strided, padded and dilated windows in `dims` dims. */
export function slidings(dims: number): (readonly [name: string, sliding: Sliding])[] {
  const make = (kernel: number, stride: number, padding: number, dilation: number): Sliding => ({
    kernel: same(kernel, dims),
    window: { stride: same(stride, dims), padding: same(padding, dims), dilation: same(dilation, dims) },
  });
  return [
    ['1', make(1, 1, 0, 1)],
    ['3', make(3, 1, 0, 1)],
    ['3-padded', make(3, 1, 1, 1)],
    ['2-stride-2', make(2, 2, 0, 1)],
    ['3-stride-2-padded', make(3, 2, 1, 1)],
    ['3-dilated', make(3, 1, 2, 2)],
  ];
}
