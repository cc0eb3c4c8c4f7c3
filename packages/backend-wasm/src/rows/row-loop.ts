/** @file Loops over a row of floats by vectors, its last few included: what lies behind the row is masked when it is read and never written. */
import { type Expr, f32, f32x4, type FunctionBuilder, i32, i32x4, type Local, v128 } from '../assembler/index.js';
import type { I32, V128 } from '../code/emit.js';

type Vector = Expr<'v128'>;

/** What a loop's body reads and writes with. */
export interface RowAccess {
  /** Which of the vectors of one round this is: accumulators of their own let additions overlap. */
  readonly u: number;
  /** The vector of the row at `row`; behind its end, `fill`. */
  readonly load: (row: I32, fill?: number | V128) => Vector;
  readonly store: (row: I32, value: V128) => void;
}

/** Bytes of a row after which sums begin anew. */
const BLOCK = 4096;

export class RowLoop {
  readonly #f: FunctionBuilder;
  readonly #at: I32;
  readonly #rounds = new Map<number, I32>();
  readonly #bytes: I32;
  readonly #whole: I32;
  readonly #rest: I32;
  readonly #mask: V128;

  /** Rows of `columns` floats. */
  constructor(
    f: FunctionBuilder,
    readonly columns: I32,
  ) {
    this.#f = f;
    [this.#at, this.#bytes, this.#whole, this.#rest] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
    this.#mask = f.local('v128');
    this.measure();
  }

  /** Takes the number of columns again, after it changed. */
  measure(): void {
    const f = this.#f;
    f.set(this.#bytes, i32.shl(this.columns, 2));
    f.set(this.#whole, i32.and(this.#bytes, -16));
    f.set(this.#rest, i32.and(this.columns, 3));
    f.set(this.#mask, i32x4.gtS(i32x4.splat(this.#rest), i32x4.const(0, 1, 2, 3)));
  }

  /** Runs `body` over the row, `unroll` vectors a round. */
  each(unroll: number, body: (access: RowAccess) => void): void {
    const f = this.#f;
    const at = this.#at;
    f.set(at, 0);
    if (unroll > 1) {
      const rounds = this.#roundsOf(unroll);
      f.for(at, 0, rounds, 16 * unroll, () => {
        for (let u = 0; u < unroll; u++) body(this.#inside(u));
      });
    }
    f.while(
      () => i32.ltU(at, this.#whole),
      () => {
        body(this.#inside(0));
        f.increment(at, 16);
      },
    );
    f.if(this.#rest, () => body(this.#last()));
  }

  /**
   * Runs `first` and then `second` on each vector of the row, in one loop in which `second` is one vector behind: a processor then has two short chains of
   * operations to work on, where one long one would fill its queues. What `first` leaves for `second` are locals that it sets. `between` comes after each
   * {@link BLOCK}: sums of long rows begin anew there, and keep their digits.
   */
  eachBehind(first: (access: RowAccess) => void, second: (access: RowAccess) => void, between: () => void): void {
    const f = this.#f;
    const at = this.#at;
    f.set(at, 0);
    f.if(this.#whole, () => {
      first(this.#inside(0));
      f.increment(at, 16);
      f.while(
        () => i32.ltU(at, this.#whole),
        () => {
          second(this.#inside(0, 16));
          first(this.#inside(0));
          f.increment(at, 16);
          f.if(i32.eqz(i32.and(at, BLOCK - 1)), between);
        },
      );
      second(this.#inside(0, 16));
    });
    f.if(this.#rest, () => {
      first(this.#last());
      second(this.#last());
    });
  }

  #roundsOf(unroll: number): I32 {
    const f = this.#f;
    const known = this.#rounds.get(unroll);
    const rounds = known ?? f.local('i32');
    this.#rounds.set(unroll, rounds);
    f.set(rounds, i32.and(this.#bytes, -16 * unroll));
    return rounds;
  }

  #inside(u: number, behind = 0): RowAccess {
    const at = this.#at;
    const place = (row: I32): Expr<'i32'> => i32.add(row, behind > 0 ? i32.sub(at, behind) : at);
    return {
      u,
      load: (row) => v128.load(place(row), u * 16),
      store: (row, value) => this.#f.emit(v128.store(place(row), value, u * 16)),
    };
  }

  #last(): RowAccess {
    const f = this.#f;
    const at = this.#at;
    return {
      u: 0,
      load: (row, fill = 0) => v128.bitselect(v128.load(i32.add(row, at)), typeof fill === 'number' ? f32x4.const(fill) : fill, this.#mask),
      store: (row, value) => {
        f.emit(v128.store32Lane(0, i32.add(row, at), value));
        f.if(i32.geU(this.#rest, 2), () => f.emit(v128.store32Lane(1, i32.add(row, at), value, 4)));
        f.if(i32.eq(this.#rest, 3), () => f.emit(v128.store32Lane(2, i32.add(row, at), value, 8)));
      },
    };
  }
}

/** Sets lanes that are NaN to 0: a correction of an infinite sum corrects nothing. */
export function orZero(f: FunctionBuilder, x: V128): void {
  f.set(x, v128.and(x, f32x4.eq(x, x)));
}

/** Copies `count` floats from stride to stride (bytes); `from`, `to` and `count` are used up. */
export function copyStrided(f: FunctionBuilder, to: I32, toStride: I32 | number, from: I32, fromStride: I32 | number, count: I32): void {
  f.while(
    () => count,
    () => {
      f.emit(f32.store(to, f32.load(from)));
      f.increment(to, toStride);
      f.increment(from, fromStride);
      f.increment(count, -1);
    },
  );
}

/** A row whose floats lie side by side: the row itself, or a copy of it in `room`. */
export class StagedRow {
  readonly at: I32;
  readonly #room: I32;
  readonly #a: I32;
  readonly #b: I32;
  readonly #n: I32;

  constructor(
    readonly f: FunctionBuilder,
    readonly stride: I32,
    readonly columns: I32,
    room: Expr<'i32'>,
  ) {
    this.at = f.local('i32');
    this.#room = f.local('i32', room);
    [this.#a, this.#b, this.#n] = [f.local('i32'), f.local('i32'), f.local('i32')];
  }

  /** Makes `at` a row of its own that can be read. */
  read(row: I32): void {
    const { f } = this;
    f.set(this.at, row);
    f.if(i32.ne(this.stride, 4), () => {
      this.#begin(this.#room, row);
      copyStrided(f, this.#a, 4, this.#b, this.stride, this.#n);
      f.set(this.at, this.#room);
    });
  }

  /** Makes `at` what is to be written; {@link finish} takes it to the row. */
  begin(row: I32): void {
    const { f } = this;
    f.set(this.at, row);
    f.if(i32.ne(this.stride, 4), () => f.set(this.at, this.#room));
  }

  finish(row: I32): void {
    const { f } = this;
    f.if(i32.ne(this.stride, 4), () => {
      this.#begin(row, this.#room);
      copyStrided(f, this.#a, this.stride, this.#b, 4, this.#n);
    });
  }

  #begin(to: I32, from: I32): void {
    this.f.set(this.#a, to);
    this.f.set(this.#b, from);
    this.f.set(this.#n, this.columns);
  }
}

/** Bytes of room that a staged row of so many columns takes. */
export const roomOf = (columns: number): number => Math.ceil(columns / 16) * 64 + 64;

export type F32 = Local<'f32'>;
