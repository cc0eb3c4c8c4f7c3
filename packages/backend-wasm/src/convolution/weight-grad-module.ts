/**
 * @file The gradient of a convolution by its weight: for each group a matrix product of gradOut (channels by positions) with the patches of the
 * input (positions by taps), which are packed transposed, chunk by chunk. Images are shared out over a fixed number of partial sums, so that
 * threads change no bit of the result.
 */
import type { Local } from '../code/function-code.js';
import { type Callee, ModuleCode } from '../code/module-code.js';
import { FLOAT32 } from '../matmul/element.js';
import { emitPack } from '../matmul/pack.js';
import { columnsOf, emitPacked, type TileShape } from '../matmul/tile.js';
import { SOURCE_FIELDS, spreadImage } from './correlation-module.js';
import { emitSpread } from './planes.js';

export const WEIGHT_GRAD_FIELDS = [
  ...['images', 'splits', 'rows', 'k', 'offsets', 'partials', 'partialRow', 'partialBytes'],
  ...['grad', 'gradImage', 'gradGroup', 'gradPlane', 'gradD', 'gradH', 'gradW', 'PD', 'PH', 'PW', 'pitch'],
  ...['chunk', 'gridAt', 'gridRow', 'leftAt', 'rightAt', 'planesAt', 'stripAt'],
  ...SOURCE_FIELDS,
] as const;

/** Adds up the partial sums of one group and takes them to the weights' places. Its parts are groups times rows. */
export const COLLECT_FIELDS = ['splits', 'rows', 'k', 'offsets', 'partials', 'partialRow', 'partialBytes', 'out', 'outGroup', 'outRow'] as const;

export function weightGradModule(tile: TileShape): ModuleCode {
  const module = new ModuleCode();
  const columns = columnsOf(tile, FLOAT32);
  const spread = emitSpread(module);
  const packLeft = emitPack(module, FLOAT32, tile.rows);
  const packTaps = emitPackTaps(module, columns);
  const packed = emitPacked(module, FLOAT32, tile);

  module.task('weightGrad', WEIGHT_GRAD_FIELDS, (f, read, begin, end, scratch) => {
    const p = read as unknown as Readonly<Record<(typeof WEIGHT_GRAD_FIELDS)[number], Local>>;
    const [planes, grid, left, right, strip, zeros, group, split, image, lastImage, wide] = f.locals('i32', 11);
    const [d, t, n, grad, at, to, again] = f.locals('i32', 7);
    f.set(planes, f.add(scratch, p.planesAt));
    f.set(grid, f.add(scratch, p.gridAt));
    f.set(left, f.add(scratch, p.leftAt));
    f.set(right, f.add(scratch, p.rightAt));
    f.set(strip, f.add(scratch, p.stripAt));
    f.set(zeros, scratch);
    f.clear(zeros, 256);
    f.clear(planes, p.planesBytes);
    // Between the rows of gradOut lie zeros, as between the planes' rows: positions are flat.
    f.clear(grid, f.mul(p.rows, p.gridRow));
    f.set(wide, f.add(f.mul(f.sub(p.PH, 1), p.pitch), p.PW));
    f.while(
      () => f.ne(begin, end),
      () => {
        f.set(group, f.div(begin, p.splits));
        f.set(split, f.rem(begin, p.splits));
        f.set(image, f.div(f.mul(split, p.images), p.splits));
        f.set(lastImage, f.div(f.mul(f.add(split, 1), p.images), p.splits));
        f.set(to, f.add(p.partials, f.mul(begin, p.partialBytes)));
        f.set(again, 0);
        f.while(
          () => f.lt(image, lastImage),
          () => {
            spreadImage(f, spread, p, image, group, planes);
            f.set(grad, f.add(p.grad, f.add(f.mul(image, p.gradImage), f.mul(group, p.gradGroup))));
            f.for(d, 0, p.PD, 1, () => {
              const source = [grad, p.rows, p.gradPlane, 1, p.PH, p.PW, 0, p.gradH, p.gradW];
              f.call(spread, ...source, grid, p.gridRow, 0, 0, 0, 1, 1, 1, f.mul(p.pitch, 4), 0, 0);
              f.set(t, 0);
              f.while(
                () => f.lt(t, wide),
                () => {
                  f.set(n, f.sub(wide, t));
                  f.set(n, f.min(n, p.chunk));
                  f.set(at, f.add(planes, f.add(f.mul(d, p.sliceBytes), f.mul(t, 4))));
                  f.call(packTaps, at, p.offsets, p.k, n, right);
                  f.call(packLeft, f.add(grid, f.mul(t, 4)), p.gridRow, 4, p.rows, n, left);
                  f.call(packed, p.rows, p.k, n, left, right, to, p.partialRow, 4, again, zeros, 0, 0, strip);
                  f.set(again, 1);
                  f.advance(t, n);
                },
              );
              f.advance(grad, p.gradD);
            });
            f.advance(image, 1);
          },
        );
        f.advance(begin, 1);
      },
    );
  });
  emitCollect(module);
  return module;
}

export function emitCollect(module: ModuleCode): void {
  module.task('collect', COLLECT_FIELDS, (f, read, begin, end) => {
    const p = read as unknown as Readonly<Record<(typeof COLLECT_FIELDS)[number], Local>>;
    const [group, row, from, to, at, k, s] = f.locals('i32', 7);
    const sum = f.f32();
    f.while(
      () => f.ne(begin, end),
      () => {
        f.set(group, f.div(begin, p.rows));
        f.set(row, f.rem(begin, p.rows));
        f.set(from, f.add(p.partials, f.add(f.mul(f.mul(group, p.splits), p.partialBytes), f.mul(row, p.partialRow))));
        f.set(to, f.add(p.out, f.add(f.mul(group, p.outGroup), f.mul(row, p.outRow))));
        f.for(k, 0, f.mul(p.k, 4), 4, () => {
          f.set(at, f.add(from, k));
          f.set(sum, f.loadF32(at));
          f.for(s, 1, p.splits, 1, () => {
            f.advance(at, p.partialBytes);
            f.set(sum, f.op('f32.add', sum, f.loadF32(at)));
          });
          f.storeF32(f.add(to, f.loadI32(f.add(p.offsets, k))), 0, sum);
        });
        f.advance(begin, 1);
      },
    );
  });
}

/** `(from, offsets, lanes, k, to)`: packs lanes that begin at `offsets` and whose k's lie side by side; up to three floats are read past the last. */
function emitPackTaps(module: ModuleCode, width: number): Callee {
  return module.inner('packTaps', ['from', 'offsets', 'lanes', 'k', 'to'], (f, p) => {
    const [lane, last, place, k, rest] = f.locals('i32', 5);
    const at = f.locals('i32', width);
    f.set(last, f.sub(p.lanes, 1));
    f.for(lane, 0, p.lanes, width, () => {
      at.forEach((pointer, i) => {
        f.set(place, f.add(lane, i));
        f.set(pointer, f.add(p.from, f.loadI32(f.add(p.offsets, f.mul(f.min(place, last), 4)))));
      });
      f.set(rest, f.and(p.k, -4));
      f.for(k, 0, rest, 4, () => {
        const groups: (readonly Local[])[] = [];
        for (let g = 0; g < width; g += 4) groups.push(f.transpose4([0, 1, 2, 3].map((i) => f.v128(f.loadVector(at[g + i])))));
        for (let i = 0; i < 4; i++) groups.forEach((group, g) => f.storeVector(p.to, (i * width + g * 4) * 4, group[i]));
        f.advance(p.to, width * 16);
        for (const pointer of at) f.advance(pointer, 16);
      });
      f.for(k, rest, p.k, 1, () => {
        at.forEach((pointer, i) => {
          f.storeF32(p.to, i * 4, f.loadF32(pointer));
          f.advance(pointer, 4);
        });
        f.advance(p.to, width * 4);
      });
    });
  });
}
