/**
 * @file Correlations over padded planes with a table of tap offsets: the forward pass of a convolution and its gradient by the input, for any window,
 * in one to three dims. Patches are packed panel by panel (im2col is never stored whole) and multiplied with the packed weights.
 */
import type { FunctionCode, Local, Value } from '../code/function-code.js';
import { type Callee, ModuleCode } from '../code/module-code.js';
import { FLOAT32 } from '../matmul/element.js';
import { columnsOf, emitIndirect, emitPacked, type TileShape } from '../matmul/tile.js';
import { emitSingleChannel } from './single-channel.js';
import { emitCrop, emitSpread } from './planes.js';

/** What copies one image's planes of one group into padded planes. Strides in bytes. */
export const SOURCE_FIELDS = [
  ...['from', 'fromImage', 'fromGroup', 'fromPlane', 'channels', 'D', 'H', 'W', 'fromD', 'fromH', 'fromW'],
  ...['toPlane', 'padD', 'padH', 'padW', 'stepD', 'stepH', 'stepW', 'rowBytes', 'sliceBytes', 'phaseBytes', 'planesBytes'],
] as const;

/**
 * A correlation: `rows` output channels for each group, `k` = channels × taps, packed weights in blocks of `kBlock` k's; results of PD slices of PH rows
 * of PW positions; `chunk` flat positions are made at a time, from `panels` panels of patches at a time; each image is cut into `parts`.
 */
export const CORRELATION_FIELDS = [
  ...['groups', 'rows', 'k', 'offsets', 'weights', 'weightsGroup', 'bias', 'biasStride'],
  ...['out', 'outImage', 'outGroup', 'outPlane', 'outD', 'outH', 'outW', 'PD', 'PH', 'PW', 'pitch'],
  ...['chunk', 'kBlock', 'panels', 'parts', 'planesAt', 'panelsAt', 'sumsAt', 'sumsRow', 'biasAt', 'stripAt'],
  ...SOURCE_FIELDS,
] as const;

type Fields = Readonly<Record<(typeof CORRELATION_FIELDS)[number], Local>>;

export function correlationModule(tile: TileShape): ModuleCode {
  const module = new ModuleCode();
  const columns = columnsOf(tile, FLOAT32);
  const spread = emitSpread(module);
  const crop = emitCrop(module);
  const packed = emitPacked(module, FLOAT32, tile);
  const indirect = emitIndirect(module, FLOAT32, tile);
  const packPatches = emitPackPatches(module, tile.vectors);
  emitPackWeights(module, tile.rows);

  const singleChannel = emitSingleChannel(module);

  for (const kind of ['patches', 'few', 'single'] as const) {
    module.task(kind, CORRELATION_FIELDS, (f, read, begin, end, scratch) => {
      const p = read as unknown as Fields;
      const [image, group, part, planes, panels, sums, strip, bias, units, slices, unit, lastUnit] = f.locals('i32', 12);
      const [start, count, wide, block, kc, at, n, weights, first, hasBias, k0, most] = f.locals('i32', 12);
      f.set(planes, f.add(scratch, p.planesAt));
      f.set(panels, f.add(scratch, p.panelsAt));
      f.set(sums, f.add(scratch, p.sumsAt));
      f.set(strip, f.add(scratch, p.stripAt));
      f.set(bias, f.add(scratch, p.biasAt));
      f.set(hasBias, f.select(p.bias, 4, 0));
      f.clear(planes, p.planesBytes);
      f.clear(bias, 256);
      // The flat positions of a slice, and how many chunks they make.
      f.set(wide, f.add(f.mul(f.sub(p.PH, 1), p.pitch), p.PW));
      f.set(slices, f.div(f.add(wide, f.sub(p.chunk, 1)), p.chunk));
      f.set(units, f.mul(p.PD, slices));
      f.while(
        () => f.ne(begin, end),
        () => {
          f.set(part, f.rem(begin, p.parts));
          f.set(image, f.div(begin, p.parts));
          f.set(group, f.rem(image, p.groups));
          f.set(image, f.div(image, p.groups));
          spreadImage(f, spread, p, image, group, planes);
          f.if(p.bias, () => {
            f.set(at, f.add(p.bias, f.mul(f.mul(group, p.rows), p.biasStride)));
            f.for(n, 0, p.rows, 1, () => {
              f.storeF32(f.add(bias, f.mul(n, 4)), 0, f.loadF32(at));
              f.advance(at, p.biasStride);
            });
          });
          f.set(first, f.add(p.out, f.add(f.mul(image, p.outImage), f.mul(group, p.outGroup))));
          f.set(unit, f.div(f.mul(part, units), p.parts));
          f.set(lastUnit, f.div(f.mul(f.add(part, 1), units), p.parts));
          f.while(
            () => f.lt(unit, lastUnit),
            () => {
              f.set(start, f.mul(f.rem(unit, slices), p.chunk));
              f.set(count, f.sub(wide, start));
              f.set(count, f.min(count, p.chunk));
              f.set(at, f.add(planes, f.add(f.mul(f.div(unit, slices), p.sliceBytes), f.mul(start, 4))));
              f.set(weights, f.add(p.weights, f.mul(group, p.weightsGroup)));
              f.if(
                p.k,
                () => {
                  if (kind === 'single') {
                    f.for(n, 0, p.rows, 1, () => {
                      // Row n of packed weights: a lane of its panel.
                      f.set(block, f.add(f.mul(f.div(n, tile.rows), f.mul(p.k, tile.rows * 4)), f.mul(f.rem(n, tile.rows), 4)));
                      const to = f.add(sums, f.mul(n, p.sumsRow));
                      const from = f.add(bias, f.mul(n, hasBias));
                      f.call(singleChannel, at, p.offsets, p.k, f.add(weights, block), tile.rows * 4, from, count, to);
                    });
                  } else if (kind === 'few') {
                    f.set(n, roundUp(f, count, columns));
                    f.call(indirect, p.rows, n, p.k, weights, at, p.offsets, sums, p.sumsRow, 4, 0, bias, hasBias, 0, strip);
                  } else {
                    f.set(k0, 0);
                    f.while(
                      () => f.lt(k0, p.k),
                      () => {
                        f.set(kc, f.sub(p.k, k0));
                        f.set(kc, f.min(kc, p.kBlock));
                        f.set(most, f.mul(p.panels, columns));
                        f.set(block, 0);
                        f.while(
                          () => f.lt(block, count),
                          () => {
                            f.set(n, roundUp(f, f.sub(count, block), columns));
                            f.set(n, f.min(n, most));
                            f.call(packPatches, f.add(at, f.mul(block, 4)), f.add(p.offsets, f.mul(k0, 4)), kc, f.div(n, columns), panels);
                            const to = f.add(sums, f.mul(block, 4));
                            f.call(packed, p.rows, n, kc, weights, panels, to, p.sumsRow, 4, k0, bias, hasBias, 0, strip);
                            f.advance(block, n);
                          },
                        );
                        f.advance(weights, f.mul(kc, f.mul(roundUp(f, p.rows, tile.rows), 4)));
                        f.advance(k0, kc);
                      },
                    );
                  }
                },
                () => f.clear(sums, f.mul(p.rows, p.sumsRow)),
              );
              f.set(at, f.add(first, f.mul(f.div(unit, slices), p.outD)));
              f.call(crop, sums, p.sumsRow, p.rows, start, count, p.pitch, p.PW, at, p.outPlane, p.outH, p.outW);
              f.advance(unit, 1);
            },
          );
          f.advance(begin, 1);
        },
      );
    });
  }
  return module;
}

/** Copies the planes of one image and group. */
export function spreadImage(
  f: FunctionCode,
  spread: Callee,
  p: Readonly<Record<(typeof SOURCE_FIELDS)[number], Local>>,
  image: Local,
  group: Local,
  planes: Local,
): void {
  const from = f.add(p.from, f.add(f.mul(image, p.fromImage), f.mul(group, p.fromGroup)));
  const source = [from, p.channels, p.fromPlane, p.D, p.H, p.W, p.fromD, p.fromH, p.fromW];
  f.call(spread, ...source, planes, p.toPlane, p.padD, p.padH, p.padW, p.stepD, p.stepH, p.stepW, p.rowBytes, p.sliceBytes, p.phaseBytes);
}

/** n, rounded up to a multiple. */
export function roundUp(f: FunctionCode, n: Value, multiple: number): Value {
  return f.mul(f.div(f.add(n, multiple - 1), multiple), multiple);
}

/** `(from, offsets, k, panels, to)`: for each panel and k, the vectors at `from` plus the k's offset. */
function emitPackPatches(module: ModuleCode, vectors: number): Callee {
  return module.inner('packPatches', ['from', 'offsets', 'k', 'panels', 'to'], (f, p) => {
    const [panel, at, end, source] = f.locals('i32', 4);
    f.set(end, f.add(p.offsets, f.mul(p.k, 4)));
    f.for(panel, 0, p.panels, 1, () => {
      f.set(at, p.offsets);
      f.doWhile(
        () => {
          f.set(source, f.add(p.from, f.loadI32(at)));
          for (let q = 0; q < vectors; q++) f.storeVector(p.to, q * 16, f.loadVector(source, q * 16));
          f.advance(p.to, vectors * 16);
          f.advance(at, 4);
        },
        () => f.ne(at, end),
      );
      f.advance(p.from, vectors * 16);
    });
  });
}

/** The fields of `packWeights`: weights (rows by k, the k's at `offsets`) of each group, in blocks of `kBlock` k's. */
export const PACK_WEIGHTS_FIELDS = ['from', 'fromRow', 'fromGroup', 'rows', 'offsets', 'k', 'kBlock', 'to', 'toGroup'] as const;

/** A task whose parts are groups. */
export function emitPackWeights(module: ModuleCode, width: number): Callee {
  return module.task('packWeights', PACK_WEIGHTS_FIELDS, (f, read, begin, end) => {
    const p = read as unknown as Readonly<Record<(typeof PACK_WEIGHTS_FIELDS)[number], Local>>;
    const [k0, kc, row, to, at, last, offset, base, place] = f.locals('i32', 9);
    const rows = f.locals('i32', width);
    f.while(
      () => f.ne(begin, end),
      () => {
        f.set(base, f.add(p.from, f.mul(begin, p.fromGroup)));
        f.set(to, f.add(p.to, f.mul(begin, p.toGroup)));
        f.set(last, f.sub(p.rows, 1));
        f.set(k0, 0);
        f.while(
          () => f.lt(k0, p.k),
          () => {
            f.set(kc, f.sub(p.k, k0));
            f.set(kc, f.min(kc, p.kBlock));
            f.for(row, 0, p.rows, width, () => {
              rows.forEach((pointer, r) => {
                f.set(place, f.add(row, r));
                f.set(pointer, f.add(base, f.mul(f.min(place, last), p.fromRow)));
              });
              f.for(at, 0, kc, 1, () => {
                f.set(offset, f.loadI32(f.add(p.offsets, f.mul(f.add(k0, at), 4))));
                rows.forEach((pointer, r) => f.storeF32(to, r * 4, f.loadF32(f.add(pointer, offset))));
                f.advance(to, width * 4);
              });
            });
            f.advance(k0, kc);
          },
        );
        f.advance(begin, 1);
      },
    );
  });
}
