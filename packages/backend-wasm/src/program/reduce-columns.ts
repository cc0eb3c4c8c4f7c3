/**
 * @file Reductions whose lanes run along a kept dim: a row of accumulators in scratch, and rows of the input that are added to it, several at a time, so
 * that memory is read in several streams and the accumulators are touched less often.
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
const NO_STEPS: ReadonlyMap<number, readonly I32[]> = new Map();

export class ReduceColumns {
  readonly #output: number;
  readonly #vectors: number;

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
      const moving = new Map([...bases].filter(([v]) => v !== this.#output).map(([v, base]) => [v, f.local('i32', base)]));
      this.#rows(moving, outer, first, scratch, stop);
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
        this.#take(sets, known, first, scratch, stop, place);
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
  #take(sets: readonly Pointers[], known: readonly Row[], first: I32, scratch: I32, stop: I32, place: I32 | null): void {
    const { f, code, form } = this;
    const at = f.local('i32', scratch);
    const column = code.innerIndex ? f.local('v128', i32x4.add(i32x4.splat(first), i32x4.const(0, 1, 2, 3))) : null;
    const places = place === null ? null : f.local('v128', i32x4.splat(place));
    const step = 16 * this.#vectors;
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
    const state: State = Array.from({ length: this.#vectors }, (_, k) => f.local('v128', v128.load(at, offset + 16 * k)));
    if (reduction.quick !== undefined) {
      let level: VLocal[] = values.map(([value]) => value);
      while (level.length > 1) {
        const next: VLocal[] = [];
        for (let i = 0; i < level.length; i += 2) next.push(f.local('v128', reduction.quick(level[i], level[i + 1])));
        level = next;
      }
      reduction.take(f, state, level, null);
    } else for (const value of values) reduction.take(f, state, value, places);
    state.forEach((s, k) => f.emit(v128.store(at, s, offset + 16 * k)));
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
      const state: State = Array.from({ length: this.#vectors }, (_, k) => f.local('v128', v128.load(at, 16 * k)));
      storeSome(f, this.dtype, to, steps, count, reduction.result(f, state));
      f.increment(to, four);
      f.increment(count, -4);
      f.brIf(again, i32.ltU(at.tee(i32.add(at, 16 * this.#vectors)), stop));
    });
  }
}
