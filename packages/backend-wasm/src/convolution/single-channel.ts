/** @file The correlation of one plane with one filter: depthwise convolutions, where there is no sum over channels to make a matrix product of. */
import type { Callee, ModuleCode } from '../code/module-code.js';

/** Vectors of positions that one pass over the taps makes. */
const VECTORS = 8;
/** Positions of one pass: counts are rounded up to it. */
export const PLANE_POSITIONS = VECTORS * 4;

/**
 * `(from, offsets, k, weights, weightStride, bias, count, to)`: to[t] = bias + Σ weights[k] · from[t + offsets[k]] for `count` flat positions, rounded up to
 * whole passes.
 */
export function emitSingleChannel(module: ModuleCode): Callee {
  return module.inner('singleChannel', ['from', 'offsets', 'k', 'weights', 'weightStride', 'bias', 'count', 'to'], (f, p) => {
    const [t, at, end, weight, source] = f.locals('i32', 5);
    const sums = f.locals('v128', VECTORS);
    const factor = f.v128();
    f.set(end, f.add(p.offsets, f.mul(p.k, 4)));
    f.for(t, 0, p.count, PLANE_POSITIONS, () => {
      f.set(at, p.offsets);
      f.set(weight, p.weights);
      for (const sum of sums) f.set(sum, f.loadSplat32(p.bias));
      f.doWhile(
        () => {
          f.set(factor, f.loadSplat32(weight));
          f.set(source, f.add(p.from, f.loadI32(at)));
          sums.forEach((sum, v) => f.set(sum, f.vadd(f.vmul(factor, f.loadVector(source, v * 16)), sum)));
          f.advance(weight, p.weightStride);
          f.advance(at, 4);
        },
        () => f.ne(at, end),
      );
      sums.forEach((sum, v) => f.storeVector(p.to, v * 16, sum));
      f.advance(p.to, PLANE_POSITIONS * 4);
      f.advance(p.from, PLANE_POSITIONS * 4);
    });
  });
}
