/** @file Where the elements of a view may lie. Each layout leaves gaps, so that a kernel that minds no stride or offset is found out. */

/** Strides and offset in elements, and how long the buffer is. */
export interface Placement {
  readonly strides: readonly number[];
  readonly offset: number;
  readonly length: number;
}

export interface Layout {
  readonly name: string;
  place(shape: readonly number[]): Placement;
}

const product = (sizes: readonly number[]): number => sizes.reduce((n, size) => n * size, 1);

/** Row-major strides. */
export function rowMajor(shape: readonly number[]): number[] {
  return shape.map((_, d) => product(shape.slice(d + 1)));
}

/** Without gaps, from the start. */
export const CONTIGUOUS: Layout = {
  name: 'contiguous',
  place: (shape) => ({ strides: rowMajor(shape), offset: 0, length: Math.max(1, product(shape)) }),
};

/** Behind other elements, and before some. */
export const OFFSET: Layout = { name: 'offset', place: (shape) => ({ strides: rowMajor(shape), offset: 5, length: product(shape) + 9 }) };

/** The first dim is the one that runs fastest. */
export const TRANSPOSED: Layout = {
  name: 'transposed',
  place: (shape) => ({ strides: shape.map((_, d) => product(shape.slice(0, d))), offset: 2, length: product(shape) + 3 }),
};

/** Every third element, with rows apart. */
export const STEPPED: Layout = {
  name: 'stepped',
  place: (shape) => {
    const strides = shape.map((_, d) => 3 * product(shape.slice(d + 1).map((size) => size + 1)));
    return { strides, offset: 1, length: 2 + shape.reduce((end, size, d) => end + (size - 1) * strides[d], 1) };
  },
};

/** The last dim runs backwards. */
export const REVERSED: Layout = {
  name: 'reversed',
  place: (shape) => {
    const strides = rowMajor(shape);
    strides[strides.length - 1] *= -1;
    return { strides, offset: shape.at(-1)! - 1 + 4, length: product(shape) + 6 };
  },
};

/** All dims run backwards, the first fastest. */
export const BACKWARDS: Layout = {
  name: 'backwards',
  place: (shape) => ({
    strides: shape.map((_, d) => -product(shape.slice(0, d))),
    offset: product(shape) - 1 + 1,
    length: product(shape) + 2,
  }),
};

/** One element in the place of a whole dim: for inputs only, whose values must repeat along it. */
export const broadcast = (dim: number): Layout => ({
  name: `broadcast-${dim}`,
  place: (shape) => {
    const kept = shape.map((size, d) => (d === dim ? 1 : size));
    return { strides: rowMajor(kept).map((stride, d) => (d === dim ? 0 : stride)), offset: 3, length: product(kept) + 4 };
  },
});

export const LAYOUTS: readonly Layout[] = [CONTIGUOUS, OFFSET, TRANSPOSED, STEPPED, REVERSED, BACKWARDS];
