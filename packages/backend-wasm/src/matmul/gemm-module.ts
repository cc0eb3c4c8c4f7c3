/**
 * @file The module of matrix products for one element type and tile: tasks that do some parts of c = a · b + bias, batch by batch. How work is cut
 * into parts changes no bit of the result.
 */
import type { FunctionCode, Local, Value } from '../code/function-code.js';
import { ModuleCode } from '../code/module-code.js';
import { emitDot } from './dot.js';
import type { Element } from './element.js';
import { emitGemv } from './gemv.js';
import { emitPack } from './pack.js';
import { columnsOf, emitDirect, emitPacked, type TileShape } from './tile.js';

/**
 * What all tasks of a product read: sizes; the address and strides (in bytes) of each operand; the bias (0: none) with its strides by row and
 * column, one of them 0; parts of `mPart` rows by `nPart` columns, `mParts` x `nParts` of them in each batch; where, in the scratch, the packed
 * panels begin.
 */
export const GEMM_FIELDS = [
  ...['m', 'n', 'k'],
  ...['a', 'aRow', 'aColumn', 'aBatch'],
  ...['b', 'bRow', 'bColumn', 'bBatch'],
  ...['c', 'cRow', 'cColumn', 'cBatch'],
  ...['bias', 'biasRow', 'biasColumn'],
  ...['mPart', 'nPart', 'mParts', 'nParts'],
  ...['stripAt', 'leftAt', 'rightAt'],
] as const;

/** k's in a packed block: a panel of the right operand then fits the first-level cache. */
export const K_BLOCK = 256;
/** Rows of the left operand that are packed at once: they stay in the second-level cache. */
export const ROW_BLOCK = 126;
/** Columns of the right operand that are packed at once. */
export const COLUMN_BLOCK = 2016;

/** One part of a batch's product: its sizes and addresses. */
interface Part {
  readonly m: Local;
  readonly n: Local;
  readonly a: Local;
  readonly b: Local;
  readonly c: Local;
  /** Bias of its first row and column, or of a strip of zeros; strides 0 if so. */
  readonly bias: Local;
  readonly biasRow: Local;
  readonly biasColumn: Local;
}

type Fields = Readonly<Record<(typeof GEMM_FIELDS)[number], Local>>;

/** Walks over parts begin … end − 1. */
function eachPart(f: FunctionCode, p: Fields, begin: Local, end: Local, scratch: Local, body: (part: Part) => void): void {
  const [m, n, a, b, c, bias, biasRow, biasColumn, batch, row, column, rest] = f.locals('i32', 12);
  f.set(biasRow, p.biasRow);
  f.set(biasColumn, p.biasColumn);
  // Without a bias, sums start from a strip of zeros at the start of the scratch.
  f.if(f.eqz(p.bias), () => f.clear(scratch, 256));
  f.while(
    () => f.ne(begin, end),
    () => {
      f.set(rest, f.mul(p.mParts, p.nParts));
      f.set(batch, f.div(begin, rest));
      f.set(rest, f.rem(begin, rest));
      f.set(row, f.mul(f.div(rest, p.nParts), p.mPart));
      f.set(column, f.mul(f.rem(rest, p.nParts), p.nPart));
      f.set(m, f.sub(p.m, row));
      f.set(m, f.min(m, p.mPart));
      f.set(n, f.sub(p.n, column));
      f.set(n, f.min(n, p.nPart));
      f.set(a, f.add(p.a, f.add(f.mul(batch, p.aBatch), f.mul(row, p.aRow))));
      f.set(b, f.add(p.b, f.add(f.mul(batch, p.bBatch), f.mul(column, p.bColumn))));
      f.set(c, f.add(p.c, f.add(f.mul(batch, p.cBatch), f.add(f.mul(row, p.cRow), f.mul(column, p.cColumn)))));
      f.if(
        p.bias,
        () => f.set(bias, f.add(p.bias, f.add(f.mul(row, biasRow), f.mul(column, biasColumn)))),
        () => f.set(bias, scratch),
      );
      body({ m, n, a, b, c, bias, biasRow, biasColumn });
      f.advance(begin, 1);
    },
  );
}

/** Copies a bias into the scratch, where reading whole tiles of it is safe; then its strides are those of elements. */
function copyBias(f: FunctionCode, e: Element, p: Fields, part: Part, scratch: Local): void {
  const [at, to, left, stride] = f.locals('i32', 4);
  f.if(p.bias, () => {
    f.set(at, part.bias);
    f.set(to, scratch);
    f.set(left, f.select(p.biasRow, part.m, part.n));
    f.set(stride, f.select(p.biasRow, p.biasRow, p.biasColumn));
    f.while(
      () => left,
      () => {
        f.store(`${e.scalar}.store`, to, 0, f.load(`${e.scalar}.load`, at));
        f.advance(at, stride);
        f.advance(to, e.size);
        f.advance(left, -1);
      },
    );
    f.set(part.bias, scratch);
  });
}

export function gemmModule(e: Element, tile: TileShape): ModuleCode {
  const module = new ModuleCode();
  const columns = columnsOf(tile, e);
  const packLeft = emitPack(module, e, tile.rows);
  const packRight = columns === tile.rows ? packLeft : emitPack(module, e, columns);
  const packed = emitPacked(module, e, tile);
  const direct = emitDirect(module, e, tile);
  const gemv = emitGemv(module, e, tile.fma);
  const dotTile = emitDot(module, e, tile.fma, 4, 2, 1);
  const dotVector = emitDot(module, e, tile.fma, 1, 2, 4);
  const fields = GEMM_FIELDS as readonly string[];

  module.task('packed', fields, (f, read, begin, end, scratch) => {
    const p = read as unknown as Fields;
    const [strip, left, right, i, j, k, mc, nc, kc] = f.locals('i32', 9);
    const [a, b, c, bias, elementRow, elementColumn, cRow] = f.locals('i32', 7);
    f.set(strip, f.add(scratch, p.stripAt));
    f.set(left, f.add(scratch, p.leftAt));
    f.set(right, f.add(scratch, p.rightAt));
    const block = (local: Local, from: Local, total: Value, size: number): void => {
      f.set(local, f.sub(total, from));
      f.set(local, f.min(local, size));
    };
    eachPart(f, p, begin, end, scratch, (part) => {
      copyBias(f, e, p, part, scratch);
      f.set(elementRow, f.select(part.biasRow, e.size, 0));
      f.set(elementColumn, f.select(part.biasColumn, e.size, 0));
      f.for(j, 0, part.n, COLUMN_BLOCK, () => {
        block(nc, j, part.n, COLUMN_BLOCK);
        f.for(k, 0, p.k, K_BLOCK, () => {
          block(kc, k, p.k, K_BLOCK);
          f.set(b, f.add(part.b, f.add(f.mul(j, p.bColumn), f.mul(k, p.bRow))));
          f.call(packRight, b, p.bColumn, p.bRow, nc, kc, right);
          f.for(i, 0, part.m, ROW_BLOCK, () => {
            block(mc, i, part.m, ROW_BLOCK);
            f.set(a, f.add(part.a, f.add(f.mul(i, p.aRow), f.mul(k, p.aColumn))));
            f.call(packLeft, a, p.aRow, p.aColumn, mc, kc, left);
            f.set(c, f.add(part.c, f.add(f.mul(i, p.cRow), f.mul(j, p.cColumn))));
            f.set(bias, f.add(part.bias, f.add(f.mul(i, elementRow), f.mul(j, elementColumn))));
            f.set(cRow, f.ne(k, 0));
            f.call(packed, mc, nc, kc, left, right, c, p.cRow, p.cColumn, cRow, bias, elementRow, elementColumn, strip);
          });
        });
      });
    });
  });

  module.task('direct', fields, (f, read, begin, end, scratch) => {
    const p = read as unknown as Fields;
    const [strip, right, whole, packedFrom, rest, elementRow, elementColumn, c, bias] = f.locals('i32', 9);
    f.set(strip, f.add(scratch, p.stripAt));
    f.set(right, f.add(scratch, p.rightAt));
    f.set(packedFrom, 0);
    eachPart(f, p, begin, end, scratch, (part) => {
      copyBias(f, e, p, part, scratch);
      f.set(elementRow, f.select(part.biasRow, e.size, 0));
      f.set(elementColumn, f.select(part.biasColumn, e.size, 0));
      // Whole panels can be read where they lie if their columns lie side by side; the rest is packed.
      f.set(whole, 0);
      f.if(f.and(f.eq(p.bColumn, e.size), f.ne(p.bRow, 0)), () => {
        f.set(whole, f.sub(part.n, f.rem(part.n, columns)));
        const sink = [part.c, p.cRow, p.cColumn, 0, part.bias, elementRow, elementColumn, strip];
        f.call(direct, part.m, whole, p.k, part.a, p.aRow, p.aColumn, part.b, p.bRow, columns * e.size, ...sink);
      });
      f.set(rest, f.sub(part.n, whole));
      f.if(rest, () => {
        f.if(f.ne(part.b, packedFrom), () => {
          f.call(packRight, f.add(part.b, f.mul(whole, p.bColumn)), p.bColumn, p.bRow, rest, p.k, right);
          f.set(packedFrom, part.b);
        });
        f.set(c, f.add(part.c, f.mul(whole, p.cColumn)));
        f.set(bias, f.add(part.bias, f.mul(whole, elementColumn)));
        const sink = [c, p.cRow, p.cColumn, 0, bias, elementRow, elementColumn, strip];
        f.call(direct, part.m, rest, p.k, part.a, p.aRow, p.aColumn, right, columns * e.size, f.mul(p.k, columns * e.size), ...sink);
      });
    });
  });

  module.task('dot', fields, (f, read, begin, end, scratch) => {
    const p = read as unknown as Fields;
    eachPart(f, p, begin, end, scratch, (part) => {
      const args = (swap: boolean): readonly Value[] =>
        swap
          ? [part.n, part.m, p.k, part.b, p.bColumn, part.a, p.aRow, part.c, p.cColumn, p.cRow, part.bias, part.biasColumn, part.biasRow]
          : [part.m, part.n, p.k, part.a, p.aRow, part.b, p.bColumn, part.c, p.cRow, p.cColumn, part.bias, part.biasRow, part.biasColumn];
      f.if(
        f.eq(part.m, 1),
        () => f.call(dotVector, ...args(false)),
        () =>
          f.if(
            f.eq(part.n, 1),
            () => f.call(dotVector, ...args(true)),
            () => f.call(dotTile, ...args(false)),
          ),
      );
    });
  });

  // A row times a matrix with m = 1; a matrix times a column is the same with the operands exchanged.
  module.task('vector', fields, (f, read, begin, end, scratch) => {
    const p = read as unknown as Fields;
    const strip = f.i32(f.add(scratch, p.stripAt));
    eachPart(f, p, begin, end, scratch, (part) =>
      f.call(gemv, part.n, p.k, part.a, p.aColumn, part.b, p.bRow, part.c, p.cColumn, part.bias, part.biasColumn, strip),
    );
  });
  return module;
}
