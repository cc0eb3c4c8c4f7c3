/** @file The pointwise kernel's code: rows over the outer dims, four elements at a time along the inner one. */
import { DTYPE_INFO, type Program } from '@tessera/core/backend';
import { type FunctionBuilder, i32, i32x4, type Label, type Local, select } from '../assembler/index.js';
import type { Kernel, Machine } from '../machine/machine.js';
import { MathLibrary } from '../math/library.js';
import { ArgumentLayout } from './argument-layout.js';
import { Odometer } from './odometer.js';
import { ProgramCode, type Row } from './program-code.js';
import { BROADCAST, CONTIGUOUS, type Quad, storeContiguous, storeSome, storeStrided, STRIDED, type StrideClass } from './storage.js';
import { unrolling } from './unroll.js';

type I32 = Local<'i32'>;
type Pointers = ReadonlyMap<number, I32>;

/** Words of the head: how many elements a unit of work has, how many units a row. */
export const SEGMENT = 0;
export const SEGMENTS = 1;

export interface CompiledPointwise {
  readonly kernel: Kernel;
  readonly layout: ArgumentLayout;
}

/** Compiles a program for views of `rank` dims, whose inner strides are of the classes given (inputs, then outputs). */
export function compilePointwise(machine: Machine, program: Program, rank: number, classes: readonly StrideClass[]): CompiledPointwise {
  const layout = new ArgumentLayout(
    program,
    rank,
    program.outputs.map(({ dtype }) => DTYPE_INFO[dtype].size),
  );
  const module = machine.newModule();
  const lib = new MathLibrary(module, machine.fma, machine.functions);
  module.function(
    'run',
    { args: 'i32', begin: 'i32', end: 'i32', thread: 'i32' },
    'void',
    (f, { args, begin, end }) => {
      const code = new ProgramCode(f, lib, program, layout, args, classes.slice(0, program.inputs.length), rank - 1);
      new PointwiseLoops(f, code, layout, classes, args).emit(begin, end);
    },
    { export: true },
  );
  return { kernel: machine.compile(module).kernel('run'), layout };
}

class PointwiseLoops {
  readonly #inner: number;

  constructor(
    readonly f: FunctionBuilder,
    readonly code: ProgramCode,
    readonly layout: ArgumentLayout,
    readonly classes: readonly StrideClass[],
    readonly args: I32,
  ) {
    this.#inner = layout.rank - 1;
  }

  emit(begin: I32, end: I32): void {
    const { f, code, layout, args } = this;
    const segments = f.local('i32', layout.head(args, SEGMENTS));
    const length = f.local('i32', layout.head(args, SEGMENT));
    const place = f.local('i32', i32.divU(begin, segments));
    const segment = f.local('i32', i32.sub(begin, i32.mul(place, segments)));
    const bases = new Map(this.classes.map((_, v) => [v, f.local('i32', layout.address(args, v), `base${v}`)]));
    const dims = Array.from({ length: this.#inner }, (_, d) => d);
    const odometer = new Odometer(f, layout, args, dims, bases);
    odometer.seek(place);
    code.prepare();
    const steps = this.#steps();
    f.loop((again) => {
      const start = f.local('i32', i32.mul(segment, length));
      const rest = f.local('i32', i32.sub(layout.size(args, this.#inner), start));
      const count = f.local('i32', select(i32.ltU(rest, length), rest, length));
      const pointers = this.#pointers(bases, start);
      const row = code.startRow(pointers, (dim) => odometer.index.get(dim)!);
      this.#row(row, pointers, start, count, steps);
      f.block((done) => {
        f.brIf(done, i32.eq(begin.tee(i32.add(begin, 1)), end));
        f.increment(segment, 1);
        f.brIf(again, i32.ltU(segment, segments));
        f.set(segment, 0);
        odometer.advance(again);
      });
    });
  }

  /** The addresses of the first elements of a segment. */
  #pointers(bases: Pointers, start: I32): Pointers {
    const { f, layout, args } = this;
    return new Map(
      this.classes.map((c, v) => {
        if (c === BROADCAST) return [v, bases.get(v)!];
        const size = layout.elementSize(v);
        const distance = c === CONTIGUOUS ? i32.mul(start, size) : i32.mul(start, layout.stride(args, v, this.#inner));
        return [v, f.local('i32', i32.add(bases.get(v)!, distance), `p${v}`)];
      }),
    );
  }

  /** Of the strided views: one, two, three and four strides. */
  #steps(): ReadonlyMap<number, readonly I32[]> {
    const { f, layout, args } = this;
    const steps = new Map<number, readonly I32[]>();
    this.classes.forEach((c, v) => {
      if (c !== STRIDED) return;
      const one = f.local('i32', layout.stride(args, v, this.#inner));
      const two = f.local('i32', i32.add(one, one));
      steps.set(v, [one, two, f.local('i32', i32.add(two, one)), f.local('i32', i32.add(two, two))]);
    });
    return steps;
  }

  #row(row: Row, pointers: Pointers, start: I32, count: I32, steps: ReadonlyMap<number, readonly I32[]>): void {
    const { f, code } = this;
    const strided = steps.size > 0;
    const groups = strided ? 1 : unrolling(code.program);
    const index = code.innerIndex ? f.local('v128', i32x4.add(i32x4.splat(start), i32x4.const(0, 1, 2, 3))) : null;
    const four = i32.const(4 * groups);
    f.if(i32.geU(count, four), () =>
      f.loop((again) => {
        for (let group = 0; group < groups; group++) {
          const values = code.evaluate(row, pointers, group, steps, index === null ? null : [index]);
          this.#store(pointers, group, steps, values);
          if (index !== null) f.set(index, i32x4.add(index, 4));
        }
        this.#move(pointers, groups, steps);
        f.brIf(again, i32.geU(count.tee(i32.sub(count, four)), four));
      }),
    );
    // What is left, four by four, and at the end fewer: those beyond are computed from whatever is there, and not written.
    f.if(count, () =>
      f.loop((again) => {
        const clamped = this.#clamped(steps, count);
        const values = code.evaluate(row, pointers, 0, clamped, index === null ? null : [index]);
        const { outputs, inputs } = code.program;
        outputs.forEach(({ dtype }, n) => {
          const v = inputs.length + n;
          storeSome(f, dtype, pointers.get(v)!, steps.get(v) ?? null, count, values[n]);
        });
        if (groups > 1) this.#again(again, pointers, steps, count, index);
      }),
    );
  }

  /** After four of the rest: more of them, if there are. */
  #again(again: Label, pointers: Pointers, steps: ReadonlyMap<number, readonly I32[]>, count: I32, index: Local<'v128'> | null): void {
    const { f } = this;
    f.if(i32.gtU(count, 4), () => {
      this.#move(pointers, 1, steps);
      if (index !== null) f.set(index, i32x4.add(index, 4));
      f.set(count, i32.sub(count, 4));
      f.br(again);
    });
  }

  /** Steps that stay inside where fewer than four are left. */
  #clamped(steps: ReadonlyMap<number, readonly I32[]>, count: I32): ReadonlyMap<number, readonly I32[]> {
    const { f } = this;
    const inputs = this.code.program.inputs.length;
    return new Map(
      [...steps].map(([v, own]) => {
        if (v >= inputs) return [v, own];
        const at = own.slice(0, 3).map((step, k) => f.local('i32', select(i32.gtU(count, k + 1), step, i32.const(0))));
        return [v, at];
      }),
    );
  }

  #store(pointers: Pointers, group: number, steps: ReadonlyMap<number, readonly I32[]>, values: readonly Quad[]): void {
    const { f, code, layout } = this;
    const inputs = code.program.inputs.length;
    code.program.outputs.forEach(({ dtype }, n) => {
      const v = inputs + n;
      const at = pointers.get(v)!;
      if (this.classes[v] === CONTIGUOUS) storeContiguous(f, dtype, at, group * 4 * layout.elementSize(v), values[n]);
      else storeStrided(f, dtype, at, steps.get(v)!, values[n]);
    });
  }

  #move(pointers: Pointers, groups: number, steps: ReadonlyMap<number, readonly I32[]>): void {
    const { f, layout } = this;
    this.classes.forEach((c, v) => {
      if (c === CONTIGUOUS) f.increment(pointers.get(v)!, 4 * groups * layout.elementSize(v));
      else if (c === STRIDED) f.increment(pointers.get(v)!, steps.get(v)![3]);
    });
  }
}
