/** @file The correlation of one plane with one filter: depthwise convolutions, where there is no sum over channels to make a matrix product of. */
import { f32x4, i32, i32x4, type ModuleBuilder, v128 } from '../assembler/index.js';
import { type Callee, choose, inner, locals, words } from '../code/emit.js';

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

/**
 * `(from, fromRow, rows, width, weights, weightStride, bias, to, toRow, zeros)`: the same for windows of 3x3 of stride 1, straight to where the results belong: rows
 * of `width` floats, two of them (`rows` ≥ 2) at a time, so that each value that is read serves both. What is left over is made twice.
 *
 * Planes are padded ones (`width` ≥ 4), or `direct`: as they are, with a border of one zero that is not there (`width` ≥ 5). Rows above and below are then read at
 * `zeros`, and the lanes beside the first and last place of a row are cleared. That saves the copy: 8x64 planes of 56x56 take 0.86 ms, and 1.21 with it.
 */
export function emitSingleChannel3x3(module: ModuleBuilder, direct: boolean): Callee {
  const names = words('from fromRow rows width weights weightStride bias to toRow zeros');
  return inner(module, direct ? 'direct3x3' : 'singleChannel3x3', names, (f, p) => {
    const [row, x, lastRow, lastX, to, at, place] = locals(f, 'i32', 7);
    const from = locals(f, 'i32', 4);
    const weights = locals(f, 'v128', 9);
    const [upper, lower, value, bias] = locals(f, 'v128', 4);
    for (const weight of weights) {
      f.set(weight, v128.load32Splat(p.weights));
      f.increment(p.weights, p.weightStride);
    }
    f.set(bias, v128.load32Splat(p.bias));
    f.set(lastRow, i32.sub(p.rows, 2));
    f.set(lastX, i32.shl(i32.sub(p.width, 4), 2));
    const four = (side: 'left' | 'middle' | 'right'): void => {
      f.set(upper, bias);
      f.set(lower, bias);
      for (let r = 0; r < 4; r++) {
        f.set(at, i32.add(from[r], x));
        for (let c = 0; c < 3; c++) {
          f.set(value, v128.load(at, c * 4));
          if (direct && side === 'left' && c === 0) f.set(value, v128.and(value, i32x4.const(0, -1, -1, -1)));
          if (direct && side === 'right' && c === 2) f.set(value, v128.and(value, i32x4.const(-1, -1, -1, 0)));
          if (r < 3) f.set(upper, f32x4.add(f32x4.mul(value, weights[r * 3 + c]), upper));
          if (r > 0) f.set(lower, f32x4.add(f32x4.mul(value, weights[(r - 1) * 3 + c]), lower));
        }
      }
      f.set(at, i32.add(to, x));
      f.emit(v128.store(at, upper), v128.store(i32.add(at, p.toRow), lower));
    };
    const twoRows = (): void => {
      from.forEach((pointer, r) => {
        if (!direct) f.set(pointer, i32.add(p.from, i32.mul(i32.add(row, r), p.fromRow)));
        else {
          // The window begins one place before the row, in one row above.
          f.set(place, i32.add(row, r - 1));
          f.set(pointer, choose(i32.ltU(place, p.rows), i32.add(p.from, i32.mul(place, p.fromRow)), p.zeros));
          f.increment(pointer, -4);
        }
      });
      f.set(to, i32.add(p.to, i32.mul(row, p.toRow)));
      if (direct) {
        f.set(x, 0);
        four('left');
        f.for(x, 16, lastX, 16, () => four('middle'));
      } else f.for(x, 0, lastX, 16, () => four('middle'));
      f.set(x, lastX);
      four('right');
    };
    f.for(row, 0, lastRow, 2, twoRows);
    f.set(row, lastRow);
    twoRows();
  });
}
