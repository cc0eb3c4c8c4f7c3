/**
 * @file The module of matrix products for one element type and tile: tasks that do some parts of c = a · b + bias, batch by batch. How work is cut
 * into parts changes no bit of the result.
 */
import { type FunctionBuilder, i32, memory, type ModuleBuilder } from '../assembler/index.js';
import { call, choose, least, type I32, locals, task, type Value, words } from '../code/emit.js';
import { emitDot } from './dot.js';
import type { Element } from './element.js';
import { emitGemv } from './gemv.js';
import { emitPack } from './pack.js';
import { columnsOf, emitDirect, emitPacked, type TileShape } from './tile.js';

/**
 * What all tasks of a product read: sizes; the address and strides (in bytes) of each operand; the bias (0: none) with its strides by row and
 * column, one of them 0; parts of `mPart` rows by `nPart` columns, `mParts` x `nParts` of them in each batch; how many k's are packed at
 * once; where, in the scratch, the packed panels begin.
 */
export const GEMM_FIELDS = words(
  'm n k',
  'a aRow aColumn aBatch',
  'b bRow bColumn bBatch',
  'c cRow cColumn cBatch',
  'bias biasRow biasColumn',
  'mPart nPart mParts nParts',
  'kBlock stripAt leftAt rightAt',
);

/** The most k's in a packed block: a panel of the right operand then fits the first-level cache. */
const MOST_K = 448;
/** k's in a packed block: as few blocks as can be, of about the same size, which is a number of whole rounds of the tile's loop. */
export const kBlock = (k: number): number => Math.ceil(k / Math.ceil(k / MOST_K) / 8) * 8;
/** Rows of the left operand that are packed at once: they stay in the second-level cache. */
export const ROW_BLOCK = 192;
/** Columns of the right operand that are packed at once. */
export const COLUMN_BLOCK = 2016;

/** One part of a batch's product: its sizes and addresses. */
interface Part {
  readonly m: I32;
  readonly n: I32;
  readonly a: I32;
  readonly b: I32;
  readonly c: I32;
  /** Bias of its first row and column, or of a strip of zeros; strides 0 if so. */
  readonly bias: I32;
  readonly biasRow: I32;
  readonly biasColumn: I32;
}

type Fields = Readonly<Record<(typeof GEMM_FIELDS)[number], I32>>;

/** Walks over parts begin … end − 1. */
function eachPart(f: FunctionBuilder, p: Fields, begin: I32, end: I32, scratch: I32, body: (part: Part) => void): void {
  const [m, n, a, b, c, bias, biasRow, biasColumn, batch, row, column, rest] = locals(f, 'i32', 12);
  f.set(biasRow, p.biasRow);
  f.set(biasColumn, p.biasColumn);
  // Without a bias, sums start from a strip of zeros at the start of the scratch.
  f.if(i32.eqz(p.bias), () => f.emit(memory.fill(scratch, 0, 256)));
  f.while(
    () => i32.ne(begin, end),
    () => {
      f.set(rest, i32.mul(p.mParts, p.nParts));
      f.set(batch, i32.divU(begin, rest));
      f.set(rest, i32.remU(begin, rest));
      f.set(row, i32.mul(i32.divU(rest, p.nParts), p.mPart));
      f.set(column, i32.mul(i32.remU(rest, p.nParts), p.nPart));
      f.set(m, i32.sub(p.m, row));
      f.set(m, least(m, p.mPart));
      f.set(n, i32.sub(p.n, column));
      f.set(n, least(n, p.nPart));
      f.set(a, i32.add(p.a, i32.add(i32.mul(batch, p.aBatch), i32.mul(row, p.aRow))));
      f.set(b, i32.add(p.b, i32.add(i32.mul(batch, p.bBatch), i32.mul(column, p.bColumn))));
      f.set(c, i32.add(p.c, i32.add(i32.mul(batch, p.cBatch), i32.add(i32.mul(row, p.cRow), i32.mul(column, p.cColumn)))));
      f.if(
        p.bias,
        () => f.set(bias, i32.add(p.bias, i32.add(i32.mul(row, biasRow), i32.mul(column, biasColumn)))),
        () => f.set(bias, scratch),
      );
      body({ m, n, a, b, c, bias, biasRow, biasColumn });
      f.increment(begin, 1);
    },
  );
}

/** Copies a bias into the scratch, where reading whole tiles of it is safe; then its strides are those of elements. */
function copyBias(f: FunctionBuilder, e: Element, p: Fields, part: Part, scratch: I32): void {
  const [at, to, left, stride] = locals(f, 'i32', 4);
  f.if(p.bias, () => {
    f.set(at, part.bias);
    f.set(to, scratch);
    f.set(left, choose(p.biasRow, part.m, part.n));
    f.set(stride, choose(p.biasRow, p.biasRow, p.biasColumn));
    f.while(
      () => left,
      () => {
        f.emit(e.scalar.store(to, e.scalar.load(at)));
        f.increment(at, stride);
        f.increment(to, e.size);
        f.increment(left, -1);
      },
    );
    f.set(part.bias, scratch);
  });
}

export function emitGemm(module: ModuleBuilder, e: Element, tile: TileShape): void {
  const columns = columnsOf(tile, e);
  const packLeft = emitPack(module, e, tile.rows);
  const packRight = columns === tile.rows ? packLeft : emitPack(module, e, columns);
  const packed = emitPacked(module, e, tile);
  const direct = emitDirect(module, e, tile);
  const gemv = emitGemv(module, e, tile.fma);
  const dotTile = emitDot(module, e, tile.fma, 4, 2, 1);
  const dotVector = emitDot(module, e, tile.fma, 1, 2, 4);
  const fields = GEMM_FIELDS as readonly string[];

  task(module, 'packed', fields, (f, read, begin, end, scratch) => {
    const p = read as unknown as Fields;
    const [strip, left, right, i, j, k, mc, nc, kc] = locals(f, 'i32', 9);
    const [a, b, c, bias, elementRow, elementColumn, cRow] = locals(f, 'i32', 7);
    f.set(strip, i32.add(scratch, p.stripAt));
    f.set(left, i32.add(scratch, p.leftAt));
    f.set(right, i32.add(scratch, p.rightAt));
    const block = (local: I32, from: I32, total: Value, size: I32 | number): void => {
      f.set(local, i32.sub(total, from));
      f.set(local, least(local, size));
    };
    eachPart(f, p, begin, end, scratch, (part) => {
      copyBias(f, e, p, part, scratch);
      f.set(elementRow, choose(part.biasRow, e.size, 0));
      f.set(elementColumn, choose(part.biasColumn, e.size, 0));
      f.for(j, 0, part.n, COLUMN_BLOCK, () => {
        block(nc, j, part.n, COLUMN_BLOCK);
        f.for(k, 0, p.k, p.kBlock, () => {
          block(kc, k, p.k, p.kBlock);
          f.set(b, i32.add(part.b, i32.add(i32.mul(j, p.bColumn), i32.mul(k, p.bRow))));
          f.emit(call(packRight, b, p.bColumn, p.bRow, nc, kc, right));
          f.for(i, 0, part.m, ROW_BLOCK, () => {
            block(mc, i, part.m, ROW_BLOCK);
            f.set(a, i32.add(part.a, i32.add(i32.mul(i, p.aRow), i32.mul(k, p.aColumn))));
            f.emit(call(packLeft, a, p.aRow, p.aColumn, mc, kc, left));
            f.set(c, i32.add(part.c, i32.add(i32.mul(i, p.cRow), i32.mul(j, p.cColumn))));
            f.set(bias, i32.add(part.bias, i32.add(i32.mul(i, elementRow), i32.mul(j, elementColumn))));
            f.set(cRow, i32.ne(k, 0));
            f.emit(call(packed, mc, nc, kc, left, right, c, p.cRow, p.cColumn, cRow, bias, elementRow, elementColumn, strip));
          });
        });
      });
    });
  });

  task(module, 'direct', fields, (f, read, begin, end, scratch) => {
    const p = read as unknown as Fields;
    const [strip, right, whole, packedFrom, rest, elementRow, elementColumn, c, bias] = locals(f, 'i32', 9);
    f.set(strip, i32.add(scratch, p.stripAt));
    f.set(right, i32.add(scratch, p.rightAt));
    f.set(packedFrom, 0);
    eachPart(f, p, begin, end, scratch, (part) => {
      copyBias(f, e, p, part, scratch);
      f.set(elementRow, choose(part.biasRow, e.size, 0));
      f.set(elementColumn, choose(part.biasColumn, e.size, 0));
      // Whole panels can be read where they lie if their columns lie side by side; the rest is packed.
      f.set(whole, 0);
      f.if(i32.and(i32.eq(p.bColumn, e.size), i32.ne(p.bRow, 0)), () => {
        f.set(whole, i32.sub(part.n, i32.remU(part.n, columns)));
        const sink = [part.c, p.cRow, p.cColumn, 0, part.bias, elementRow, elementColumn, strip];
        f.emit(call(direct, part.m, whole, p.k, part.a, p.aRow, p.aColumn, part.b, p.bRow, columns * e.size, ...sink));
      });
      f.set(rest, i32.sub(part.n, whole));
      f.if(rest, () => {
        f.if(i32.ne(part.b, packedFrom), () => {
          f.emit(call(packRight, i32.add(part.b, i32.mul(whole, p.bColumn)), p.bColumn, p.bRow, rest, p.k, right));
          f.set(packedFrom, part.b);
        });
        f.set(c, i32.add(part.c, i32.mul(whole, p.cColumn)));
        f.set(bias, i32.add(part.bias, i32.mul(whole, elementColumn)));
        const sink = [c, p.cRow, p.cColumn, 0, bias, elementRow, elementColumn, strip];
        f.emit(
          call(direct, part.m, rest, p.k, part.a, p.aRow, p.aColumn, right, columns * e.size, i32.mul(p.k, columns * e.size), ...sink),
        );
      });
    });
  });

  task(module, 'dot', fields, (f, read, begin, end, scratch) => {
    const p = read as unknown as Fields;
    eachPart(f, p, begin, end, scratch, (part) => {
      const args = (swap: boolean): readonly Value[] =>
        swap
          ? [part.n, part.m, p.k, part.b, p.bColumn, part.a, p.aRow, part.c, p.cColumn, p.cRow, part.bias, part.biasColumn, part.biasRow]
          : [part.m, part.n, p.k, part.a, p.aRow, part.b, p.bColumn, part.c, p.cRow, p.cColumn, part.bias, part.biasRow, part.biasColumn];
      f.if(
        i32.eq(part.m, 1),
        () => f.emit(call(dotVector, ...args(false))),
        () =>
          f.if(
            i32.eq(part.n, 1),
            () => f.emit(call(dotVector, ...args(true))),
            () => f.emit(call(dotTile, ...args(false))),
          ),
      );
    });
  });

  // A row times a matrix with m = 1; a matrix times a column is the same with the operands exchanged.
  task(module, 'vector', fields, (f, read, begin, end, scratch) => {
    const p = read as unknown as Fields;
    const strip = f.local('i32', i32.add(scratch, p.stripAt));
    eachPart(f, p, begin, end, scratch, (part) =>
      f.emit(call(gemv, part.n, p.k, part.a, p.aColumn, part.b, p.bRow, part.c, p.cColumn, part.bias, part.biasColumn, strip)),
    );
  });
}
