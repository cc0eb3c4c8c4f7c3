/**
 * @file Reductions whose lanes run along a kept dim: a row of accumulators in scratch, and rows of the input that are added to it, several at a time, so
 * that memory is read in several streams and the accumulators are touched less often. float32 sums have a second row, of float32, that takes up to 64 rows
 * of the input before the float64 accumulators take it.
 */
import type { DType } from '@tessera/core/backend';
import { type FunctionBuilder, i32, i32x4, type Local, select, v128 } from '../assembler/index.js';
import type { VLocal } from '../math/library.js';
import { Odometer } from './odometer.js';
import type { ProgramCode, Row } from './program-code.js';
import { BLOCKS, COLUMN_BLOCK, type ReduceForm } from './reduce-form.js';
import { type Reduction, startOf, type State, vectorsOf } from './reductions.js';
import { CONTIGUOUS, type Quad, storeSome } from './storage.js';
import { priceOf, unrolling } from './unroll.js';

type I32 = Local<'i32'>;
type Pointers = ReadonlyMap<number, I32>;
/** Groups of rows that the row of short sums takes. */
const SHORT = 8;
const NO_STEPS: ReadonlyMap<number, readonly I32[]> = new Map();

export class ReduceColumns {
  readonly #output: number;
  readonly #vectors: number;
  /** Where the short sums begin, and how many groups of rows they may still take; null where there are none. */
  #short: { readonly sums: I32; readonly left: I32 } | null = null;

  constructor(
    readonly f: FunctionBuilder,
    readonly code: ProgramCode,
    readonly reduction: Reduction,
    readonly dtype: DType,
    readonly form: ReduceForm,
  ) {
    this.#output = code.program.inputs.length;
    this.#vectors = vectorsOf(reduction);
  }

  /** Bytes of accumulators for a column. */
  get columnBytes(): number {
    return 4 * this.#vectors + (this.#hasShort ? 4 : 0);
  }

  get #hasShort(): boolean {
    return this.reduction.quick !== undefined && this.#rowsAtOnce === 8;
  }

  /** How many rows are taken at once. */
  get #rowsAtOnce(): number {
    if (this.reduction.indexed) return 1;
    const price = priceOf(this.code.program);
    const inputs = Math.max(this.#output, 1);
    return price > 24 ? 1 : price > 8 || inputs > 2 ? 4 : 8;
  }

  /** Units of work are blocks of columns, and of the other kept dims. */
  emit(begin: I32, end: I32, scratch: I32): void {
    const { f, code, form, reduction } = this;
    const { layout, args } = code;
    const { column } = form;
    const kept = Array.from({ length: form.rank }, (_, d) => d).filter((d) => d !== column && !form.reduced.includes(d));
    code.prepare();
    const start = startOf(reduction);
    const [first, count, at] = [f.local('i32'), f.local('i32'), f.local('i32')];
    if (this.#hasShort) this.#short = { sums: f.local('i32'), left: f.local('i32') };
    f.loop((nextUnit) => {
      const blocks = f.local('i32', layout.head(args, BLOCKS));
      const place = f.local('i32', i32.divU(begin, blocks));
      const block = f.local('i32', layout.head(args, COLUMN_BLOCK));
      f.set(first, i32.mul(i32.sub(begin, i32.mul(place, blocks)), block));
      f.set(count, i32.sub(layout.size(args, column), first));
      f.set(count, select(i32.ltU(count, block), count, block));
      const bases = new Map<number, I32>();
      for (let v = 0; v <= this.#output; v++)
        bases.set(v, f.local('i32', i32.add(layout.address(args, v), i32.mul(first, layout.stride(args, v, column)))));
      const outer = new Odometer(f, layout, args, kept, bases);
      outer.seek(place);
      const bytes = f.local('i32', i32.mul(i32.shrU(i32.add(count, 3), 2), 16 * this.#vectors));
      const stop = f.local('i32', i32.add(scratch, bytes));
      f.for(at, scratch, stop, 16 * this.#vectors, () => start.forEach((s, k) => f.emit(v128.store(at, s, 16 * k))));
      if (this.#short !== null) {
        f.set(this.#short.sums, stop);
        f.set(this.#short.left, SHORT);
        const end = f.local('i32', i32.add(stop, i32.shl(i32.shrU(i32.add(count, 3), 2), 4)));
        f.for(at, stop, end, 16, () => f.emit(v128.store(at, v128.zero)));
      }
      const moving = new Map([...bases].filter(([v]) => v !== this.#output).map(([v, base]) => [v, f.local('i32', base)]));
      this.#rows(moving, outer, first, scratch, stop);
      if (this.#short !== null) this.#takeShort(scratch, stop);
      this.#store(bases.get(this.#output)!, count, scratch, stop);
      f.brIf(nextUnit, i32.ltU(begin.tee(i32.add(begin, 1)), end));
    });
  }

  /** All rows, into the accumulators from `scratch` up to `stop`. */
  #rows(moving: Pointers, outer: Odometer, first: I32, scratch: I32, stop: I32): void {
    const { f, code, form, reduction } = this;
    const { layout, args } = code;
    const last = form.reduced.at(-1)!;
    const walker = new Odometer(f, layout, args, form.reduced.slice(0, -1), moving);
    walker.start();
    const along = f.local('i32');
    const place = reduction.indexed ? f.local('i32', 0) : null;
    f.loop((nextRun) => {
      const pointers = new Map([...moving].map(([v, p]) => [v, f.local('i32', p)]));
      const left = f.local('i32', layout.size(args, last));
      f.set(along, 0);
      const index =
        (plus: number) =>
        (dim: number): I32 =>
          dim === last ? f.local('i32', i32.add(along, plus)) : (walker.index.get(dim) ?? outer.index.get(dim))!;
      const some = (rows: number): void => {
        const sets: Pointers[] = [];
        for (let r = 0; r < rows; r++) {
          const before = sets.at(-1);
          sets.push(
            new Map(
              [...pointers].map(([v, p]) => [
                v,
                f.local('i32', before === undefined ? p : i32.add(before.get(v)!, layout.stride(args, v, last))),
              ]),
            ),
          );
        }
        const known = sets.map((set, r) => code.startRow(set, index(r)));
        for (const [v, p] of pointers) f.set(p, i32.add(sets.at(-1)!.get(v)!, layout.stride(args, v, last)));
        if (this.#short === null) this.#take(sets, known, first, scratch, stop, place);
        else {
          const { sums, left: groups } = this.#short;
          this.#take(sets, known, first, sums, f.local('i32', i32.add(sums, i32.shrU(i32.sub(stop, scratch), 1))), null);
          f.if(i32.eqz(groups.tee(i32.sub(groups, 1))), () => this.#takeShort(scratch, stop));
        }
        f.increment(along, rows);
        f.increment(left, -rows);
        if (place !== null) f.increment(place, rows);
      };
      const many = this.#rowsAtOnce;
      if (many > 1)
        f.while(
          () => i32.geU(left, many),
          () => some(many),
        );
      f.while(
        () => left,
        () => some(1),
      );
      walker.advance(nextRun);
    });
  }

  /** How many groups of four columns one round takes: the rows' addresses move once for all of them. */
  get #groups(): number {
    return this.reduction.quick === undefined || this.code.innerIndex ? 1 : unrolling(this.code.program);
  }

  /** Takes several rows, column after column. Reads (and ignores) up to three columns too many. */
  #take(sets: readonly Pointers[], known: readonly Row[], first: I32, sums: I32, stop: I32, place: I32 | null): void {
    const { f, code, form } = this;
    const at = f.local('i32', sums);
    const column = code.innerIndex ? f.local('v128', i32x4.add(i32x4.splat(first), i32x4.const(0, 1, 2, 3))) : null;
    const places = place === null ? null : f.local('v128', i32x4.splat(place));
    const step = this.#short === null ? 16 * this.#vectors : 16;
    const round = (groups: number): void => {
      for (let g = 0; g < groups; g++) {
        const values = sets.map((set, r) => code.evaluate(known[r], set, g, NO_STEPS, column === null ? null : [column])[0]);
        this.#add(at, g * step, values, places);
      }
      for (const set of sets)
        form.classes.forEach((c, v) => {
          if (c === CONTIGUOUS) f.increment(set.get(v)!, groups * 4 * code.layout.elementSize(v));
        });
      if (column !== null) f.set(column, i32x4.add(column, 4));
      f.increment(at, groups * step);
    };
    const groups = sets.length > 1 ? this.#groups : 1;
    if (groups > 1) {
      const last = f.local('i32', i32.sub(stop, groups * step));
      f.while(
        () => i32.leU(at, last),
        () => round(groups),
      );
    }
    f.while(
      () => i32.ltU(at, stop),
      () => round(1),
    );
  }

  /** Adds four columns of several rows to their accumulator, `offset` bytes from `at`. */
  #add(at: I32, offset: number, values: readonly Quad[], places: VLocal | null): void {
    const { f, reduction } = this;
    if (this.#short !== null) {
      const sum = this.#tree(values);
      f.emit(v128.store(at, reduction.quick!(v128.load(at, offset), sum), offset));
      return;
    }
    const state = this.#load(at, offset);
    if (reduction.quick !== undefined) reduction.take(f, state, [this.#tree(values)], null);
    else for (const value of values) reduction.take(f, state, value, places);
    state.forEach((s, k) => f.emit(v128.store(at, s, offset + 16 * k)));
  }

  #load(at: I32, offset = 0): State {
    return Array.from({ length: this.#vectors }, (_, k) => this.f.local('v128', v128.load(at, offset + 16 * k)));
  }

  /** The sum of float32 vectors, pairwise. */
  #tree(values: readonly Quad[]): VLocal {
    let level: VLocal[] = values.map(([value]) => value);
    while (level.length > 1) {
      const next: VLocal[] = [];
      for (let i = 0; i < level.length; i += 2) next.push(this.f.local('v128', this.reduction.quick!(level[i], level[i + 1])));
      level = next;
    }
    return level[0];
  }

  /** The accumulators take the short sums, which begin anew. */
  #takeShort(scratch: I32, stop: I32): void {
    const { f, reduction } = this;
    const { sums, left } = this.#short!;
    f.set(left, SHORT);
    const from = f.local('i32', sums);
    const at = f.local('i32', scratch);
    f.for(at, at, stop, 16 * this.#vectors, () => {
      const state = this.#load(at);
      reduction.take(f, state, [f.local('v128', v128.load(from))], null);
      state.forEach((s, k) => f.emit(v128.store(at, s, 16 * k)));
      f.emit(v128.store(from, v128.zero));
      f.increment(from, 16);
    });
  }

  /** The results of a block. */
  #store(output: I32, count: I32, scratch: I32, stop: I32): void {
    const { f, code, reduction, form } = this;
    const one = f.local('i32', code.layout.stride(code.args, this.#output, form.column));
    const two = f.local('i32', i32.add(one, one));
    const steps = [one, two, f.local('i32', i32.add(two, one))];
    const four = f.local('i32', i32.add(two, two));
    const at = f.local('i32', scratch);
    const to = f.local('i32', output);
    f.loop((again) => {
      const state = this.#load(at);
      storeSome(f, this.dtype, to, steps, count, reduction.result(f, state));
      f.increment(to, four);
      f.increment(count, -4);
      f.brIf(again, i32.ltU(at.tee(i32.add(at, 16 * this.#vectors)), stop));
    });
  }
}
