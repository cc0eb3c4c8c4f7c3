/**
 * @file Winograd convolutions: tasks over blocks of tiles. A block has `units` units (a number of rows of tiles of one image each); its tiles are
 * transformed channel by channel, multiplied element by element of the tile, and transformed back.
 */
import { f32, type FunctionBuilder, i32, memory, type ModuleBuilder } from '../../assembler/index.js';
import { call, choose, least, type I32, locals, task, words } from '../../code/emit.js';
import { copyWords } from '../../code/rows.js';
import { FLOAT32 } from '../../matmul/element.js';
import { emitPack } from '../../matmul/pack.js';
import { columnsOf, emitPacked, emitStreamed, type TileShape } from '../../matmul/tile.js';
import { emitSpread } from '../planes.js';
import { type Filtering, transpose } from './cook-toom.js';
import { emitOutputTransform, emitTileTransform, emitWeightGradTransform, emitWeightTransform } from './transforms.js';

/** The images' planes, and how they are cut: `unitRows` rows of tiles make a unit, `unitsOfImage` an image, `blockUnits` a block. */
const PLANE_FIELDS = words(
  'images channels from fromImage fromGroup fromPlane H W fromH fromW padH padW',
  'tileRows tileColumns unitRows unitsOfImage blockUnits tiles',
  'planeAt planeRow planeBytes rowsAt inputAt productAt stripAt',
);

export const FORWARD_FIELDS = [
  ...PLANE_FIELDS,
  ...words('rows weights weightsGroup rowBlock bias biasStride resultsAt', 'out outImage outGroup outPlane outH outW PH PW'),
] as const;

export const GRADIENT_FIELDS = [
  ...PLANE_FIELDS,
  ...words(
    'rows splits partials partialBytes element partialRow leftAt rightAt',
    'grad gradImage gradGroup gradPlane gradH gradW PH PW gradRow gradBytes',
  ),
] as const;

type PlaneFields = Readonly<Record<(typeof PLANE_FIELDS)[number], I32>>;

export function emitWinograd(module: ModuleBuilder, filtering: Filtering, tile: TileShape): void {
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
    f: FunctionBuilder,
    count: I32,
    source: { from: I32; plane: I32; H: I32; W: I32; strideH: I32; strideW: I32 },
    pads: { top: I32 | number; left: I32 | number; rows: number },
    at: { buffer: I32; row: I32; bytes: I32 },
    firstRow: I32,
    rowsOfUnit: I32,
    body: (channel: I32) => void,
  ): void => {
    const [c, top, first, height] = locals(f, 'i32', 4);
    // Rows of the data from which the unit's first row of values begins; above the data lie zeros.
    f.set(first, i32.sub(i32.mul(firstRow, m), pads.top));
    f.set(top, choose(i32.ltS(first, 0), i32.sub(0, first), 0));
    f.set(first, choose(i32.ltS(first, 0), 0, first));
    f.set(height, i32.sub(i32.add(i32.mul(rowsOfUnit, m), pads.rows), top));
    f.set(c, i32.sub(source.H, first));
    f.set(height, least(height, c));
    f.set(height, choose(i32.ltS(height, 0), 0, height));
    f.increment(source.from, i32.mul(first, source.strideH));
    f.emit(memory.fill(at.buffer, 0, at.bytes));
    f.for(c, 0, count, 1, () => {
      const planes = [source.from, 1, 0, 1, height, source.W, 0, source.strideH, source.strideW];
      f.emit(call(spread, ...planes, at.buffer, 0, 0, top, pads.left, 1, 1, 1, at.row, 0, 0));
      body(c);
      f.increment(source.from, source.plane);
    });
  };

  /** Transforms the input of unit `unit` of a group into tiles `tile0` on. */
  const transformInput = (
    f: FunctionBuilder,
    p: PlaneFields,
    group: I32,
    image: I32,
    firstRow: I32,
    rows: I32,
    scratch: I32,
    tile0: I32,
  ): void => {
    const from = f.local('i32', i32.add(p.from, i32.add(i32.mul(image, p.fromImage), i32.mul(group, p.fromGroup))));
    const buffer = f.local('i32', i32.add(scratch, p.planeAt));
    const to = f.local('i32', i32.add(i32.add(scratch, p.inputAt), i32.mul(tile0, 4)));
    const element = f.local('i32', i32.mul(i32.mul(p.channels, p.tiles), 4));
    eachPlane(
      f,
      p.channels,
      { from, plane: p.fromPlane, H: p.H, W: p.W, strideH: p.fromH, strideW: p.fromW },
      { top: p.padH, left: p.padW, rows: 2 },
      { buffer, row: p.planeRow, bytes: p.planeBytes },
      firstRow,
      rows,
      () => {
        f.emit(call(inputTransform, buffer, p.planeRow, rows, p.tileColumns, to, element, i32.add(scratch, p.rowsAt)));
        f.increment(to, i32.mul(p.tiles, 4));
      },
    );
  };

  /** Walks over the units of a block: `body(image, first row of tiles, rows of tiles, first tile)`. */
  const eachUnit = (
    f: FunctionBuilder,
    p: PlaneFields,
    firstUnit: I32,
    lastUnit: I32,
    body: (image: I32, firstRow: I32, rows: I32, tile0: I32) => void,
  ): void => {
    const [unit, image, firstRow, rows, tile0] = locals(f, 'i32', 5);
    f.set(tile0, 0);
    f.for(unit, firstUnit, lastUnit, 1, () => {
      f.set(image, i32.divU(unit, p.unitsOfImage));
      f.set(firstRow, i32.mul(i32.remU(unit, p.unitsOfImage), p.unitRows));
      f.set(rows, i32.sub(p.tileRows, firstRow));
      f.set(rows, least(rows, p.unitRows));
      body(image, firstRow, rows, tile0);
      f.increment(tile0, i32.mul(rows, p.tileColumns));
    });
  };

  task(module, 'forward', FORWARD_FIELDS, (f, read, begin, end, scratch) => {
    const p = read as unknown as Readonly<Record<(typeof FORWARD_FIELDS)[number], I32>>;
    const [blocks, group, first, last, total, i, row, count, used, u, v, w, zeros, at, to, o] = locals(f, 'i32', 16);
    const [bias, r, y, height, results, width, lineAt, lineLast] = locals(f, 'i32', 8);
    const panels = f.local('i32', i32.shrU(i32.add(p.rows, 3), 2));
    const inputElement = f.local('i32', i32.mul(i32.mul(p.channels, p.tiles), 4));
    const productElement = f.local('i32', i32.mul(i32.mul(p.rows, p.tiles), 4));
    const rowBytes = f.local('i32', i32.mul(p.tiles, 4));
    const product = f.local('i32', i32.add(scratch, p.productAt));
    f.set(zeros, scratch);
    f.emit(memory.fill(zeros, 0, 256));
    f.set(results, i32.add(scratch, p.resultsAt));
    f.set(width, i32.mul(i32.shrU(i32.add(p.tileColumns, 3), 2), m * 16));
    f.set(total, i32.mul(p.images, p.unitsOfImage));
    f.set(blocks, i32.divU(i32.add(total, i32.sub(p.blockUnits, 1)), p.blockUnits));
    f.while(
      () => i32.ne(begin, end),
      () => {
        f.set(group, i32.divU(begin, blocks));
        f.set(first, i32.mul(i32.remU(begin, blocks), p.blockUnits));
        f.set(last, i32.add(first, p.blockUnits));
        f.set(last, least(last, total));
        f.set(used, 0);
        eachUnit(f, p, first, last, (image, firstRow, rows, tile0) => {
          transformInput(f, p, group, image, firstRow, rows, scratch, tile0);
          f.set(used, i32.add(tile0, i32.mul(rows, p.tileColumns)));
        });
        f.set(used, i32.mul(i32.divU(i32.add(used, columns - 1), columns), columns));
        // One matrix product for each element of the tile, in blocks of rows whose weights stay in the second-level cache.
        f.set(row, 0);
        f.while(
          () => i32.ltS(row, p.rows),
          () => {
            f.set(count, i32.sub(p.rows, row));
            f.set(count, least(count, p.rowBlock));
            f.set(u, i32.add(i32.add(p.weights, i32.mul(group, p.weightsGroup)), i32.mul(row, i32.mul(p.channels, 4))));
            f.set(v, i32.add(scratch, p.inputAt));
            f.set(w, i32.add(product, i32.mul(row, rowBytes)));
            f.for(i, 0, n * n, 1, () => {
              const sink = [w, rowBytes, 4, 0, zeros, 0, 0, i32.add(scratch, p.stripAt)];
              f.emit(call(streamed, count, used, p.channels, u, v, rowBytes, columns * 4, ...sink));
              f.increment(u, i32.mul(panels, i32.mul(p.channels, 16)));
              f.increment(v, inputElement);
              f.increment(w, productElement);
            });
            f.increment(row, count);
          },
        );
        eachUnit(f, p, first, last, (image, firstRow, rows, tile0) => {
          f.set(bias, choose(p.bias, i32.add(p.bias, i32.mul(i32.mul(group, p.rows), p.biasStride)), zeros));
          f.for(o, 0, p.rows, 1, () => {
            f.set(at, i32.add(product, i32.add(i32.mul(o, rowBytes), i32.mul(tile0, 4))));
            f.set(to, i32.add(p.out, i32.add(i32.mul(image, p.outImage), i32.add(i32.mul(group, p.outGroup), i32.mul(o, p.outPlane)))));
            f.for(r, 0, rows, 1, () => {
              f.emit(call(outputTransform, at, productElement, p.tileColumns, bias, results, width, i32.add(scratch, p.rowsAt)));
              f.increment(at, i32.mul(p.tileColumns, 4));
              f.set(y, i32.mul(i32.add(firstRow, r), m));
              f.set(height, i32.sub(p.PH, y));
              f.set(height, least(height, m));
              copyRows(f, p, results, width, i32.add(to, i32.mul(y, p.outH)), height, lineAt, lineLast);
            });
            f.increment(bias, p.biasStride);
          });
        });
        f.increment(begin, 1);
      },
    );
  });

  task(module, 'gradient', GRADIENT_FIELDS, (f, read, begin, end, scratch) => {
    const p = read as unknown as Readonly<Record<(typeof GRADIENT_FIELDS)[number], I32>>;
    const [group, split, first, last, next, total, i, used, u, v, to, zeros, again, from, buffer, target] = locals(f, 'i32', 16);
    const inputElement = f.local('i32', i32.mul(i32.mul(p.channels, p.tiles), 4));
    const productElement = f.local('i32', i32.mul(i32.mul(p.rows, p.tiles), 4));
    const rowBytes = f.local('i32', i32.mul(p.tiles, 4));
    const left = f.local('i32', i32.add(scratch, p.leftAt));
    const right = f.local('i32', i32.add(scratch, p.rightAt));
    const strip = f.local('i32', i32.add(scratch, p.stripAt));
    f.set(zeros, scratch);
    f.emit(memory.fill(zeros, 0, 256));
    f.set(total, i32.mul(p.images, p.unitsOfImage));
    f.while(
      () => i32.ne(begin, end),
      () => {
        f.set(group, i32.divU(begin, p.splits));
        f.set(split, i32.remU(begin, p.splits));
        f.set(first, i32.mul(i32.divU(i32.mul(split, p.images), p.splits), p.unitsOfImage));
        f.set(last, i32.mul(i32.divU(i32.mul(i32.add(split, 1), p.images), p.splits), p.unitsOfImage));
        f.set(again, 0);
        f.while(
          () => i32.ltS(first, last),
          () => {
            f.set(next, i32.add(first, p.blockUnits));
            f.set(next, least(next, last));
            eachUnit(f, p, first, next, (image, firstRow, rows, tile0) => {
              transformInput(f, p, group, image, firstRow, rows, scratch, tile0);
              f.set(used, i32.add(tile0, i32.mul(rows, p.tileColumns)));
              f.set(from, i32.add(p.grad, i32.add(i32.mul(image, p.gradImage), i32.mul(group, p.gradGroup))));
              f.set(buffer, i32.add(scratch, p.planeAt));
              f.set(target, i32.add(i32.add(scratch, p.productAt), i32.mul(tile0, 4)));
              eachPlane(
                f,
                p.rows,
                { from, plane: p.gradPlane, H: p.PH, W: p.PW, strideH: p.gradH, strideW: p.gradW },
                { top: 0, left: 0, rows: 0 },
                { buffer, row: p.gradRow, bytes: p.gradBytes },
                firstRow,
                rows,
                () => {
                  f.emit(call(gradTransform, buffer, p.gradRow, rows, p.tileColumns, target, productElement, i32.add(scratch, p.rowsAt)));
                  f.increment(target, rowBytes);
                },
              );
            });
            f.set(u, i32.add(scratch, p.productAt));
            f.set(v, i32.add(scratch, p.inputAt));
            f.set(to, i32.add(p.partials, i32.mul(begin, p.partialBytes)));
            f.for(i, 0, n * n, 1, () => {
              f.emit(call(packLeft, u, rowBytes, 4, p.rows, used, left));
              f.emit(call(packRight, v, rowBytes, 4, p.channels, used, right));
              f.emit(call(packed, p.rows, p.channels, used, left, right, to, p.partialRow, 4, again, zeros, 0, 0, strip));
              f.increment(u, productElement);
              f.increment(v, inputElement);
              f.increment(to, p.element);
            });
            f.set(again, 1);
            f.set(first, next);
          },
        );
        f.increment(begin, 1);
      },
    );
  });

  /** Copies `height` rows of results to where they belong. */
  function copyRows(
    f: FunctionBuilder,
    p: Readonly<Record<(typeof FORWARD_FIELDS)[number], I32>>,
    results: I32,
    width: I32,
    to: Parameters<FunctionBuilder['set']>[1],
    height: I32,
    at: I32,
    last: I32,
  ): void {
    const [line, target, source, bytes, x] = locals(f, 'i32', 5);
    f.set(target, to);
    f.set(source, results);
    f.set(bytes, i32.mul(p.PW, 4));
    f.for(line, 0, height, 1, () => {
      f.if(
        i32.eq(p.outW, 4),
        () => copyWords(f, target, source, bytes, at, last),
        () => {
          f.set(at, target);
          f.for(x, 0, bytes, 4, () => {
            f.emit(f32.store(at, f32.load(i32.add(source, x))));
            f.increment(at, p.outW);
          });
        },
      );
      f.increment(target, p.outH);
      f.increment(source, width);
    });
  }
}
