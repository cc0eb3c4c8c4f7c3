/**
 * @file The inner kernels of matrix multiplication: a register tile of `rows` x `vectors` accumulators, over packed panels or over an unpacked
 * left operand.
 *
 * What was measured (V8, x86-64): the processor takes six instructions a cycle, of which four can multiply or add, so whatever else the loop over k
 * does costs speed: {@link TileCode.loop} unrolls it. Eight accumulators are the most that four rows take. With the right operand's vectors loaded first
 * and then row by row, long rounds are 3 % faster than the other way round; short ones the same.
 */
import { type Expr, type FunctionBuilder, i32, type ModuleBuilder, v128 } from '../assembler/index.js';
import { type Callee, inner, least, type I32, type V128, locals, type Value } from '../code/emit.js';
import { type Element, multiplyAdd } from './element.js';

/** The shape of a register tile. */
export interface TileShape {
  readonly rows: number;
  /** Vectors in each of its rows. */
  readonly vectors: number;
  /** One rounding for each multiply-add (relaxed SIMD). */
  readonly fma: boolean;
}

/** Values of k in a round of the loop over them: 46 GFLOP/s with two, 49 with four, 51 with eight, of 55 that the processor can do. */
const ROUND = 8;

/** The same over packed panels, the kernel of large products: 52 GFLOP/s. With 64 it is 52.5, but code that is compiled later and caches worse. */
const PACKED_ROUND = 32;

/** Columns of a tile. */
export const columnsOf = (tile: TileShape, e: Element): number => tile.vectors * e.lanes;

/** Where a tile's results go. Strides in bytes. */
interface Sink {
  readonly c: I32;
  readonly rowStride: I32;
  readonly columnStride: I32;
  /** Add to what is there. */
  readonly accumulate: I32;
  /** What sums start from, where they do not accumulate: see {@link TileCode.begin}. */
  readonly bias: I32;
  readonly biasRow: I32;
  readonly biasColumn: I32;
  /** Room for one tile. */
  readonly strip: I32;
}

/** Accumulators, and the code around the loop over k. */
class TileCode {
  readonly sums: V128[];
  readonly #left: V128;
  readonly #rights: V128[];
  readonly #to: I32;
  readonly #from: I32;
  readonly #i: I32;
  readonly #j: I32;
  readonly #toElement: I32;
  readonly #columnBytes: number;

  constructor(
    readonly f: FunctionBuilder,
    readonly e: Element,
    readonly tile: TileShape,
  ) {
    this.sums = locals(f, 'v128', tile.rows * tile.vectors);
    this.#left = f.local('v128');
    this.#rights = locals(f, 'v128', tile.vectors);
    this.#to = f.local('i32');
    this.#from = f.local('i32');
    this.#i = f.local('i32');
    this.#j = f.local('i32');
    this.#toElement = f.local('i32');
    this.#columnBytes = columnsOf(tile, e) * e.size;
  }

  /**
   * Sets the accumulators to 0, or to the bias: `biasRow` ≠ 0 takes one value for each row (padded to whole tiles), else a row of
   * vectors, moved by `biasColumn` for each panel: 0 with a strip of zeros means no bias.
   */
  begin({ accumulate, bias, biasRow, biasColumn }: Sink, row: I32, column: I32): void {
    const { f, e, tile } = this;
    f.if(
      accumulate,
      () => this.sums.forEach((sum) => f.set(sum, v128.zero)),
      () =>
        f.if(
          biasRow,
          () => {
            f.set(this.#from, i32.add(bias, i32.mul(row, e.size)));
            this.sums.forEach((sum, n) => f.set(sum, e.splat(this.#from, Math.floor(n / tile.vectors) * e.size)));
          },
          () => {
            f.set(this.#from, i32.add(bias, i32.mul(column, biasColumn)));
            this.sums.forEach((sum, n) => f.set(sum, v128.load(this.#from, (n % tile.vectors) * 16)));
          },
        ),
    );
  }

  /**
   * The loop over k: `step(u)` does one, the u-th of a round, as long as there are `more`; `round` follows each whole round.
   *
   * It may be left after any step, and not only because k may be any number: V8 moves the loads of a block to its start, and a round that were
   * one block would need more registers than there are.
   */
  loop(step: (u: number) => void, more: () => Expr<'i32'>, round: () => void = () => {}, steps = ROUND): void {
    const { f } = this;
    f.block((exit) =>
      f.loop((again) => {
        for (let u = 0; u < steps; u++) {
          step(u);
          if (u < steps - 1) f.brIf(exit, i32.eqz(more()));
        }
        round();
        f.brIf(again, more());
      }),
    );
  }

  /** One k: `left(r)` gives the address and offset of row r's value; `right` and `offset` where the right operand's begin. */
  step(left: (row: number) => readonly [Value, number], right: Value, offset = 0): void {
    const { f, e, tile } = this;
    this.#rights.forEach((local, q) => f.set(local, v128.load(right, offset + q * 16)));
    for (let r = 0; r < tile.rows; r++) {
      f.set(this.#left, e.splat(...left(r)));
      this.#rights.forEach((local, q) => {
        const sum = this.sums[r * tile.vectors + q];
        f.set(sum, multiplyAdd(e, tile.fma, this.#left, local, sum));
      });
    }
  }

  /** Writes the tile at (row, column) of an m x n matrix; what lies outside is dropped. */
  finish(sink: Sink, row: I32, column: I32, m: I32, n: I32): void {
    const { f, e, tile } = this;
    f.set(this.#to, i32.add(sink.c, i32.add(i32.mul(row, sink.rowStride), i32.mul(column, sink.columnStride))));
    const whole = i32.and(
      i32.and(i32.leS(i32.add(row, tile.rows), m), i32.leS(i32.add(column, columnsOf(tile, e)), n)),
      i32.eq(sink.columnStride, e.size),
    );
    const store = (accumulate: boolean): void => {
      for (let r = 0; r < tile.rows; r++) {
        for (let q = 0; q < tile.vectors; q++) {
          const sum = this.sums[r * tile.vectors + q];
          f.emit(v128.store(this.#to, accumulate ? e.vector.add(v128.load(this.#to, q * 16), sum) : sum, q * 16));
        }
        if (r < tile.rows - 1) f.increment(this.#to, sink.rowStride);
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
        this.sums.forEach((sum, i) => f.emit(v128.store(sink.strip, sum, i * 16)));
        this.#copyPart(sink, i32.sub(m, row), i32.sub(n, column));
      },
    );
  }

  /** Copies what is inside the matrix from the strip, element by element. */
  #copyPart(sink: Sink, rowsLeft: Value, columnsLeft: Value): void {
    const { f, e, tile } = this;
    const columns = columnsOf(tile, e);
    const { load, store, add } = e.scalar;
    f.set(this.#i, 0);
    f.while(
      () => i32.and(i32.ltS(this.#i, tile.rows), i32.ltS(this.#i, rowsLeft)),
      () => {
        f.set(this.#from, i32.add(sink.strip, i32.mul(this.#i, this.#columnBytes)));
        f.set(this.#toElement, this.#to);
        f.set(this.#j, 0);
        f.while(
          () => i32.and(i32.ltS(this.#j, columns), i32.ltS(this.#j, columnsLeft)),
          () => {
            f.if(
              sink.accumulate,
              () => f.emit(store(this.#toElement, add(load(this.#toElement), load(this.#from)))),
              () => f.emit(store(this.#toElement, load(this.#from))),
            );
            f.increment(this.#toElement, sink.columnStride);
            f.increment(this.#from, e.size);
            f.increment(this.#j, 1);
          },
        );
        f.increment(this.#to, sink.rowStride);
        f.increment(this.#i, 1);
      },
    );
  }
}

const SINK = ['c', 'rowStride', 'columnStride', 'accumulate', 'bias', 'biasRow', 'biasColumn', 'strip'] as const;

/** `(m, n, k, a, b, …sink)`: c = or += a · b from packed panels. The panel of b stays in the first-level cache, that of a in the second. */
export function emitPacked(module: ModuleBuilder, e: Element, tile: TileShape): Callee {
  return inner(module, 'packed', ['m', 'n', 'k', 'a', 'b', ...SINK], (f, p) => {
    const code = new TileCode(f, e, tile);
    const [i, j, a, b, panel, end, kBytes, panelBytes] = locals(f, 'i32', 8);
    const sink = p as unknown as Sink;
    const columns = columnsOf(tile, e);
    f.set(kBytes, i32.mul(p.k, tile.rows * e.size));
    f.set(panelBytes, i32.mul(p.k, columns * e.size));
    f.set(panel, p.b);
    f.for(j, 0, p.n, columns, () => {
      f.set(a, p.a);
      f.for(i, 0, p.m, tile.rows, () => {
        code.begin(sink, i, j);
        f.set(b, panel);
        f.set(end, i32.add(a, kBytes));
        code.loop(
          (u) => {
            code.step((r) => [a, r * e.size], b, u * columns * e.size);
            f.increment(a, tile.rows * e.size);
          },
          () => i32.ne(a, end),
          () => f.increment(b, PACKED_ROUND * columns * e.size),
          PACKED_ROUND,
        );
        code.finish(sink, i, j, p.m, p.n);
      });
      f.increment(panel, panelBytes);
    });
  });
}

/**
 * `(m, n, k, a, aRow, aColumn, b, bRow, bPanel, …sink)`: the left operand as it lies, through one pointer for each row; the right one in panels
 * that lie `bPanel` bytes apart, with `bRow` bytes from k to k. For sizes at which packing costs more than it gives.
 */
export function emitDirect(module: ModuleBuilder, e: Element, tile: TileShape): Callee {
  return inner(module, 'direct', ['m', 'n', 'k', 'a', 'aRow', 'aColumn', 'b', 'bRow', 'bPanel', ...SINK], (f, p) => {
    const code = new TileCode(f, e, tile);
    const [i, j, b, panel, end, last, row] = locals(f, 'i32', 7);
    const starts = locals(f, 'i32', tile.rows);
    const at = locals(f, 'i32', tile.rows);
    const sink = p as unknown as Sink;
    f.set(last, i32.sub(p.m, 1));
    f.for(i, 0, p.m, tile.rows, () => {
      // Rows beyond the last repeat it; their results are dropped.
      starts.forEach((start, r) => {
        f.set(row, i32.add(i, r));
        f.set(start, i32.add(p.a, i32.mul(least(row, last), p.aRow)));
      });
      f.set(panel, p.b);
      f.for(j, 0, p.n, columnsOf(tile, e), () => {
        code.begin(sink, i, j);
        at.forEach((pointer, r) => f.set(pointer, starts[r]));
        f.set(b, panel);
        f.set(end, i32.add(b, i32.mul(p.k, p.bRow)));
        const more = (): Expr<'i32'> => i32.ne(b, end);
        f.if(
          i32.eq(p.aColumn, e.size),
          () =>
            code.loop(
              (u) => {
                code.step((r) => [at[r], u * e.size], b);
                f.increment(b, p.bRow);
              },
              more,
              () => {
                for (const pointer of at) f.increment(pointer, ROUND * e.size);
              },
            ),
          () =>
            code.loop(() => {
              code.step((r) => [at[r], 0], b);
              f.increment(b, p.bRow);
              for (const pointer of at) f.increment(pointer, p.aColumn);
            }, more),
        );
        code.finish(sink, i, j, p.m, p.n);
        f.increment(panel, p.bPanel);
      });
    });
  });
}

/**
 * `(m, n, k, a, b, offsets, …sink)`: like the packed kernel, but the right operand's row k begins `offsets[k]` bytes after `b`. For convolutions of few
 * channels, where packing patches would cost as much as multiplying them.
 */
export function emitIndirect(module: ModuleBuilder, e: Element, tile: TileShape): Callee {
  return inner(module, 'indirect', ['m', 'n', 'k', 'a', 'b', 'offsets', ...SINK], (f, p) => {
    const code = new TileCode(f, e, tile);
    const [i, j, a, b, panel, start, end, offset] = locals(f, 'i32', 8);
    const sink = p as unknown as Sink;
    f.set(start, p.a);
    f.for(i, 0, p.m, tile.rows, () => {
      f.set(panel, p.b);
      f.set(end, i32.add(start, i32.mul(p.k, tile.rows * e.size)));
      f.for(j, 0, p.n, columnsOf(tile, e), () => {
        code.begin(sink, i, j);
        f.set(a, start);
        f.set(offset, p.offsets);
        code.loop(
          (u) => {
            f.set(b, i32.add(panel, i32.load(offset, 4 * u)));
            code.step((r) => [a, r * e.size], b);
            f.increment(a, tile.rows * e.size);
          },
          () => i32.ne(a, end),
          () => f.increment(offset, 4 * ROUND),
        );
        code.finish(sink, i, j, p.m, p.n);
        f.increment(panel, columnsOf(tile, e) * e.size);
      });
      f.set(start, end);
    });
  });
}

/**
 * `(m, n, k, a, b, bRow, bPanel, …sink)`: like the packed kernel, but the right operand is read as it lies: `bRow` bytes from k to k, `bPanel` from panel to
 * panel. What a last panel reads past column n must be memory.
 */
export function emitStreamed(module: ModuleBuilder, e: Element, tile: TileShape): Callee {
  return inner(module, 'streamed', ['m', 'n', 'k', 'a', 'b', 'bRow', 'bPanel', ...SINK], (f, p) => {
    const code = new TileCode(f, e, tile);
    const [i, j, a, b, end, kBytes] = locals(f, 'i32', 6);
    const sink = p as unknown as Sink;
    f.set(kBytes, i32.mul(p.k, tile.rows * e.size));
    f.for(j, 0, p.n, columnsOf(tile, e), () => {
      f.set(a, p.a);
      f.for(i, 0, p.m, tile.rows, () => {
        code.begin(sink, i, j);
        f.set(b, p.b);
        f.set(end, i32.add(a, kBytes));
        code.loop(
          () => {
            code.step((r) => [a, r * e.size], b);
            f.increment(b, p.bRow);
            f.increment(a, tile.rows * e.size);
          },
          () => i32.ne(a, end),
        );
        code.finish(sink, i, j, p.m, p.n);
      });
      f.increment(p.b, p.bPanel);
    });
  });
}
