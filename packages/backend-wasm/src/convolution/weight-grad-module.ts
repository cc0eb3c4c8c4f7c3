/**
 * @file The gradient of a convolution by its weight: for each group a matrix product of gradOut (channels by positions) with the patches of the
 * input (positions by taps), which are packed transposed, chunk by chunk. Images are shared out over a fixed number of partial sums, so that
 * threads change no bit of the result.
 */
import { f32, i32, memory, type ModuleBuilder, v128 } from '../assembler/index.js';
import { call, type Callee, inner, least, type I32, type V128, locals, task, transpose4, words } from '../code/emit.js';
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

  task(module, 'weightGrad', WEIGHT_GRAD_FIELDS, (f, read, begin, end, scratch) => {
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
                  f.emit(call(packTaps, at, p.offsets, p.k, n, right));
                  f.emit(call(packLeft, i32.add(grid, i32.mul(t, 4)), p.gridRow, 4, p.rows, n, left));
                  f.emit(call(packed, p.rows, p.k, n, left, right, to, p.partialRow, 4, again, zeros, 0, 0, strip));
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
