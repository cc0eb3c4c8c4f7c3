/** @file Reductions whose lanes run along a reduced dim: four accumulators side by side for one result, merged at the end. */
import type { DType } from '@tessera/core/backend';
import { type FunctionBuilder, i32, i32x4, type Local, select, v128 } from '../assembler/index.js';
import type { VLocal } from '../math/library.js';
import { Odometer } from './odometer.js';
import type { ProgramCode, Row } from './program-code.js';
import type { ReduceForm } from './reduce-form.js';
import { type Reduction, rotated, startOf, type State } from './reductions.js';
import { CONTIGUOUS, type Quad, storeSome, STRIDED } from './storage.js';
import { unrolling } from './unroll.js';

type I32 = Local<'i32'>;
type Pointers = ReadonlyMap<number, I32>;
type Steps = ReadonlyMap<number, readonly I32[]>;

/** Rounds of float32 addition before a block goes to the float64 totals. */
const BLOCK_ROUNDS = 16;

export class ReduceRows {
  readonly #inner: number;
  readonly #groups: number;
  readonly #output: number;

  constructor(
    readonly f: FunctionBuilder,
    readonly code: ProgramCode,
    readonly reduction: Reduction,
    readonly dtype: DType,
    readonly form: ReduceForm,
  ) {
    this.#inner = form.reduced.at(-1)!;
    this.#groups = form.classes.includes(STRIDED) ? 1 : unrolling(code.program);
    this.#output = code.program.inputs.length;
  }

  /** Units of work are results, in row-major order of the kept dims. */
  emit(begin: I32, end: I32): void {
    const { f, code, form, reduction } = this;
    const { layout, args } = code;
    const views = Array.from({ length: this.#output + 1 }, (_, v) => v);
    const bases = new Map(views.map((v) => [v, f.local('i32', layout.address(args, v))]));
    const kept = Array.from({ length: form.rank }, (_, d) => d).filter((d) => !form.reduced.includes(d));
    const outer = new Odometer(f, layout, args, kept, bases);
    outer.seek(f.local('i32', begin));
    code.prepare();
    const steps = this.#steps();
    const size = f.local('i32', layout.size(args, this.#inner));
    const start = startOf(reduction);
    // Several accumulators, so that one addition need not wait for the one before it.
    const states: State[] = Array.from({ length: reduction.quick === undefined ? Math.min(this.#groups, 2) : 1 }, () =>
      start.map(() => f.local('v128')),
    );
    const quick = reduction.quick === undefined ? [] : Array.from({ length: this.#groups }, () => f.local('v128'));
    const place = reduction.indexed ? f.local('v128') : null;
    const inputs = new Map([...bases].filter(([v]) => v !== this.#output));
    f.loop((again) => {
      for (const state of states) state.forEach((s, i) => f.set(s, start[i]));
      if (place !== null) f.set(place, i32x4.const(0, 1, 2, 3));
      const moving = new Map([...inputs].map(([v, base]) => [v, f.local('i32', base)]));
      const walker = new Odometer(f, layout, args, form.reduced.slice(0, -1), moving);
      walker.start();
      f.loop((nextRow) => {
        const pointers = new Map([...moving].map(([v, p]) => [v, f.local('i32', p)]));
        const row = code.startRow(pointers, (dim) => (walker.index.get(dim) ?? outer.index.get(dim))!);
        this.#row(row, pointers, f.local('i32', size), steps, states, quick, place);
        walker.advance(nextRow);
      });
      this.#finish(states, bases.get(this.#output)!);
      f.block((done) => {
        f.brIf(done, i32.eq(begin.tee(i32.add(begin, 1)), end));
        outer.advance(again);
      });
    });
  }

  #steps(): Steps {
    const { f, code, form } = this;
    const steps = new Map<number, readonly I32[]>();
    form.classes.forEach((c, v) => {
      if (c !== STRIDED) return;
      const one = f.local('i32', code.layout.stride(code.args, v, this.#inner));
      const two = f.local('i32', i32.add(one, one));
      steps.set(v, [one, two, f.local('i32', i32.add(two, one)), f.local('i32', i32.add(two, two))]);
    });
    return steps;
  }

  #row(
    row: Row,
    pointers: Pointers,
    count: I32,
    steps: Steps,
    states: readonly State[],
    quick: readonly VLocal[],
    place: VLocal | null,
  ): void {
    const { f, code, reduction } = this;
    const groups = this.#groups;
    const index = code.innerIndex ? f.local('v128', i32x4.const(0, 1, 2, 3)) : null;
    const each = (group: number): Quad => {
      const [value] = code.evaluate(row, pointers, group, steps, index === null ? null : [index]);
      if (index !== null) f.set(index, i32x4.add(index, 4));
      return value;
    };
    const advance = (by: number): void => {
      if (place !== null) f.set(place, i32x4.add(place, by));
    };
    const whole = i32.const(4 * groups);
    f.while(
      () => i32.geU(count, whole),
      () => {
        if (reduction.quick === undefined) {
          f.loop((again) => {
            for (let group = 0; group < groups; group++) {
              reduction.take(f, states[group % states.length], each(group), place);
              advance(4);
            }
            this.#move(pointers, groups, steps);
            f.brIf(again, i32.geU(count.tee(i32.sub(count, whole)), whole));
          });
          return;
        }
        const rounds = f.local('i32', i32.divU(count, whole));
        f.set(rounds, select(i32.ltU(rounds, BLOCK_ROUNDS), rounds, i32.const(BLOCK_ROUNDS)));
        f.set(count, i32.sub(count, i32.mul(rounds, whole)));
        for (const q of quick) f.set(q, v128.zero);
        f.loop((again) => {
          for (let group = 0; group < groups; group++) f.set(quick[group], reduction.quick!(quick[group], each(group)[0]));
          this.#move(pointers, groups, steps);
          f.brIf(again, rounds.tee(i32.sub(rounds, 1)));
        });
        reduction.take(f, states[0], [this.#tree(quick)], null);
      },
    );
    // What is left, four by four; lanes beyond the end take what changes nothing.
    f.while(
      () => count,
      () => {
        const clamped = this.#clamped(steps, count);
        const [value] = code.evaluate(row, pointers, 0, clamped, index === null ? null : [index]);
        const inside = f.local('v128', i32x4.gtU(i32x4.splat(count), i32x4.const(0, 1, 2, 3)));
        const masked = value.map((x, i) => {
          const mask = value.length === 1 ? inside : i32x4.shuffle(i === 0 ? [0, 0, 1, 1] : [2, 2, 3, 3], inside, inside);
          return f.local('v128', v128.bitselect(x, reduction.neutral[i], mask));
        });
        reduction.take(f, states[0], masked, place);
        if (index !== null) f.set(index, i32x4.add(index, 4));
        this.#move(pointers, 1, steps);
        if (place !== null) {
          // The next row's places follow this one's last.
          const taken = select(i32.ltU(count, 4), count, i32.const(4));
          f.set(place, i32x4.add(place, i32x4.splat(taken)));
        }
        f.set(count, select(i32.gtU(count, 4), i32.sub(count, 4), i32.const(0)));
      },
    );
  }

  #tree(values: readonly VLocal[]): VLocal {
    const { f, reduction } = this;
    let level = [...values];
    while (level.length > 1) {
      const next: VLocal[] = [];
      for (let i = 0; i < level.length; i += 2) next.push(f.local('v128', reduction.quick!(level[i], level[i + 1])));
      level = next;
    }
    return level[0];
  }

  #clamped(steps: Steps, count: I32): Steps {
    const { f } = this;
    return new Map(
      [...steps].map(([v, own]) => [
        v,
        own.map((step, k) => (k === 3 ? step : f.local('i32', select(i32.gtU(count, k + 1), step, i32.const(0))))),
      ]),
    );
  }

  #move(pointers: Pointers, groups: number, steps: Steps): void {
    const { f, code, form } = this;
    form.classes.forEach((c, v) => {
      if (c === CONTIGUOUS) f.increment(pointers.get(v)!, 4 * groups * code.layout.elementSize(v));
      else if (c === STRIDED) f.increment(pointers.get(v)!, steps.get(v)![3]);
    });
  }

  #finish(states: readonly State[], at: I32): void {
    const { f, reduction } = this;
    const [state, ...others] = states;
    for (const other of others) reduction.merge(f, state, other);
    for (const by of [2, 1] as const) reduction.merge(f, state, rotated(f, reduction, state, by));
    storeSome(f, this.dtype, at, null, f.local('i32', 1), reduction.result(f, state));
  }
}
