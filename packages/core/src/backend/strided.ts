/** @file Walking over several strided views at once: neighbouring dims merged where all views allow it, a callback for each innermost row. */

/** Loops over views of one shape: dims of size 1 dropped, neighbours merged. The last dim is the row. */
export interface Loops {
  readonly shape: readonly number[];
  /** Of each view, its strides over `shape`. */
  readonly strides: readonly (readonly number[])[];
}

/**
 * Merges dims without changing the row-major order of the elements: what is contiguous in all views becomes one dim. A 0-d shape gives one row of one.
 *
 * @param strides Of each view, its strides over `shape`, in elements.
 * @example
 * mergeDims([2, 3, 4], [[12, 4, 1], [0, 4, 1]]); // { shape: [2, 12], strides: [[12, 1], [0, 1]] }
 */
export function mergeDims(shape: readonly number[], strides: readonly (readonly number[])[]): Loops {
  const sizes: number[] = [];
  const merged: number[][] = strides.map(() => []);
  for (let d = 0; d < shape.length; d++) {
    const size = shape[d];
    if (size === 1) continue;
    const D = sizes.length;
    if (D > 0 && strides.every((s, v) => merged[v][D - 1] === s[d] * size)) {
      sizes[D - 1] *= size;
      strides.forEach((s, v) => (merged[v][D - 1] = s[d]));
    } else {
      sizes.push(size);
      strides.forEach((s, v) => merged[v].push(s[d]));
    }
  }
  if (sizes.length === 0) {
    sizes.push(1);
    for (const m of merged) m.push(0);
  }
  return { shape: sizes, strides: merged };
}

/**
 * Calls `visit` for each row, in row-major order, with the offset of its first element in each view, starting from `offsets`, which it writes to.
 * `visit` gets the same array each time.
 *
 * @example
 * const loops = mergeDims(out.shape, [input.strides, out.strides]);
 * const last = loops.shape.length - 1;
 * const [stepIn, stepOut] = loops.strides.map((s) => s[last]);
 * walkRows(loops, [input.offset, out.offset], ([from, to]) => {
 *   for (let j = 0; j < loops.shape[last]; j++) y[to + j * stepOut] = x[from + j * stepIn];
 * });
 */
export function walkRows(loops: Loops, offsets: number[], visit: (offsets: readonly number[]) => void): void {
  const { shape, strides } = loops;
  const outer = shape.length - 1;
  const views = offsets.length;
  const position = new Array<number>(outer).fill(0);
  for (;;) {
    visit(offsets);
    let d = outer - 1;
    for (; d >= 0; d--) {
      if (++position[d] < shape[d]) {
        for (let v = 0; v < views; v++) offsets[v] += strides[v][d];
        break;
      }
      position[d] = 0;
      for (let v = 0; v < views; v++) offsets[v] -= strides[v][d] * (shape[d] - 1);
    }
    if (d < 0) return;
  }
}

/** A copy of `strides` with 0 along `dim`. */
export function without(strides: readonly number[], dim: number): number[] {
  const copy = strides.slice();
  copy[dim] = 0;
  return copy;
}
