/** @file Average pooling over windows of one to three spatial dims, and its gradient. */
import type { AcceleratedKernels } from '@tessera/core/backend';
import type { CpuBuffer } from '../memory/cpu-buffer.js';
import { planesOf, takesPlanes, three, window3 } from './planes.js';
import { clear, forEachPositionRow, type Reach, reaches } from './windows.js';

type Kernels = Required<AcceleratedKernels<CpuBuffer>>;
type Divisor = 'padded' | 'valid' | number;

/** What the window at i is divided by in this dim; with a number for the whole window, 1. */
function extent(reach: Reach, i: number, dilation: number, divisor: Divisor): number {
  if (typeof divisor === 'number') return 1;
  return divisor === 'padded' ? reach.padded[i] : Math.max(0, Math.ceil((reach.end[i] - reach.first[i]) / dilation));
}

export const avgPool: Kernels['avgPool'] = (input, out, kernel, window, divisor) => {
  if (!takesPlanes(input, out)) return false;
  const x = planesOf(input);
  const y = planesOf(out);
  const w3 = window3(window);
  const [rd, rh, rw] = reaches(x, y, three(kernel, 1), w3);
  const [stepD, stepH, stepW] = w3.dilation;
  const [sd, sh, sw] = x.strides;
  const whole = typeof divisor === 'number' ? divisor : 1;
  forEachPositionRow(x, y, y, (plane, atY, _, d, h) => {
    const [firstD, endD, firstH, endH] = [rd.first[d], rd.end[d], rh.first[h], rh.end[h]];
    const rows = extent(rd, d, stepD, divisor) * extent(rh, h, stepH, divisor) * whole;
    for (let w = 0; w < y.sizes[2]; w++, atY += y.strides[2]) {
      const firstW = rw.first[w];
      const endW = rw.end[w];
      let sum = 0;
      for (let z = firstD; z < endD; z += stepD) {
        for (let v = firstH; v < endH; v += stepH) {
          const row = plane + z * sd + v * sh;
          for (let u = firstW; u < endW; u += stepW) sum += x.data[row + u * sw];
        }
      }
      y.data[atY] = sum / (rows * extent(rw, w, stepW, divisor));
    }
  });
  return true;
};

export const avgPoolGrad: Kernels['avgPoolGrad'] = (gradOut, gradInput, kernel, window, divisor) => {
  if (!takesPlanes(gradOut, gradInput)) return false;
  const x = planesOf(gradInput);
  const g = planesOf(gradOut);
  const w3 = window3(window);
  const [rd, rh, rw] = reaches(x, g, three(kernel, 1), w3);
  const [stepD, stepH, stepW] = w3.dilation;
  const [sd, sh, sw] = x.strides;
  const whole = typeof divisor === 'number' ? divisor : 1;
  clear(x);
  forEachPositionRow(x, g, g, (plane, atG, _, d, h) => {
    const [firstD, endD, firstH, endH] = [rd.first[d], rd.end[d], rh.first[h], rh.end[h]];
    const rows = extent(rd, d, stepD, divisor) * extent(rh, h, stepH, divisor) * whole;
    for (let w = 0; w < g.sizes[2]; w++, atG += g.strides[2]) {
      const firstW = rw.first[w];
      const endW = rw.end[w];
      const share = g.data[atG] / (rows * extent(rw, w, stepW, divisor));
      for (let z = firstD; z < endD; z += stepD) {
        for (let v = firstH; v < endH; v += stepH) {
          const row = plane + z * sd + v * sh;
          for (let u = firstW; u < endW; u += stepW) x.data[row + u * sw] += share;
        }
      }
    }
  });
  return true;
};
