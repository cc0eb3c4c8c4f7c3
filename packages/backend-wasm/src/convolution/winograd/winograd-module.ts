/**
 * @file Winograd convolutions: tasks over blocks of tiles. A block has `units` units (a number of rows of tiles of one image each); its tiles are
 * transformed channel by channel, multiplied element by element of the tile, and transformed back.
 */
import type { FunctionCode, Local } from '../../code/function-code.js';
import { type Callee, ModuleCode } from '../../code/module-code.js';
import { copyWords } from '../../code/rows.js';
import { FLOAT32 } from '../../matmul/element.js';
import { emitPack } from '../../matmul/pack.js';
import { columnsOf, emitPacked, emitStreamed, type TileShape } from '../../matmul/tile.js';
import { emitSpread } from '../planes.js';
import { type Filtering, transpose } from './cook-toom.js';
import { emitOutputTransform, emitTileTransform, emitWeightGradTransform, emitWeightTransform } from './transforms.js';

/** The images' planes, and how they are cut: `unitRows` rows of tiles make a unit, `unitsOfImage` an image, `blockUnits` a block. */
const PLANE_FIELDS = [
  ...['images', 'channels', 'from', 'fromImage', 'fromGroup', 'fromPlane', 'H', 'W', 'fromH', 'fromW', 'padH', 'padW'],
  ...['tileRows', 'tileColumns', 'unitRows', 'unitsOfImage', 'blockUnits', 'tiles'],
  ...['planeAt', 'planeRow', 'planeBytes', 'rowsAt', 'inputAt', 'productAt', 'stripAt'],
] as const;

export const FORWARD_FIELDS = [
  ...PLANE_FIELDS,
  ...['rows', 'weights', 'weightsGroup', 'rowBlock', 'bias', 'biasStride', 'resultsAt'],
  ...['out', 'outImage', 'outGroup', 'outPlane', 'outH', 'outW', 'PH', 'PW'],
] as const;

export const GRADIENT_FIELDS = [
  ...PLANE_FIELDS,
  ...['rows', 'splits', 'partials', 'partialBytes', 'element', 'partialRow', 'leftAt', 'rightAt'],
  ...['grad', 'gradImage', 'gradGroup', 'gradPlane', 'gradH', 'gradW', 'PH', 'PW', 'gradRow', 'gradBytes'],
] as const;

type PlaneFields = Readonly<Record<(typeof PLANE_FIELDS)[number], Local>>;

export function winogradModule(filtering: Filtering, tile: TileShape): ModuleCode {
  const module = new ModuleCode();
  const { m, n, AT, BT } = filtering;
  const columns = columnsOf(tile, FLOAT32);
  const spread = emitSpread(module);
  const inputTransform = emitTileTransform(module, 'inputTransform', BT, m, true);
  const gradTransform = emitTileTransform(module, 'gradTransform', transpose(AT), m, false);
  const outputTransform = emitOutputTransform(module, filtering);
  const streamed = emitStreamed(module, FLOAT32, tile);
  const packLeft = emitPack(module, FLOAT32, tile.rows);
  const packRight = emitPack(module, FLOAT32, columns);
  const packed = emitPacked(module, FLOAT32, tile);
  emitWeightTransform(module, filtering);
  emitWeightGradTransform(module, filtering);

  /** Spreads rows of one plane that a unit's tiles read, from `firstRow` tile rows on, and calls `transform`. */
  const eachPlane = (
    f: FunctionCode,
    count: Local,
    source: { from: Local; plane: Local; H: Local; W: Local; strideH: Local; strideW: Local },
    pads: { top: Local | number; left: Local | number; rows: number },
    at: { buffer: Local; row: Local; bytes: Local },
    firstRow: Local,
    rowsOfUnit: Local,
    body: (channel: Local) => void,
  ): void => {
    const [c, top, first, height] = f.locals('i32', 4);
    // Rows of the data from which the unit's first row of values begins; above the data lie zeros.
    f.set(first, f.sub(f.mul(firstRow, m), pads.top));
    f.set(top, f.select(f.lt(first, 0), f.sub(0, first), 0));
    f.set(first, f.select(f.lt(first, 0), 0, first));
    f.set(height, f.sub(f.add(f.mul(rowsOfUnit, m), pads.rows), top));
    f.set(c, f.sub(source.H, first));
    f.set(height, f.min(height, c));
    f.set(height, f.select(f.lt(height, 0), 0, height));
    f.advance(source.from, f.mul(first, source.strideH));
    f.clear(at.buffer, at.bytes);
    f.for(c, 0, count, 1, () => {
      const planes = [source.from, 1, 0, 1, height, source.W, 0, source.strideH, source.strideW];
      f.call(spread, ...planes, at.buffer, 0, 0, top, pads.left, 1, 1, 1, at.row, 0, 0);
      body(c);
      f.advance(source.from, source.plane);
    });
  };

  /** Transforms the input of unit `unit` of a group into tiles `tile0` on. */
  const transformInput = (f: FunctionCode, p: PlaneFields, group: Local, image: Local, firstRow: Local, rows: Local, scratch: Local, tile0: Local): void => {
    const from = f.i32(f.add(p.from, f.add(f.mul(image, p.fromImage), f.mul(group, p.fromGroup))));
    const buffer = f.i32(f.add(scratch, p.planeAt));
    const to = f.i32(f.add(f.add(scratch, p.inputAt), f.mul(tile0, 4)));
    const element = f.i32(f.mul(f.mul(p.channels, p.tiles), 4));
    eachPlane(
      f,
      p.channels,
      { from, plane: p.fromPlane, H: p.H, W: p.W, strideH: p.fromH, strideW: p.fromW },
      { top: p.padH, left: p.padW, rows: 2 },
      { buffer, row: p.planeRow, bytes: p.planeBytes },
      firstRow,
      rows,
      () => {
        f.call(inputTransform, buffer, p.planeRow, rows, p.tileColumns, to, element, f.add(scratch, p.rowsAt));
        f.advance(to, f.mul(p.tiles, 4));
      },
    );
  };

  /** Walks over the units of a block: `body(image, first row of tiles, rows of tiles, first tile)`. */
  const eachUnit = (
    f: FunctionCode,
    p: PlaneFields,
    firstUnit: Local,
    lastUnit: Local,
    body: (image: Local, firstRow: Local, rows: Local, tile0: Local) => void,
  ): void => {
    const [unit, image, firstRow, rows, tile0] = f.locals('i32', 5);
    f.set(tile0, 0);
    f.for(unit, firstUnit, lastUnit, 1, () => {
      f.set(image, f.div(unit, p.unitsOfImage));
      f.set(firstRow, f.mul(f.rem(unit, p.unitsOfImage), p.unitRows));
      f.set(rows, f.sub(p.tileRows, firstRow));
      f.set(rows, f.min(rows, p.unitRows));
      body(image, firstRow, rows, tile0);
      f.advance(tile0, f.mul(rows, p.tileColumns));
    });
  };

  module.task('forward', FORWARD_FIELDS, (f, read, begin, end, scratch) => {
    const p = read as unknown as Readonly<Record<(typeof FORWARD_FIELDS)[number], Local>>;
    const [blocks, group, first, last, total, i, row, count, used, u, v, w, zeros, at, to, o] = f.locals('i32', 16);
    const [bias, r, y, height, results, width, lineAt, lineLast] = f.locals('i32', 8);
    const panels = f.i32(f.shrU(f.add(p.rows, 3), 2));
    const inputElement = f.i32(f.mul(f.mul(p.channels, p.tiles), 4));
    const productElement = f.i32(f.mul(f.mul(p.rows, p.tiles), 4));
    const rowBytes = f.i32(f.mul(p.tiles, 4));
    const product = f.i32(f.add(scratch, p.productAt));
    f.set(zeros, scratch);
    f.clear(zeros, 256);
    f.set(results, f.add(scratch, p.resultsAt));
    f.set(width, f.mul(f.shrU(f.add(p.tileColumns, 3), 2), m * 16));
    f.set(total, f.mul(p.images, p.unitsOfImage));
    f.set(blocks, f.div(f.add(total, f.sub(p.blockUnits, 1)), p.blockUnits));
    f.while(
      () => f.ne(begin, end),
      () => {
        f.set(group, f.div(begin, blocks));
        f.set(first, f.mul(f.rem(begin, blocks), p.blockUnits));
        f.set(last, f.add(first, p.blockUnits));
        f.set(last, f.min(last, total));
        f.set(used, 0);
        eachUnit(f, p, first, last, (image, firstRow, rows, tile0) => {
          transformInput(f, p, group, image, firstRow, rows, scratch, tile0);
          f.set(used, f.add(tile0, f.mul(rows, p.tileColumns)));
        });
        f.set(used, f.mul(f.div(f.add(used, columns - 1), columns), columns));
        // One matrix product for each element of the tile, in blocks of rows whose weights stay in the second-level cache.
        f.for(row, 0, p.rows, 0, () => {
          f.set(count, f.sub(p.rows, row));
          f.set(count, f.min(count, p.rowBlock));
          f.set(u, f.add(f.add(p.weights, f.mul(group, p.weightsGroup)), f.mul(row, f.mul(p.channels, 4))));
          f.set(v, f.add(scratch, p.inputAt));
          f.set(w, f.add(product, f.mul(row, rowBytes)));
          f.for(i, 0, n * n, 1, () => {
            const sink = [w, rowBytes, 4, 0, zeros, 0, 0, f.add(scratch, p.stripAt)];
            f.call(streamed, count, used, p.channels, u, v, rowBytes, columns * 4, ...sink);
            f.advance(u, f.mul(panels, f.mul(p.channels, 16)));
            f.advance(v, inputElement);
            f.advance(w, productElement);
          });
          f.advance(row, count);
        });
        eachUnit(f, p, first, last, (image, firstRow, rows, tile0) => {
          f.set(bias, f.select(p.bias, f.add(p.bias, f.mul(f.mul(group, p.rows), p.biasStride)), zeros));
          f.for(o, 0, p.rows, 1, () => {
            f.set(at, f.add(product, f.add(f.mul(o, rowBytes), f.mul(tile0, 4))));
            f.set(to, f.add(p.out, f.add(f.mul(image, p.outImage), f.add(f.mul(group, p.outGroup), f.mul(o, p.outPlane)))));
            f.for(r, 0, rows, 1, () => {
              f.call(outputTransform, at, productElement, p.tileColumns, bias, results, width, f.add(scratch, p.rowsAt));
              f.advance(at, f.mul(p.tileColumns, 4));
              f.set(y, f.mul(f.add(firstRow, r), m));
              f.set(height, f.sub(p.PH, y));
              f.set(height, f.min(height, m));
              copyRows(f, p, results, width, f.add(to, f.mul(y, p.outH)), height, lineAt, lineLast);
            });
            f.advance(bias, p.biasStride);
          });
        });
        f.advance(begin, 1);
      },
    );
  });

  module.task('gradient', GRADIENT_FIELDS, (f, read, begin, end, scratch) => {
    const p = read as unknown as Readonly<Record<(typeof GRADIENT_FIELDS)[number], Local>>;
    const [group, split, first, last, next, total, i, used, u, v, to, zeros, again, from, buffer, target] = f.locals('i32', 16);
    const inputElement = f.i32(f.mul(f.mul(p.channels, p.tiles), 4));
    const productElement = f.i32(f.mul(f.mul(p.rows, p.tiles), 4));
    const rowBytes = f.i32(f.mul(p.tiles, 4));
    const left = f.i32(f.add(scratch, p.leftAt));
    const right = f.i32(f.add(scratch, p.rightAt));
    const strip = f.i32(f.add(scratch, p.stripAt));
    f.set(zeros, scratch);
    f.clear(zeros, 256);
    f.set(total, f.mul(p.images, p.unitsOfImage));
    f.while(
      () => f.ne(begin, end),
      () => {
        f.set(group, f.div(begin, p.splits));
        f.set(split, f.rem(begin, p.splits));
        f.set(first, f.mul(f.div(f.mul(split, p.images), p.splits), p.unitsOfImage));
        f.set(last, f.mul(f.div(f.mul(f.add(split, 1), p.images), p.splits), p.unitsOfImage));
        f.set(again, 0);
        f.while(
          () => f.lt(first, last),
          () => {
            f.set(next, f.add(first, p.blockUnits));
            f.set(next, f.min(next, last));
            eachUnit(f, p, first, next, (image, firstRow, rows, tile0) => {
              transformInput(f, p, group, image, firstRow, rows, scratch, tile0);
              f.set(used, f.add(tile0, f.mul(rows, p.tileColumns)));
              f.set(from, f.add(p.grad, f.add(f.mul(image, p.gradImage), f.mul(group, p.gradGroup))));
              f.set(buffer, f.add(scratch, p.planeAt));
              f.set(target, f.add(f.add(scratch, p.productAt), f.mul(tile0, 4)));
              eachPlane(
                f,
                p.rows,
                { from, plane: p.gradPlane, H: p.PH, W: p.PW, strideH: p.gradH, strideW: p.gradW },
                { top: 0, left: 0, rows: 0 },
                { buffer, row: p.gradRow, bytes: p.gradBytes },
                firstRow,
                rows,
                () => {
                  f.call(gradTransform, buffer, p.gradRow, rows, p.tileColumns, target, productElement, f.add(scratch, p.rowsAt));
                  f.advance(target, rowBytes);
                },
              );
            });
            f.set(u, f.add(scratch, p.productAt));
            f.set(v, f.add(scratch, p.inputAt));
            f.set(to, f.add(p.partials, f.mul(begin, p.partialBytes)));
            f.for(i, 0, n * n, 1, () => {
              f.call(packLeft, u, rowBytes, 4, p.rows, used, left);
              f.call(packRight, v, rowBytes, 4, p.channels, used, right);
              f.call(packed, p.rows, p.channels, used, left, right, to, p.partialRow, 4, again, zeros, 0, 0, strip);
              f.advance(u, productElement);
              f.advance(v, inputElement);
              f.advance(to, p.element);
            });
            f.set(again, 1);
            f.set(first, next);
          },
        );
        f.advance(begin, 1);
      },
    );
  });
  return module;

  /** Copies `height` rows of results to where they belong. */
  function copyRows(
    f: FunctionCode,
    p: Readonly<Record<(typeof FORWARD_FIELDS)[number], Local>>,
    results: Local,
    width: Local,
    to: Parameters<FunctionCode['set']>[1],
    height: Local,
    at: Local,
    last: Local,
  ): void {
    const [line, target, source, bytes, x] = f.locals('i32', 5);
    f.set(target, to);
    f.set(source, results);
    f.set(bytes, f.mul(p.PW, 4));
    f.for(line, 0, height, 1, () => {
      f.if(
        f.eq(p.outW, 4),
        () => copyWords(f, target, source, bytes, at, last),
        () => {
          f.set(at, target);
          f.for(x, 0, bytes, 4, () => {
            f.storeF32(at, 0, f.loadF32(f.add(source, x)));
            f.advance(at, p.outW);
          });
        },
      );
      f.advance(target, p.outH);
      f.advance(source, width);
    });
  }
}

export type { Callee };
