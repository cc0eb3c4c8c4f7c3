/**
 * @file The gradient of a convolution by its weight: for each group a matrix product of gradOut (channels by positions) with the patches of the
 * input (positions by taps), which are packed transposed, chunk by chunk. Images are shared out over a fixed number of partial sums, so that
 * threads change no bit of the result.
 */
import { f32, f32x4, i32, memory, type ModuleBuilder, v128 } from '../assembler/index.js';
import { call, type Callee, inner, least, type I32, type V128, locals, sumLanes, task, transpose4, words } from '../code/emit.js';
import { FLOAT32 } from '../matmul/element.js';
import { emitPack } from '../matmul/pack.js';
import { columnsOf, emitPacked, type TileShape } from '../matmul/tile.js';
import { SOURCE_FIELDS, spreadImage } from './correlation-module.js';
import { emitSpread } from './planes.js';

export const WEIGHT_GRAD_FIELDS = [
  ...words(
    'images splits rows k offsets partials partialRow partialBytes',
    'grad gradImage gradGroup gradPlane gradD gradH gradW PD PH PW pitch',
    'chunk gridAt gridRow leftAt rightAt planesAt stripAt',
  ),
  ...SOURCE_FIELDS,
] as const;

/** Adds up the partial sums of one group and takes them to the weights' places. Its parts are groups times rows. */
export const COLLECT_FIELDS = words('splits rows k offsets partials partialRow partialBytes out outGroup outRow');

export function emitWeightGrad(module: ModuleBuilder, tile: TileShape): void {
  const columns = columnsOf(tile, FLOAT32);
  const spread = emitSpread(module);
  const packLeft = emitPack(module, FLOAT32, tile.rows);
  const packTaps = emitPackTaps(module, columns);
  const packed = emitPacked(module, FLOAT32, tile);
  const dotTaps = emitDotTaps(module);

  for (const few of [false, true]) {
    task(module, few ? 'weightGradFew' : 'weightGrad', WEIGHT_GRAD_FIELDS, (f, read, begin, end, scratch) => {
      const p = read as unknown as Readonly<Record<(typeof WEIGHT_GRAD_FIELDS)[number], I32>>;
      const [planes, grid, left, right, strip, zeros, group, split, image, lastImage, wide] = locals(f, 'i32', 11);
      const [d, t, n, grad, at, to, again] = locals(f, 'i32', 7);
      f.set(planes, i32.add(scratch, p.planesAt));
      f.set(grid, i32.add(scratch, p.gridAt));
      f.set(left, i32.add(scratch, p.leftAt));
      f.set(right, i32.add(scratch, p.rightAt));
      f.set(strip, i32.add(scratch, p.stripAt));
      f.set(zeros, scratch);
      f.emit(memory.fill(zeros, 0, 256));
      f.emit(memory.fill(planes, 0, p.planesBytes));
      // Between the rows of gradOut lie zeros, as between the planes' rows: positions are flat.
      f.emit(memory.fill(grid, 0, i32.mul(p.rows, p.gridRow)));
      f.set(wide, i32.add(i32.mul(i32.sub(p.PH, 1), p.pitch), p.PW));
      f.while(
        () => i32.ne(begin, end),
        () => {
          f.set(group, i32.divU(begin, p.splits));
          f.set(split, i32.remU(begin, p.splits));
          f.set(image, i32.divU(i32.mul(split, p.images), p.splits));
          f.set(lastImage, i32.divU(i32.mul(i32.add(split, 1), p.images), p.splits));
          f.set(to, i32.add(p.partials, i32.mul(begin, p.partialBytes)));
          f.set(again, 0);
          f.while(
            () => i32.ltS(image, lastImage),
            () => {
              spreadImage(f, spread, p, image, group, planes);
              f.set(grad, i32.add(p.grad, i32.add(i32.mul(image, p.gradImage), i32.mul(group, p.gradGroup))));
              f.for(d, 0, p.PD, 1, () => {
                const source = [grad, p.rows, p.gradPlane, 1, p.PH, p.PW, 0, p.gradH, p.gradW];
                f.emit(call(spread, ...source, grid, p.gridRow, 0, 0, 0, 1, 1, 1, i32.mul(p.pitch, 4), 0, 0));
                f.set(t, 0);
                f.while(
                  () => i32.ltS(t, wide),
                  () => {
                    f.set(n, i32.sub(wide, t));
                    f.set(n, least(n, p.chunk));
                    f.set(at, i32.add(planes, i32.add(i32.mul(d, p.sliceBytes), i32.mul(t, 4))));
                    if (few)
                      f.emit(
                        call(dotTaps, p.rows, p.k, i32.add(grid, i32.shl(t, 2)), p.gridRow, at, p.offsets, n, to, p.partialRow, again),
                      );
                    else
                      f.emit(
                        call(packTaps, at, p.offsets, p.k, n, right),
                        call(packLeft, i32.add(grid, i32.mul(t, 4)), p.gridRow, 4, p.rows, n, left),
                        call(packed, p.rows, p.k, n, left, right, to, p.partialRow, 4, again, zeros, 0, 0, strip),
                      );
                    f.set(again, 1);
                    f.increment(t, n);
                  },
                );
                f.increment(grad, p.gradD);
              });
              f.increment(image, 1);
            },
          );
          f.increment(begin, 1);
        },
      );
    });
  }
  emitCollect(module);
}

export function emitCollect(module: ModuleBuilder): void {
  task(module, 'collect', COLLECT_FIELDS, (f, read, begin, end) => {
    const p = read as unknown as Readonly<Record<(typeof COLLECT_FIELDS)[number], I32>>;
    const [group, row, from, to, at, k, s] = locals(f, 'i32', 7);
    const sum = f.local('f32');
    f.while(
      () => i32.ne(begin, end),
      () => {
        f.set(group, i32.divU(begin, p.rows));
        f.set(row, i32.remU(begin, p.rows));
        f.set(from, i32.add(p.partials, i32.add(i32.mul(i32.mul(group, p.splits), p.partialBytes), i32.mul(row, p.partialRow))));
        f.set(to, i32.add(p.out, i32.add(i32.mul(group, p.outGroup), i32.mul(row, p.outRow))));
        f.for(k, 0, f.keep(i32.mul(p.k, 4)), 4, () => {
          f.set(at, i32.add(from, k));
          f.set(sum, f32.load(at));
          f.for(s, 1, p.splits, 1, () => {
            f.increment(at, p.partialBytes);
            f.set(sum, f32.add(sum, f32.load(at)));
          });
          f.emit(f32.store(i32.add(to, i32.load(i32.add(p.offsets, k))), sum));
        });
        f.increment(begin, 1);
      },
    );
  });
}

/** `(from, offsets, lanes, k, to)`: packs lanes that begin at `offsets` and whose k's lie side by side; up to three floats are read past the last. */
function emitPackTaps(module: ModuleBuilder, width: number): Callee {
  return inner(module, 'packTaps', ['from', 'offsets', 'lanes', 'k', 'to'], (f, p) => {
    const [lane, last, place, k, rest] = locals(f, 'i32', 5);
    const at = locals(f, 'i32', width);
    f.set(last, i32.sub(p.lanes, 1));
    f.for(lane, 0, p.lanes, width, () => {
      at.forEach((pointer, i) => {
        f.set(place, i32.add(lane, i));
        f.set(pointer, i32.add(p.from, i32.load(i32.add(p.offsets, i32.mul(least(place, last), 4)))));
      });
      f.set(rest, i32.and(p.k, -4));
      f.for(k, 0, rest, 4, () => {
        const groups: V128[][] = [];
        for (let g = 0; g < width; g += 4)
          groups.push(
            transpose4(
              f,
              [0, 1, 2, 3].map((i) => f.local('v128', v128.load(at[g + i]))),
            ),
          );
        for (let i = 0; i < 4; i++) groups.forEach((group, g) => f.emit(v128.store(p.to, group[i], (i * width + g * 4) * 4)));
        f.increment(p.to, width * 16);
        for (const pointer of at) f.increment(pointer, 16);
      });
      f.for(k, rest, p.k, 1, () => {
        at.forEach((pointer, i) => {
          f.emit(f32.store(p.to, f32.load(pointer), i * 4));
          f.increment(pointer, 4);
        });
        f.increment(p.to, width * 4);
      });
    });
  });
}

/** Rows of gradOut and taps whose products are summed at once. */
const DOT_ROWS = 2;
const DOT_TAPS = 3;

/**
 * `(rows, k, grad, gradRow, planes, offsets, n, to, toRow, accumulate)`: to[r][k] = or += Σ grad[r][i] · planes[offsets[k] + i] over n positions, rounded up to
 * four: behind them gradOut's grid has zeros. For few taps, which would leave most of a tile's columns empty.
 */
function emitDotTaps(module: ModuleBuilder): Callee {
  const names = words('rows k grad gradRow planes offsets n to toRow accumulate');
  return inner(module, 'dotTaps', names, (f, p) => {
    const [row, tap, at, end, place, lastRow, lastTap] = locals(f, 'i32', 7);
    const grads = locals(f, 'i32', DOT_ROWS);
    const sources = locals(f, 'i32', DOT_TAPS);
    const sums = locals(f, 'v128', DOT_ROWS * DOT_TAPS);
    const values = locals(f, 'v128', DOT_TAPS);
    const grad = f.local('v128');
    f.set(lastRow, i32.sub(p.rows, 1));
    f.set(lastTap, i32.sub(p.k, 1));
    f.set(end, i32.shl(i32.and(i32.add(p.n, 3), -4), 2));
    f.for(row, 0, p.rows, DOT_ROWS, () => {
      grads.forEach((pointer, r) => {
        f.set(place, i32.add(row, r));
        f.set(pointer, i32.add(p.grad, i32.mul(least(place, lastRow), p.gradRow)));
      });
      f.for(tap, 0, p.k, DOT_TAPS, () => {
        sources.forEach((pointer, q) => {
          f.set(place, i32.add(tap, q));
          f.set(pointer, i32.add(p.planes, i32.load(i32.add(p.offsets, i32.shl(least(place, lastTap), 2)))));
        });
        for (const sum of sums) f.set(sum, v128.zero);
        f.for(at, 0, end, 16, () => {
          values.forEach((value, q) => f.set(value, v128.load(i32.add(sources[q], at))));
          for (let r = 0; r < DOT_ROWS; r++) {
            f.set(grad, v128.load(i32.add(grads[r], at)));
            values.forEach((value, q) => f.set(sums[r * DOT_TAPS + q], f32x4.add(f32x4.mul(grad, value), sums[r * DOT_TAPS + q])));
          }
        });
        sums.forEach((sum, i) => {
          const [r, q] = [Math.floor(i / DOT_TAPS), i % DOT_TAPS];
          f.if(i32.and(i32.leS(i32.add(row, r), lastRow), i32.leS(i32.add(tap, q), lastTap)), () => {
            f.set(place, i32.add(p.to, i32.add(i32.mul(i32.add(row, r), p.toRow), i32.shl(i32.add(tap, q), 2))));
            f.if(
              p.accumulate,
              () => f.emit(f32.store(place, f32.add(f32.load(place), sumLanes(sum)))),
              () => f.emit(f32.store(place, sumLanes(sum))),
            );
          });
        });
      });
    });
  });
}
