/** @file The windows of a pooling: which part of each lies inside the input, and walking over the rows of positions. */
import { flatStride, type Planes, type Three, type Window3 } from './planes.js';

/** The windows along one dim: where each begins and ends inside the input (coordinates), and how many of its elements the padded input has. */
export interface Reach {
  readonly first: Int32Array;
  readonly end: Int32Array;
  readonly padded: Int32Array;
}

/** Of each of the three dims. */
export type Reaches = readonly [Reach, Reach, Reach];

export function reaches(x: Planes, y: Planes, kernel: Three, window: Window3): Reaches {
  const along = (d: number): Reach => reachOf(y.sizes[d], x.sizes[d], kernel[d], window.stride[d], window.padding[d], window.dilation[d]);
  return [along(0), along(1), along(2)];
}

function reachOf(count: number, size: number, kernel: number, stride: number, padding: number, dilation: number): Reach {
  const reach = { first: new Int32Array(count), end: new Int32Array(count), padded: new Int32Array(count) };
  for (let i = 0; i < count; i++) {
    const start = i * stride - padding;
    reach.first[i] = start < 0 ? start + Math.ceil(-start / dilation) * dilation : start;
    reach.end[i] = Math.min(size, start + kernel * dilation);
    // In ceil mode the last window may reach beyond the padding.
    reach.padded[i] = Math.min(kernel, Math.ceil((size + padding - start) / dilation));
  }
  return reach;
}

/** Calls `visit` for each row of positions of `y`: with its plane of `x`, and where the row begins in `y` and in `z`. */
export function forEachPositionRow(
  x: Planes,
  y: Planes,
  z: Planes,
  visit: (plane: number, atY: number, atZ: number, d: number, h: number) => void,
): void {
  for (let n = 0; n < y.N; n++) {
    for (let c = 0; c < y.C; c++) {
      const plane = x.at + n * x.strideN + c * x.strideC;
      const planeY = y.at + n * y.strideN + c * y.strideC;
      const planeZ = z.at + n * z.strideN + c * z.strideC;
      for (let d = 0; d < y.sizes[0]; d++) {
        for (let h = 0; h < y.sizes[1]; h++)
          visit(plane, planeY + d * y.strides[0] + h * y.strides[1], planeZ + d * z.strides[0] + h * z.strides[1], d, h);
      }
    }
  }
}

/** Sets all elements to 0. */
export function clear({ data, at, N, C, sizes, strideN, strideC, strides }: Planes): void {
  const plane = sizes[0] * sizes[1] * sizes[2];
  if (flatStride(sizes, strides) === 1 && (C === 1 || strideC === plane) && (N === 1 || strideN === C * plane)) {
    data.fill(0, at, at + N * C * plane);
    return;
  }
  for (let n = 0; n < N; n++) {
    for (let c = 0; c < C; c++) {
      for (let d = 0; d < sizes[0]; d++) {
        for (let h = 0; h < sizes[1]; h++) {
          let p = at + n * strideN + c * strideC + d * strides[0] + h * strides[1];
          for (let w = 0; w < sizes[2]; w++, p += strides[2]) data[p] = 0;
        }
      }
    }
  }
}
