/** @file The patches of an image as the columns of a matrix, and back: what makes a convolution a product. */
import type { Window } from '@tessera/core';
import type { Floats } from './operands.js';

/** Sizes of a convolution over up to three dims; absent ones are 1. */
export interface Geometry {
  readonly channels: number;
  readonly input: Three;
  readonly output: Three;
  readonly kernel: Three;
  readonly stride: Three;
  readonly padding: Three;
  readonly dilation: Three;
}
export type Three = readonly [number, number, number];

/** Three sizes, the first ones `fill` where there are fewer dims. */
export const three = (sizes: readonly number[], fill: number): Three =>
  [...new Array<number>(3 - sizes.length).fill(fill), ...sizes] as never;

export const window3 = ({ stride, padding, dilation }: Window): Pick<Geometry, 'stride' | 'padding' | 'dilation'> => ({
  stride: three(stride, 1),
  padding: three(padding, 0),
  dilation: three(dilation, 1),
});

export const volume = ([d, h, w]: Three): number => d * h * w;

/** Is each patch one element, in order? Then the image itself is the matrix. */
export const isPointwise = ({ kernel, stride, padding }: Geometry): boolean =>
  volume(kernel) === 1 && volume(stride) === 1 && padding.every((p) => p === 0);

/**
 * Visits the rows of the matrix: one for each channel and tap, and in it the runs along an output row. `visit` gets where the run begins in the
 * image (or −1 in the padding above and beside it), where in the matrix, the first and last output position whose tap lies in the image, and the step.
 */
function eachRun(g: Geometry, visit: (image: number, matrix: number, from: number, to: number, step: number) => void): void {
  const [D, H, W] = g.input;
  const [OD, OH, OW] = g.output;
  const [KD, KH, KW] = g.kernel;
  let row = 0;
  for (let c = 0; c < g.channels; c++)
    for (let kd = 0; kd < KD; kd++)
      for (let kh = 0; kh < KH; kh++)
        for (let kw = 0; kw < KW; kw++, row++) {
          const shift = kw * g.dilation[2] - g.padding[2];
          const from = Math.max(0, Math.ceil(-shift / g.stride[2]));
          const to = Math.min(OW, Math.floor((W - 1 - shift) / g.stride[2]) + 1);
          for (let od = 0; od < OD; od++) {
            const d = od * g.stride[0] + kd * g.dilation[0] - g.padding[0];
            for (let oh = 0; oh < OH; oh++) {
              const h = oh * g.stride[1] + kh * g.dilation[1] - g.padding[1];
              const inside = d >= 0 && d < D && h >= 0 && h < H;
              visit(
                inside ? ((c * D + d) * H + h) * W + shift : -1,
                ((row * OD + od) * OH + oh) * OW,
                inside ? from : 0,
                inside ? to : 0,
                g.stride[2],
              );
            }
          }
        }
}

/** Fills `columns` (channels · taps, positions) from an image (channels, …). */
export function toColumns(g: Geometry, image: Floats, columns: Floats): void {
  columns.fill(0);
  eachRun(g, (from, matrix, first, last, step) => {
    for (let i = first, at = from + first * step; i < last; i++, at += step) columns[matrix + i] = image[at]!;
  });
}

/** Adds up `columns` into an image: the transpose of {@link toColumns}. */
export function addColumns(g: Geometry, columns: Floats, image: Floats): void {
  eachRun(g, (from, matrix, first, last, step) => {
    for (let i = first, at = from + first * step; i < last; i++, at += step) image[at]! += columns[matrix + i]!;
  });
}
