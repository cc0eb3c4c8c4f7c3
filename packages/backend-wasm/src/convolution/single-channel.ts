/** @file The correlation of one plane with one filter: depthwise convolutions, where there is no sum over channels to make a matrix product of. */
import { f32x4, i32, type ModuleBuilder, v128 } from '../assembler/index.js';
import { type Callee, inner, locals } from '../code/emit.js';

/** Vectors of positions that one pass over the taps makes. */
const VECTORS = 8;
/** Positions of one pass: counts are rounded up to it. */
export const PLANE_POSITIONS = VECTORS * 4;

/**
 * `(from, offsets, k, weights, weightStride, bias, count, to)`: to[t] = bias + Σ weights[k] · from[t + offsets[k]] for `count` flat positions, rounded up to
 * whole passes.
 */
export function emitSingleChannel(module: ModuleBuilder): Callee {
  return inner(module, 'singleChannel', ['from', 'offsets', 'k', 'weights', 'weightStride', 'bias', 'count', 'to'], (f, p) => {
    const [t, at, end, weight, source] = locals(f, 'i32', 5);
    const sums = locals(f, 'v128', VECTORS);
    const factor = f.local('v128');
    f.set(end, i32.add(p.offsets, i32.mul(p.k, 4)));
    f.for(t, 0, p.count, PLANE_POSITIONS, () => {
      f.set(at, p.offsets);
      f.set(weight, p.weights);
      for (const sum of sums) f.set(sum, v128.load32Splat(p.bias));
      f.doWhile(
        () => {
          f.set(factor, v128.load32Splat(weight));
          f.set(source, i32.add(p.from, i32.load(at)));
          sums.forEach((sum, v) => f.set(sum, f32x4.add(f32x4.mul(factor, v128.load(source, v * 16)), sum)));
          f.increment(weight, p.weightStride);
          f.increment(at, 4);
        },
        () => i32.ne(at, end),
      );
      sums.forEach((sum, v) => f.emit(v128.store(p.to, sum, v * 16)));
      f.increment(p.to, PLANE_POSITIONS * 4);
      f.increment(p.from, PLANE_POSITIONS * 4);
    });
  });
}
