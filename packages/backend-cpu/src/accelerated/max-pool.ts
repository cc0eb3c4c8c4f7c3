/** @file Max pooling over windows of one to three spatial dims, and its gradient. */
import type { AcceleratedKernels } from '@tessera/core';
import { checkIndices } from '../kernels/indices.js';
import type { CpuBuffer } from '../memory/cpu-buffer.js';
import { planesOf, takesPlanes, three, window3 } from './planes.js';
import { clear, forEachPositionRow, reaches } from './windows.js';

type Kernels = Required<AcceleratedKernels<CpuBuffer>>;

/** The first of the largest wins, NaN over all. Where all of a window is −∞, its first place inside the input. */
export const maxPool: Kernels['maxPool'] = (input, out, indices, kernel, window) => {
  if (!takesPlanes(input, out)) return false;
  const x = planesOf(input);
  const y = planesOf(out);
  const places = planesOf(indices ?? out);
  const w3 = window3(window);
  const [rd, rh, rw] = reaches(x, y, three(kernel, 1), w3);
  const [stepD, stepH, stepW] = w3.dilation;
  const [sd, sh, sw] = x.strides;
  const [, H, W] = x.sizes;
  const from = x.data;
  const to = y.data;
  const nextY = y.strides[2];
  const nextPlace = places.strides[2];
  forEachPositionRow(x, y, places, (plane, atY, atPlace, d, h) => {
    const [firstD, endD, firstH, endH] = [rd.first[d], rd.end[d], rh.first[h], rh.end[h]];
    for (let w = 0; w < y.sizes[2]; w++, atY += nextY, atPlace += nextPlace) {
      const firstW = rw.first[w];
      const endW = rw.end[w];
      let best = -Infinity;
      let place = (firstD * H + firstH) * W + firstW;
      for (let z = firstD; z < endD; z += stepD) {
        for (let v = firstH; v < endH; v += stepH) {
          const row = plane + z * sd + v * sh;
          const line = (z * H + v) * W;
          for (let u = firstW; u < endW; u += stepW) {
            const value = from[row + u * sw];
            if (value > best || (value !== value && best === best)) {
              best = value;
              place = line + u;
            }
          }
        }
      }
      to[atY] = best;
      if (indices !== null) places.data[atPlace] = place;
    }
  });
  return true;
};

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
    for (let w = 0; w < g.sizes[2]; w++, atG += g.strides[2], atPlace += places.strides[2]) {
      const place = places.data[atPlace];
      const at = plain ? place : Math.floor(place / (H * W)) * sd + (Math.floor(place / W) % H) * sh + (place % W) * sw;
      x.data[plane + at] += g.data[atG];
    }
  });
  return true;
};
