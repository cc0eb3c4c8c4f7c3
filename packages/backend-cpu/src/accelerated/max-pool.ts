/** @file Max pooling over windows of one to three spatial dims, and its gradient. */
import type { AcceleratedKernels, TypedArray } from '@tessera/core/backend';
import { checkIndices } from '../kernels/indices.js';
import type { CpuBuffer } from '../memory/cpu-buffer.js';
import { type Planes, planesOf, takesPlanes, three, type Three, window3 } from './planes.js';
import { clear, forEachPositionRow, type Reach, type Reaches, reaches } from './windows.js';

type Kernels = Required<AcceleratedKernels<CpuBuffer>>;

/** The first of the largest wins, NaN over all. Where all of a window is −∞, its first place inside the input. */
export const maxPool: Kernels['maxPool'] = (input, out, indices, kernel, window) => {
  if (!takesPlanes(input, out)) return false;
  const x = planesOf(input);
  const y = planesOf(out);
  const places = planesOf(indices ?? out);
  const sizes = three(kernel, 1);
  const w3 = window3(window);
  const reach = reaches(x, y, sizes, w3);
  const [rd, rh, rw] = reach;
  const [, H, W] = x.sizes;
  const [sd, sh, sw] = x.strides;
  // Windows of two by two without gaps, all of them inside the input along the last dim.
  const small = sizes[0] === 1 && sizes[1] === 2 && sizes[2] === 2 && w3.dilation[1] === 1 && w3.dilation[2] === 1 && allWhole(rw, 2);
  const chosen = indices === null ? null : places.data;
  forEachPositionRow(x, y, places, (plane, atY, atPlace, d, h) => {
    if (small && rh.end[h] - rh.first[h] === 2 && rd.end[d] > rd.first[d]) {
      const at = plane + rd.first[d] * sd + rh.first[h] * sh + rw.first[0] * sw;
      const place = (rd.first[d] * H + rh.first[h]) * W + rw.first[0];
      smallWindows(x, at, place, w3.stride[2], y, atY, chosen, atPlace, places.strides[2]);
    } else anyWindows(x, plane, reach, w3.dilation, d, h, y, atY, chosen, atPlace, places.strides[2]);
  });
  return true;
};

function allWhole({ first, end }: Reach, size: number): boolean {
  return first.every((start, i) => end[i] - start === size);
}

/** One row of windows of two by two, the first at `at`. What is not at most the best so far is larger, or NaN, which wins unless NaN is there already. */
function smallWindows(
  x: Planes,
  at: number,
  place: number,
  stride: number,
  y: Planes,
  atY: number,
  places: TypedArray | null,
  atPlace: number,
  nextPlace: number,
): void {
  const from = x.data;
  const to = y.data;
  const [, down, across] = x.strides;
  const W = x.sizes[2];
  const step = stride * across;
  const nextY = y.strides[2];
  for (let w = y.sizes[2]; w > 0; w--, at += step, place += stride, atY += nextY, atPlace += nextPlace) {
    let best = from[at];
    let chosen = place;
    const b = from[at + across];
    if (!(b <= best) && best === best) {
      best = b;
      chosen = place + 1;
    }
    const c = from[at + down];
    if (!(c <= best) && best === best) {
      best = c;
      chosen = place + W;
    }
    const d = from[at + down + across];
    if (!(d <= best) && best === best) {
      best = d;
      chosen = place + W + 1;
    }
    to[atY] = best;
    if (places !== null) places[atPlace] = chosen;
  }
}

/** One row of any windows: `d` and `h` are its position along the other dims. */
function anyWindows(
  x: Planes,
  plane: number,
  [rd, rh, rw]: Reaches,
  [stepD, stepH, stepW]: Three,
  d: number,
  h: number,
  y: Planes,
  atY: number,
  places: TypedArray | null,
  atPlace: number,
  nextPlace: number,
): void {
  const from = x.data;
  const to = y.data;
  const [sd, sh, sw] = x.strides;
  const [, H, W] = x.sizes;
  const [firstD, endD, firstH, endH] = [rd.first[d], rd.end[d], rh.first[h], rh.end[h]];
  for (let w = 0; w < y.sizes[2]; w++, atY += y.strides[2], atPlace += nextPlace) {
    const firstW = rw.first[w];
    const endW = rw.end[w];
    let best = -Infinity;
    let chosen = (firstD * H + firstH) * W + firstW;
    for (let z = firstD; z < endD; z += stepD) {
      for (let v = firstH; v < endH; v += stepH) {
        const row = plane + z * sd + v * sh;
        const line = (z * H + v) * W;
        for (let u = firstW; u < endW; u += stepW) {
          const value = from[row + u * sw];
          if (!(value <= best) && best === best) {
            best = value;
            chosen = line + u;
          }
        }
      }
    }
    to[atY] = best;
    if (places !== null) places[atPlace] = chosen;
  }
}

export const maxPoolGrad: Kernels['maxPoolGrad'] = (gradOut, indices, gradInput) => {
  if (!takesPlanes(gradOut, gradInput)) return false;
  const x = planesOf(gradInput);
  const g = planesOf(gradOut);
  const places = planesOf(indices);
  const [, H, W] = x.sizes;
  const [sd, sh, sw] = x.strides;
  checkIndices('maxPoolGrad', indices, 2, x.sizes[0] * H * W);
  clear(x);
  // Where the planes have no gaps, an index is an offset.
  const plain = sw === 1 && (sh === W || H === 1) && (sd === H * W || x.sizes[0] === 1);
  forEachPositionRow(x, g, places, (plane, atG, atPlace) => {
    if (plain) {
      addAt(x.data, plane, g.data, atG, g.strides[2], places.data, atPlace, places.strides[2], g.sizes[2]);
      return;
    }
    for (let w = 0; w < g.sizes[2]; w++, atG += g.strides[2], atPlace += places.strides[2]) {
      const place = places.data[atPlace];
      const at = Math.floor(place / (H * W)) * sd + (Math.floor(place / W) % H) * sh + (place % W) * sw;
      x.data[plane + at] += g.data[atG];
    }
  });
  return true;
};

function addAt(
  to: TypedArray,
  at: number,
  values: TypedArray,
  v: number,
  stepV: number,
  places: TypedArray,
  p: number,
  stepP: number,
  count: number,
): void {
  for (; count > 0; count--, v += stepV, p += stepP) to[at + places[p]] += values[v];
}
