/**
 * @file The inner kernels of matrix multiplication: a register tile of `rows` x `vectors` accumulators, over packed panels or over an unpacked
 * left operand.
 *
 * What was measured (V8, x86-64): the loop over k must not be unrolled (the engine spills), the left operand's values are loaded before the
 * right one's, and eight accumulators are the most that four rows take.
 */
import type { FunctionCode, Local, Value } from '../code/function-code.js';
import type { Callee, ModuleCode } from '../code/module-code.js';
import { type Element, multiplyAdd } from './element.js';

/** The shape of a register tile. */
export interface TileShape {
  readonly rows: number;
  /** Vectors in each of its rows. */
  readonly vectors: number;
  /** One rounding for each multiply-add (relaxed SIMD). */
  readonly fma: boolean;
}

/** Columns of a tile. */
export const columnsOf = (tile: TileShape, e: Element): number => tile.vectors * e.lanes;

/** Where a tile's results go. Strides in bytes. */
interface Sink {
  readonly c: Local;
  readonly rowStride: Local;
  readonly columnStride: Local;
  /** Add to what is there. */
  readonly accumulate: Local;
  /** What sums start from, where they do not accumulate: see {@link TileCode.begin}. */
  readonly bias: Local;
  readonly biasRow: Local;
  readonly biasColumn: Local;
  /** Room for one tile. */
  readonly strip: Local;
}

/** Accumulators, and the code around the loop over k. */
class TileCode {
  readonly sums: Local[];
  readonly #lefts: Local[];
  readonly #right: Local;
  readonly #to: Local;
  readonly #from: Local;
  readonly #i: Local;
  readonly #j: Local;
  readonly #toElement: Local;
  readonly #columnBytes: number;

  constructor(
    readonly f: FunctionCode,
    readonly e: Element,
    readonly tile: TileShape,
  ) {
    this.sums = f.locals('v128', tile.rows * tile.vectors);
    this.#lefts = f.locals('v128', tile.rows);
    this.#right = f.v128();
    this.#to = f.i32();
    this.#from = f.i32();
    this.#i = f.i32();
    this.#j = f.i32();
    this.#toElement = f.i32();
    this.#columnBytes = columnsOf(tile, e) * e.size;
  }

  /**
   * Sets the accumulators to 0, or to the bias: `biasRow` ≠ 0 takes one value for each row (padded to whole tiles), else a row of
   * vectors, moved by `biasColumn` for each panel: 0 with a strip of zeros means no bias.
   */
  begin({ accumulate, bias, biasRow, biasColumn }: Sink, row: Value, column: Value): void {
    const { f, e, tile } = this;
    f.if(
      accumulate,
      () => this.sums.forEach((sum) => f.set(sum, f.zero())),
      () =>
        f.if(
          biasRow,
          () => {
            f.set(this.#from, f.add(bias, f.mul(row, e.size)));
            this.sums.forEach((sum, n) => f.set(sum, f.load(e.splat, this.#from, Math.floor(n / tile.vectors) * e.size)));
          },
          () => {
            f.set(this.#from, f.add(bias, f.mul(column, biasColumn)));
            this.sums.forEach((sum, n) => f.set(sum, f.loadVector(this.#from, (n % tile.vectors) * 16)));
          },
        ),
    );
  }

  /** One k: `left(r)` gives the address and offset of row r's value. */
  step(left: (row: number) => readonly [Value, number], right: Value): void {
    const { f, e, tile } = this;
    this.#lefts.forEach((local, r) => f.set(local, f.load(e.splat, ...left(r))));
    for (let q = 0; q < tile.vectors; q++) {
      f.set(this.#right, f.loadVector(right, q * 16));
      for (let r = 0; r < tile.rows; r++) {
        const sum = this.sums[r * tile.vectors + q];
        f.set(sum, multiplyAdd(f, e, tile.fma, this.#lefts[r], this.#right, sum));
      }
    }
  }

  /** Writes the tile at (row, column) of an m x n matrix; what lies outside is dropped. */
  finish(sink: Sink, row: Value, column: Value, m: Value, n: Value): void {
    const { f, e, tile } = this;
    const add = `${e.vector}.add`;
    f.set(this.#to, f.add(sink.c, f.add(f.mul(row, sink.rowStride), f.mul(column, sink.columnStride))));
    const whole = f.and(
      f.and(f.le(f.add(row, tile.rows), m), f.le(f.add(column, columnsOf(tile, e)), n)),
      f.eq(sink.columnStride, e.size),
    );
    const store = (accumulate: boolean): void => {
      for (let r = 0; r < tile.rows; r++) {
        for (let q = 0; q < tile.vectors; q++) {
          const sum = this.sums[r * tile.vectors + q];
          f.storeVector(this.#to, q * 16, accumulate ? f.op(add, f.loadVector(this.#to, q * 16), sum) : sum);
        }
        if (r < tile.rows - 1) f.advance(this.#to, sink.rowStride);
      }
    };
    f.if(
      whole,
      () =>
        f.if(
          sink.accumulate,
          () => store(true),
          () => store(false),
        ),
      () => {
        this.sums.forEach((sum, i) => f.storeVector(sink.strip, i * 16, sum));
        this.#copyPart(sink, f.sub(m, row), f.sub(n, column));
      },
    );
  }

  /** Copies what is inside the matrix from the strip, element by element. */
  #copyPart(sink: Sink, rowsLeft: Value, columnsLeft: Value): void {
    const { f, e, tile } = this;
    const columns = columnsOf(tile, e);
    const [load, store, add] = [`${e.scalar}.load`, `${e.scalar}.store`, `${e.scalar}.add`];
    f.set(this.#i, 0);
    f.while(
      () => f.and(f.lt(this.#i, tile.rows), f.lt(this.#i, rowsLeft)),
      () => {
        f.set(this.#from, f.add(sink.strip, f.mul(this.#i, this.#columnBytes)));
        f.set(this.#toElement, this.#to);
        f.set(this.#j, 0);
        f.while(
          () => f.and(f.lt(this.#j, columns), f.lt(this.#j, columnsLeft)),
          () => {
            f.if(
              sink.accumulate,
              () => f.store(store, this.#toElement, 0, f.op(add, f.load(load, this.#toElement), f.load(load, this.#from))),
              () => f.store(store, this.#toElement, 0, f.load(load, this.#from)),
            );
            f.advance(this.#toElement, sink.columnStride);
            f.advance(this.#from, e.size);
            f.advance(this.#j, 1);
          },
        );
        f.advance(this.#to, sink.rowStride);
        f.advance(this.#i, 1);
      },
    );
  }
}

const SINK = ['c', 'rowStride', 'columnStride', 'accumulate', 'bias', 'biasRow', 'biasColumn', 'strip'] as const;

/** `(m, n, k, a, b, …sink)`: c = or += a · b from packed panels. The panel of b stays in the first-level cache, that of a in the second. */
export function emitPacked(module: ModuleCode, e: Element, tile: TileShape): Callee {
  return module.inner('packed', ['m', 'n', 'k', 'a', 'b', ...SINK], (f, p) => {
    const code = new TileCode(f, e, tile);
    const [i, j, a, b, panel, end, kBytes] = f.locals('i32', 7);
    const sink = p as unknown as Sink;
    const columns = columnsOf(tile, e);
    f.set(kBytes, f.mul(p.k, tile.rows * e.size));
    f.set(panel, p.b);
    f.for(j, 0, p.n, columns, () => {
      f.set(a, p.a);
      f.for(i, 0, p.m, tile.rows, () => {
        code.begin(sink, i, j);
        f.set(b, panel);
        f.set(end, f.add(a, kBytes));
        f.doWhile(
          () => {
            code.step((r) => [a, r * e.size], b);
            f.advance(b, columns * e.size);
            f.advance(a, tile.rows * e.size);
          },
          () => f.ne(a, end),
        );
        code.finish(sink, i, j, p.m, p.n);
      });
      f.set(panel, b);
    });
  });
}

/**
 * `(m, n, k, a, aRow, aColumn, b, bRow, bPanel, …sink)`: the left operand as it lies, through one pointer for each row; the right one in panels
 * that lie `bPanel` bytes apart, with `bRow` bytes from k to k. For sizes at which packing costs more than it gives.
 */
export function emitDirect(module: ModuleCode, e: Element, tile: TileShape): Callee {
  return module.inner('direct', ['m', 'n', 'k', 'a', 'aRow', 'aColumn', 'b', 'bRow', 'bPanel', ...SINK], (f, p) => {
    const code = new TileCode(f, e, tile);
    const [i, j, b, panel, end, last, row] = f.locals('i32', 7);
    const starts = f.locals('i32', tile.rows);
    const at = f.locals('i32', tile.rows);
    const sink = p as unknown as Sink;
    f.set(last, f.sub(p.m, 1));
    f.for(i, 0, p.m, tile.rows, () => {
      // Rows beyond the last repeat it; their results are dropped.
      starts.forEach((start, r) => {
        f.set(row, f.add(i, r));
        f.set(start, f.add(p.a, f.mul(f.min(row, last), p.aRow)));
      });
      f.set(panel, p.b);
      f.for(j, 0, p.n, columnsOf(tile, e), () => {
        code.begin(sink, i, j);
        at.forEach((pointer, r) => f.set(pointer, starts[r]));
        f.set(b, panel);
        f.set(end, f.add(b, f.mul(p.k, p.bRow)));
        f.doWhile(
          () => {
            code.step((r) => [at[r], 0], b);
            f.advance(b, p.bRow);
            for (const pointer of at) f.advance(pointer, p.aColumn);
          },
          () => f.ne(b, end),
        );
        code.finish(sink, i, j, p.m, p.n);
        f.advance(panel, p.bPanel);
      });
    });
  });
}

/**
 * `(m, n, k, a, b, offsets, …sink)`: like the packed kernel, but the right operand's row k begins `offsets[k]` bytes after `b`. For convolutions of few
 * channels, where packing patches would cost as much as multiplying them.
 */
export function emitIndirect(module: ModuleCode, e: Element, tile: TileShape): Callee {
  return module.inner('indirect', ['m', 'n', 'k', 'a', 'b', 'offsets', ...SINK], (f, p) => {
    const code = new TileCode(f, e, tile);
    const [i, j, a, b, panel, start, end, offset] = f.locals('i32', 8);
    const sink = p as unknown as Sink;
    f.set(start, p.a);
    f.for(i, 0, p.m, tile.rows, () => {
      f.set(panel, p.b);
      f.set(end, f.add(start, f.mul(p.k, tile.rows * e.size)));
      f.for(j, 0, p.n, columnsOf(tile, e), () => {
        code.begin(sink, i, j);
        f.set(a, start);
        f.set(offset, p.offsets);
        f.doWhile(
          () => {
            f.set(b, f.add(panel, f.loadI32(offset)));
            code.step((r) => [a, r * e.size], b);
            f.advance(offset, 4);
            f.advance(a, tile.rows * e.size);
          },
          () => f.ne(a, end),
        );
        code.finish(sink, i, j, p.m, p.n);
        f.advance(panel, columnsOf(tile, e) * e.size);
      });
      f.set(start, end);
    });
  });
}

/**
 * `(m, n, k, a, b, bRow, bPanel, …sink)`: like the packed kernel, but the right operand is read as it lies: `bRow` bytes from k to k, `bPanel` from panel to
 * panel. What a last panel reads past column n must be memory.
 */
export function emitStreamed(module: ModuleCode, e: Element, tile: TileShape): Callee {
  return module.inner('streamed', ['m', 'n', 'k', 'a', 'b', 'bRow', 'bPanel', ...SINK], (f, p) => {
    const code = new TileCode(f, e, tile);
    const [i, j, a, b, end, kBytes] = f.locals('i32', 6);
    const sink = p as unknown as Sink;
    f.set(kBytes, f.mul(p.k, tile.rows * e.size));
    f.for(j, 0, p.n, columnsOf(tile, e), () => {
      f.set(a, p.a);
      f.for(i, 0, p.m, tile.rows, () => {
        code.begin(sink, i, j);
        f.set(b, p.b);
        f.set(end, f.add(a, kBytes));
        f.doWhile(
          () => {
            code.step((r) => [a, r * e.size], b);
            f.advance(b, p.bRow);
            f.advance(a, tile.rows * e.size);
          },
          () => f.ne(a, end),
        );
        code.finish(sink, i, j, p.m, p.n);
      });
      f.advance(p.b, p.bPanel);
    });
  });
}
