/**
 * @file Correlations over padded planes with a table of tap offsets: the forward pass of a convolution and its gradient by the input, for any window,
 * in one to three dims. Patches are packed panel by panel (im2col is never stored whole) and multiplied with the packed weights.
 */
import { f32, type FunctionBuilder, i32, memory, type ModuleBuilder, v128 } from '../assembler/index.js';
import { call, type Callee, choose, inner, least, type I32, locals, task, roundedUp, words } from '../code/emit.js';
import { FLOAT32 } from '../matmul/element.js';
import { columnsOf, emitIndirect, emitPacked, type TileShape } from '../matmul/tile.js';
import { emitSingleChannel, emitSingleChannel3x3 } from './single-channel.js';
import { emitCrop, emitSpread } from './planes.js';

/** What copies one image's planes of one group into padded planes. Strides in bytes. */
export const SOURCE_FIELDS = words(
  'from fromImage fromGroup fromPlane channels D H W fromD fromH fromW',
  'toPlane padD padH padW stepD stepH stepW rowBytes sliceBytes phaseBytes planesBytes',
);

/**
 * A correlation: `rows` output channels for each group, `k` = channels × taps, packed weights in blocks of `kBlock` k's; results of PD slices of PH rows
 * of PW positions; `chunk` flat positions are made at a time, from `panels` panels of patches at a time; each image is cut into `parts`.
 * `firstTap` and `tapStep`: where the first of a 3x3 window's taps, in reading order, lies in a panel of weights, and from one to the next.
 * Of `direct3x3`, which reads planes where they are, `planesBytes` are a row of zeros.
 */
export const CORRELATION_FIELDS = [
  ...words(
    'groups rows k offsets weights weightsGroup bias biasStride',
    'out outImage outGroup outPlane outD outH outW PD PH PW pitch',
    'chunk kBlock panels parts planesAt panelsAt sumsAt sumsRow biasAt stripAt firstTap tapStep',
  ),
  ...SOURCE_FIELDS,
] as const;

type Fields = Readonly<Record<(typeof CORRELATION_FIELDS)[number], I32>>;

export function emitCorrelation(module: ModuleBuilder, tile: TileShape): void {
  const columns = columnsOf(tile, FLOAT32);
  const spread = emitSpread(module);
  const crop = emitCrop(module);
  const packed = emitPacked(module, FLOAT32, tile);
  const indirect = emitIndirect(module, FLOAT32, tile);
  const packPatches = emitPackPatches(module, tile.vectors);
  emitPackWeights(module, tile.rows);

  const singleChannel = emitSingleChannel(module);
  const windows = { single3x3: emitSingleChannel3x3(module, false), direct3x3: emitSingleChannel3x3(module, true) };

  for (const kind of ['patches', 'few', 'single', 'single3x3', 'direct3x3'] as const) {
    task(module, kind, CORRELATION_FIELDS, (f, read, begin, end, scratch) => {
      const p = read as unknown as Fields;
      const [image, group, part, planes, panels, sums, strip, bias, units, slices, unit, lastUnit] = locals(f, 'i32', 12);
      const [start, count, wide, block, kc, at, n, weights, first, hasBias, k0, most] = locals(f, 'i32', 12);
      f.set(planes, i32.add(scratch, p.planesAt));
      f.set(panels, i32.add(scratch, p.panelsAt));
      f.set(sums, i32.add(scratch, p.sumsAt));
      f.set(strip, i32.add(scratch, p.stripAt));
      f.set(bias, i32.add(scratch, p.biasAt));
      f.set(hasBias, choose(p.bias, 4, 0));
      f.emit(memory.fill(planes, 0, p.planesBytes));
      f.emit(memory.fill(bias, 0, 256));
      // The flat positions of a slice, and how many chunks they make.
      f.set(wide, i32.add(i32.mul(i32.sub(p.PH, 1), p.pitch), p.PW));
      f.set(slices, i32.divU(i32.add(wide, i32.sub(p.chunk, 1)), p.chunk));
      f.set(units, i32.mul(p.PD, slices));
      f.while(
        () => i32.ne(begin, end),
        () => {
          f.set(part, i32.remU(begin, p.parts));
          f.set(image, i32.divU(begin, p.parts));
          f.set(group, i32.remU(image, p.groups));
          f.set(image, i32.divU(image, p.groups));
          if (kind !== 'direct3x3') spreadImage(f, spread, p, image, group, planes);
          f.if(p.bias, () => {
            f.set(at, i32.add(p.bias, i32.mul(i32.mul(group, p.rows), p.biasStride)));
            f.for(n, 0, p.rows, 1, () => {
              f.emit(f32.store(i32.add(bias, i32.mul(n, 4)), f32.load(at)));
              f.increment(at, p.biasStride);
            });
          });
          f.set(first, i32.add(p.out, i32.add(i32.mul(image, p.outImage), i32.mul(group, p.outGroup))));
          if (kind === 'single3x3' || kind === 'direct3x3') {
            const direct = kind === 'direct3x3';
            if (direct) f.set(at, i32.add(p.from, i32.add(i32.mul(image, p.fromImage), i32.mul(group, p.fromGroup))));
            f.for(n, 0, p.rows, 1, () => {
              f.set(weights, i32.add(i32.add(p.weights, p.firstTap), i32.add(i32.mul(group, p.weightsGroup), i32.mul(n, 4))));
              const from = i32.add(bias, i32.mul(n, hasBias));
              const source = direct ? [at, p.fromH] : [planes, p.rowBytes];
              f.emit(call(windows[kind], ...source, p.PH, p.PW, weights, p.tapStep, from, first, p.outH, planes));
              f.increment(first, p.outPlane);
            });
            f.increment(begin, 1);
            return;
          }
          f.set(unit, i32.divU(i32.mul(part, units), p.parts));
          f.set(lastUnit, i32.divU(i32.mul(i32.add(part, 1), units), p.parts));
          f.while(
            () => i32.ltS(unit, lastUnit),
            () => {
              f.set(start, i32.mul(i32.remU(unit, slices), p.chunk));
              f.set(count, i32.sub(wide, start));
              f.set(count, least(count, p.chunk));
              f.set(at, i32.add(planes, i32.add(i32.mul(i32.divU(unit, slices), p.sliceBytes), i32.mul(start, 4))));
              f.set(weights, i32.add(p.weights, i32.mul(group, p.weightsGroup)));
              f.if(
                p.k,
                () => {
                  if (kind === 'single') {
                    f.for(n, 0, p.rows, 1, () => {
                      // Row n of packed weights: a lane of its panel.
                      f.set(
                        block,
                        i32.add(i32.mul(i32.divU(n, tile.rows), i32.mul(p.k, tile.rows * 4)), i32.mul(i32.remU(n, tile.rows), 4)),
                      );
                      const to = i32.add(sums, i32.mul(n, p.sumsRow));
                      const from = i32.add(bias, i32.mul(n, hasBias));
                      f.emit(call(singleChannel, at, p.offsets, p.k, i32.add(weights, block), tile.rows * 4, from, count, to));
                    });
                  } else if (kind === 'few') {
                    f.set(n, roundedUp(count, columns));
                    f.emit(call(indirect, p.rows, n, p.k, weights, at, p.offsets, sums, p.sumsRow, 4, 0, bias, hasBias, 0, strip));
                  } else {
                    f.set(k0, 0);
                    f.while(
                      () => i32.ltS(k0, p.k),
                      () => {
                        f.set(kc, i32.sub(p.k, k0));
                        f.set(kc, least(kc, p.kBlock));
                        f.set(most, i32.mul(p.panels, columns));
                        f.set(block, 0);
                        f.while(
                          () => i32.ltS(block, count),
                          () => {
                            f.set(n, roundedUp(i32.sub(count, block), columns));
                            f.set(n, least(n, most));
                            f.emit(
                              call(
                                packPatches,
                                i32.add(at, i32.mul(block, 4)),
                                i32.add(p.offsets, i32.mul(k0, 4)),
                                kc,
                                i32.divU(n, columns),
                                panels,
                              ),
                            );
                            const to = i32.add(sums, i32.mul(block, 4));
                            f.emit(call(packed, p.rows, n, kc, weights, panels, to, p.sumsRow, 4, k0, bias, hasBias, 0, strip));
                            f.increment(block, n);
                          },
                        );
                        f.increment(weights, i32.mul(kc, i32.mul(roundedUp(p.rows, tile.rows), 4)));
                        f.increment(k0, kc);
                      },
                    );
                  }
                },
                () => f.emit(memory.fill(sums, 0, i32.mul(p.rows, p.sumsRow))),
              );
              f.set(at, i32.add(first, i32.mul(i32.divU(unit, slices), p.outD)));
              f.emit(call(crop, sums, p.sumsRow, p.rows, start, count, p.pitch, p.PW, at, p.outPlane, p.outH, p.outW));
              f.increment(unit, 1);
            },
          );
          f.increment(begin, 1);
        },
      );
    });
  }
}

/** Copies the planes of one image and group. */
export function spreadImage(
  f: FunctionBuilder,
  spread: Callee,
  p: Readonly<Record<(typeof SOURCE_FIELDS)[number], I32>>,
  image: I32,
  group: I32,
  planes: I32,
): void {
  const from = i32.add(p.from, i32.add(i32.mul(image, p.fromImage), i32.mul(group, p.fromGroup)));
  const source = [from, p.channels, p.fromPlane, p.D, p.H, p.W, p.fromD, p.fromH, p.fromW];
  f.emit(
    call(spread, ...source, planes, p.toPlane, p.padD, p.padH, p.padW, p.stepD, p.stepH, p.stepW, p.rowBytes, p.sliceBytes, p.phaseBytes),
  );
}

/** `(from, offsets, k, panels, to)`: for each panel and k, the vectors at `from` plus the k's offset. */
function emitPackPatches(module: ModuleBuilder, vectors: number): Callee {
  return inner(module, 'packPatches', ['from', 'offsets', 'k', 'panels', 'to'], (f, p) => {
    const [panel, at, end, source] = locals(f, 'i32', 4);
    f.set(end, i32.add(p.offsets, i32.mul(p.k, 4)));
    f.for(panel, 0, p.panels, 1, () => {
      f.set(at, p.offsets);
      f.doWhile(
        () => {
          f.set(source, i32.add(p.from, i32.load(at)));
          for (let q = 0; q < vectors; q++) f.emit(v128.store(p.to, v128.load(source, q * 16), q * 16));
          f.increment(p.to, vectors * 16);
          f.increment(at, 4);
        },
        () => i32.ne(at, end),
      );
      f.increment(p.from, vectors * 16);
    });
  });
}

/** The fields of `packWeights`: weights (rows by k, the k's at `offsets`) of each group, in blocks of `kBlock` k's. */
export const PACK_WEIGHTS_FIELDS = words('from fromRow fromGroup rows offsets k kBlock to toGroup');

/** A task whose parts are groups. */
export function emitPackWeights(module: ModuleBuilder, width: number): void {
  task(module, 'packWeights', PACK_WEIGHTS_FIELDS, (f, read, begin, end) => {
    const p = read as unknown as Readonly<Record<(typeof PACK_WEIGHTS_FIELDS)[number], I32>>;
    const [k0, kc, row, to, at, last, offset, base, place] = locals(f, 'i32', 9);
    const rows = locals(f, 'i32', width);
    f.while(
      () => i32.ne(begin, end),
      () => {
        f.set(base, i32.add(p.from, i32.mul(begin, p.fromGroup)));
        f.set(to, i32.add(p.to, i32.mul(begin, p.toGroup)));
        f.set(last, i32.sub(p.rows, 1));
        f.set(k0, 0);
        f.while(
          () => i32.ltS(k0, p.k),
          () => {
            f.set(kc, i32.sub(p.k, k0));
            f.set(kc, least(kc, p.kBlock));
            f.for(row, 0, p.rows, width, () => {
              rows.forEach((pointer, r) => {
                f.set(place, i32.add(row, r));
                f.set(pointer, i32.add(base, i32.mul(least(place, last), p.fromRow)));
              });
              f.for(at, 0, kc, 1, () => {
                f.set(offset, i32.load(i32.add(p.offsets, i32.mul(i32.add(k0, at), 4))));
                rows.forEach((pointer, r) => f.emit(f32.store(to, f32.load(i32.add(pointer, offset)), r * 4)));
                f.increment(to, width * 4);
              });
            });
            f.increment(k0, kc);
          },
        );
        f.increment(begin, 1);
      },
    );
  });
}
