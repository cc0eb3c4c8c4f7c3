/** @file Running sums and the like along one dim, on four lines side by side. */
import { DTYPE_INFO, type DType, makeProgram, type ScanKind } from '@tessera/core/backend';
import { f64x2, type FunctionBuilder, i32, type Local, select, v128 } from '../assembler/index.js';
import type { Kernel, Machine } from '../machine/machine.js';
import { demotePair, MathLibrary, promoteHigh, type V, type VLocal } from '../math/library.js';
import { ArgumentLayout } from './argument-layout.js';
import { Odometer } from './odometer.js';
import { type Reduction, reductionOf, startOf, type State } from './reductions.js';
import { loadContiguous, loadStrided, storeContiguous, storeSome } from './storage.js';

type I32 = Local<'i32'>;

/** What the code of a scan is chosen by. */
export interface ScanForm {
  readonly rank: number;
  readonly axis: number;
  /** The dim along which four lines lie side by side, or −1 where there is one line only. */
  readonly lanes: number;
  /** Neighbouring lines are neighbours in memory, in input and output. */
  readonly contiguous: boolean;
}

export interface CompiledScan {
  readonly kernel: Kernel;
  readonly layout: ArgumentLayout;
}

/** Groups of four lines that one unit of work has, where lines are neighbours in memory: a cache line of float32. */
export const WIDE = 4;
/** Words of the head: units of work along the lanes' dim. */
export const GROUPS = 0;

/** ln(e^a + e^b) = max + ln(1 + e^(min − max)), in float64. */
function logAddExp(f: FunctionBuilder, lib: MathLibrary, a: VLocal, b: VLocal): V {
  const most = f.local('v128', f64x2.max(a, b));
  // Two infinities of one sign have no difference.
  const gap = f.local('v128', v128.andnot(f64x2.neg(f64x2.abs(f64x2.sub(a, b))), f64x2.eq(a, b)));
  return f64x2.add(most, lib.call('log1p', lib.call('exp', gap)));
}

function logSumExp(dtype: DType, lib: MathLibrary): Reduction {
  const add = (f: FunctionBuilder, state: State, values: readonly V[]): void =>
    state.forEach((s, i) => f.set(s, logAddExp(f, lib, s, f.keep(values[i]))));
  const wide = dtype === 'float64';
  return {
    parts: [64],
    start: [f64x2.const(-Infinity)],
    neutral: [],
    take: (f, state, value) => add(f, state, wide ? value : [f64x2.promoteLowF32x4(value[0]), promoteHigh(value[0])]),
    merge: (f, into, other) => add(f, into, other),
    result: (f, [low, high]) => (wide ? [low, high] : [f.local('v128', demotePair(low, high))]),
    indexed: false,
  };
}

/** How a scan accumulates; null where the kind is not defined. */
function scanReduction(kind: ScanKind, dtype: 'float32' | 'float64' | 'int32', lib: MathLibrary): Reduction | null {
  if (kind === 'logsumexp') return dtype === 'int32' ? null : logSumExp(dtype, lib);
  return reductionOf(kind, dtype);
}

/** @returns null where the kind is not defined for the dtype. */
export function compileScan(machine: Machine, kind: ScanKind, dtype: 'float32' | 'float64' | 'int32', form: ScanForm): CompiledScan | null {
  const { size } = DTYPE_INFO[dtype];
  const identity = makeProgram({ inputs: [dtype], scalars: [], instructions: [], outputs: [{ register: 0, dtype }] });
  const layout = new ArgumentLayout(identity, form.rank, [size]);
  const module = machine.newModule();
  const lib = new MathLibrary(module, machine.fma, machine.functions);
  const reduction = scanReduction(kind, dtype, lib);
  if (reduction === null) return null;
  module.function(
    'run',
    { args: 'i32', begin: 'i32', end: 'i32', thread: 'i32' },
    'void',
    (f, { args, begin, end }) => new ScanLoops(f, layout, args, reduction, dtype, form).emit(begin, end),
    { export: true },
  );
  return { kernel: machine.compile(module).kernel('run'), layout };
}

class ScanLoops {
  constructor(
    readonly f: FunctionBuilder,
    readonly layout: ArgumentLayout,
    readonly args: I32,
    readonly reduction: Reduction,
    readonly dtype: DType,
    readonly form: ScanForm,
  ) {}

  /** Units of work are groups of lines. */
  emit(begin: I32, end: I32): void {
    const { f, layout, args, form } = this;
    const kept = Array.from({ length: form.rank }, (_, d) => d).filter((d) => d !== form.axis && d !== form.lanes);
    f.loop((nextUnit) => {
      const groups = f.local('i32', layout.head(args, GROUPS));
      const place = f.local('i32', i32.divU(begin, groups));
      const first = f.local('i32', i32.mul(i32.sub(begin, i32.mul(place, groups)), 4 * (form.contiguous ? WIDE : 1)));
      const lines = f.local('i32', form.lanes < 0 ? 1 : i32.sub(layout.size(args, form.lanes), first));
      const pointers = new Map([0, 1].map((v) => [v, f.local('i32', layout.address(args, v))]));
      if (form.lanes >= 0) for (const [v, p] of pointers) f.increment(p, i32.mul(first, layout.stride(args, v, form.lanes)));
      new Odometer(f, layout, args, kept, pointers).seek(place);
      const wide = this.form.contiguous ? WIDE : 1;
      f.if(
        i32.geU(lines, 4 * wide),
        () => this.#lines(pointers, wide, null),
        // The last few lines of a row.
        () =>
          f.doWhile(
            () => {
              const left = f.local('i32', select(i32.ltU(lines, 4), lines, i32.const(4)));
              this.#lines(new Map([...pointers].map(([v, p]) => [v, f.local('i32', p)])), 1, left);
              if (form.lanes >= 0) for (const [v, p] of pointers) f.increment(p, i32.shl(layout.stride(args, v, form.lanes), 2));
              f.set(lines, i32.sub(lines, left));
            },
            () => lines,
          ),
      );
      f.brIf(nextUnit, i32.ltU(begin.tee(i32.add(begin, 1)), end));
    });
  }

  /** Runs along so many groups of four lines; with `some`, one group of fewer. */
  #lines(pointers: ReadonlyMap<number, I32>, groups: number, some: I32 | null): void {
    const { f, layout, args, form, dtype } = this;
    const [source, target] = [pointers.get(0)!, pointers.get(1)!];
    const lines = some ?? f.local('i32', 4);
    const steps = [0, 1].map((v) => this.#steps(v, lines));
    const start = startOf(this.reduction);
    const states: State[] = Array.from({ length: groups }, () => start.map((s) => f.local('v128', s)));
    const count = f.local('i32', layout.size(args, form.axis));
    f.loop((again) => {
      states.forEach((state, group) => {
        const offset = group * 4 * layout.elementSize(0);
        const value = form.contiguous ? loadContiguous(f, dtype, source, offset) : loadStrided(f, dtype, source, steps[0]);
        this.reduction.take(f, state, value, null);
        const result = this.reduction.result(f, state);
        if (form.contiguous && some === null) storeContiguous(f, dtype, target, offset, result);
        else storeSome(f, dtype, target, steps[1], lines, result);
      });
      f.increment(source, layout.stride(args, 0, form.axis));
      f.increment(target, layout.stride(args, 1, form.axis));
      f.brIf(again, count.tee(i32.sub(count, 1)));
    });
  }

  /** The distances of the other three lines; of those that are not there: 0. */
  #steps(view: number, lines: I32): readonly I32[] {
    const { f, layout, args, form } = this;
    if (form.lanes < 0) return [1, 2, 3].map(() => f.local('i32', 0));
    const one = f.local('i32', layout.stride(args, view, form.lanes));
    return [1, 2, 3].map((k) => f.local('i32', select(i32.gtU(lines, k), i32.mul(one, k), i32.const(0))));
  }
}
