/** @file softmax, its logarithm, cross-entropy, and their gradients, row by row. */
import { type Expr, f32, f32x4, type FunctionBuilder, i32, type ModuleBuilder } from '../assembler/index.js';
import { type I32, locals, maxLanes, sumLanes, task, type V128, words } from '../code/emit.js';
import { FLOAT32_FUNCTIONS } from '../math/float32.js';
import { MathLibrary } from '../math/library.js';
import { expNonPositive, joinExponent, splitExponent } from './exponential.js';
import { type F32, orZero, RowLoop, StagedRow } from './row-loop.js';

/** Rows of two operands and a result; the second is the first where there is none. Strides in bytes. `room`: of a staged row. */
export const ROWS_FIELDS = words('columns a aRow aColumn b bRow bColumn out outRow outColumn room log');

/** `flag` is set where a target is no class. Of `losses`, `sums` (logsumexp) and `targets`, the strides by row. */
export const ENTROPY_FIELDS = words(
  'columns logits logitsRow logitsColumn targets targetsRow losses lossesRow sums sumsRow out outRow outColumn room ignore flag',
);

/** Vectors of a round: sums and maxima of their own let operations overlap. */
const UNROLL = 4;
/** A weight beyond which the gradient's mean is made more exact: below, a difference of it loses two bits. */
const DOMINANT = 0.5;

export function emitSoftmax(module: ModuleBuilder, fma: boolean): void {
  const library = new MathLibrary(module, fma, FLOAT32_FUNCTIONS);
  const log = (f: FunctionBuilder, x: F32): Expr<'f32'> => f32x4.extractLane(0, f.keep(library.call('log_f32', f32x4.splat(x))));

  /** The largest of a row, in all lanes. */
  const largest = (f: FunctionBuilder, loop: RowLoop, row: I32, most: V128): void => {
    const parts = locals(f, 'v128', UNROLL);
    for (const part of parts) f.set(part, f32x4.const(-Infinity));
    loop.each(UNROLL, ({ u, load }) => f.set(parts[u], f32x4.pmax(parts[u], load(row, -Infinity))));
    f.set(parts[0], f32x4.pmax(parts[0], parts[1]));
    f.set(parts[2], f32x4.pmax(parts[2], parts[3]));
    f.set(parts[0], f32x4.pmax(parts[0], parts[2]));
    f.set(most, f32x4.splat(maxLanes(parts[0])));
  };

  /** Σ e^(x − most), and the exponentials where `to` is given. */
  const sumOfExponentials = (f: FunctionBuilder, loop: RowLoop, row: I32, most: V128, to: I32 | null): F32 => {
    const [sum, sums] = locals(f, 'v128', 2);
    f.set(sum, f32x4.const(0));
    f.set(sums, f32x4.const(0));
    const parts = { rest: f.local('v128'), bits: f.local('v128') };
    loop.eachBehind(
      ({ load }) => splitExponent(f, f32x4.sub(load(row, -Infinity), most), parts),
      ({ store }) => {
        const e = joinExponent(f, fma, parts);
        f.set(sum, f32x4.add(sum, e));
        if (to !== null) store(to, e);
      },
      () => {
        f.set(sums, f32x4.add(sums, sum));
        f.set(sum, f32x4.const(0));
      },
    );
    f.set(sums, f32x4.add(sums, sum));
    return f.local('f32', sumLanes(sums));
  };

  task(module, 'softmax', ROWS_FIELDS, (f, p, begin, end, scratch) => {
    const loop = new RowLoop(f, p.columns);
    const x = new StagedRow(f, p.aColumn, p.columns, scratch);
    const y = new StagedRow(f, p.outColumn, p.columns, i32.add(scratch, p.room));
    const [from, to] = locals(f, 'i32', 2);
    const most = f.local('v128');
    const factor = f.local('v128');
    f.set(from, i32.add(p.a, i32.mul(begin, p.aRow)));
    f.set(to, i32.add(p.out, i32.mul(begin, p.outRow)));
    f.for(begin, begin, end, 1, () => {
      x.read(from);
      y.begin(to);
      largest(f, loop, x.at, most);
      f.if(
        p.log,
        () => {
          const sum = sumOfExponentials(f, loop, x.at, most, null);
          // x − (most + log Σ), in two steps: the first is exact where it matters.
          f.set(factor, f32x4.splat(log(f, sum)));
          loop.each(1, ({ load, store }) => store(y.at, f.keep(f32x4.sub(f32x4.sub(load(x.at), most), factor))));
        },
        () => {
          const sum = sumOfExponentials(f, loop, x.at, most, y.at);
          f.set(factor, f32x4.splat(f32.div(f32.const(1), sum)));
          loop.each(UNROLL, ({ load, store }) => store(y.at, f.local('v128', f32x4.mul(load(y.at), factor))));
        },
      );
      y.finish(to);
      f.increment(from, p.aRow);
      f.increment(to, p.outRow);
    });
  });

  // y (g − Σ g y), and g − e^y Σ g of the logarithm. a: the output's gradient, b: the output. Where a weight is near 1, the mean Σ g y is near its g, and
  // a rounding of the mean is all that is left of their difference: what the mean lacks, Σ y (g − mean), is added to that difference. Rows without such a
  // weight can do without.
  task(module, 'softmaxGrad', ROWS_FIELDS, (f, p, begin, end, scratch) => {
    const loop = new RowLoop(f, p.columns);
    const g = new StagedRow(f, p.aColumn, p.columns, scratch);
    const y = new StagedRow(f, p.bColumn, p.columns, i32.add(scratch, p.room));
    const out = new StagedRow(f, p.outColumn, p.columns, i32.add(scratch, i32.mul(p.room, 2)));
    const [atG, atY, to] = locals(f, 'i32', 3);
    const sums = locals(f, 'v128', UNROLL);
    const [total, lacking, most] = locals(f, 'v128', 3);
    f.set(atG, i32.add(p.a, i32.mul(begin, p.aRow)));
    f.set(atY, i32.add(p.b, i32.mul(begin, p.bRow)));
    f.set(to, i32.add(p.out, i32.mul(begin, p.outRow)));
    const clear = (): void => {
      for (const sum of sums) f.set(sum, f32x4.const(0));
    };
    const collect = (into: V128): void => {
      f.set(sums[0], f32x4.add(f32x4.add(sums[0], sums[1]), f32x4.add(sums[2], sums[3])));
      f.set(into, f32x4.splat(sumLanes(sums[0])));
    };
    f.for(begin, begin, end, 1, () => {
      g.read(atG);
      y.read(atY);
      out.begin(to);
      clear();
      f.if(
        p.log,
        () => {
          loop.each(UNROLL, ({ u, load }) => f.set(sums[u], f32x4.add(sums[u], load(g.at))));
          collect(total);
          loop.each(1, ({ load, store }) => {
            const e = expNonPositive(f, fma, load(y.at));
            store(out.at, f.local('v128', f32x4.sub(load(g.at), f32x4.mul(e, total))));
          });
        },
        () => {
          f.set(most, f32x4.const(0));
          loop.each(UNROLL, ({ u, load }) => {
            const weight = f.local('v128', load(y.at));
            f.set(most, f32x4.pmax(most, weight));
            f.set(sums[u], f32x4.add(sums[u], f32x4.mul(load(g.at), weight)));
          });
          collect(total);
          f.set(lacking, f32x4.const(0));
          f.if(f32.gt(maxLanes(most), f32.const(DOMINANT)), () => {
            clear();
            loop.each(UNROLL, ({ u, load }) => f.set(sums[u], f32x4.add(sums[u], f32x4.mul(load(y.at), f32x4.sub(load(g.at), total)))));
            collect(lacking);
            orZero(f, lacking);
          });
          loop.each(UNROLL, ({ load, store }) =>
            store(out.at, f.local('v128', f32x4.mul(load(y.at), f32x4.sub(f32x4.sub(load(g.at), total), lacking)))),
          );
        },
      );
      out.finish(to);
      f.increment(atG, p.aRow);
      f.increment(atY, p.bRow);
      f.increment(to, p.outRow);
    });
  });

  task(module, 'crossEntropy', ENTROPY_FIELDS, (f, p, begin, end, scratch) => {
    const loop = new RowLoop(f, p.columns);
    const x = new StagedRow(f, p.logitsColumn, p.columns, scratch);
    const [from, target] = locals(f, 'i32', 2);
    const most = f.local('v128');
    const lse = f.local('f32');
    const loss = f.local('f32');
    f.for(begin, begin, end, 1, () => {
      f.set(from, i32.add(p.logits, i32.mul(begin, p.logitsRow)));
      x.read(from);
      largest(f, loop, x.at, most);
      const sum = sumOfExponentials(f, loop, x.at, most, null);
      f.set(lse, f32.add(f32x4.extractLane(0, most), log(f, sum)));
      f.emit(f32.store(i32.add(p.sums, i32.mul(begin, p.sumsRow)), lse));
      f.set(target, i32.load(i32.add(p.targets, i32.mul(begin, p.targetsRow))));
      f.set(loss, f32.const(0));
      f.if(i32.ne(target, p.ignore), () =>
        f.if(
          i32.ltU(target, p.columns),
          () => f.set(loss, f32.sub(lse, f32.load(i32.add(x.at, i32.shl(target, 2))))),
          () => f.emit(i32.store(p.flag, 1)),
        ),
      );
      f.emit(f32.store(i32.add(p.losses, i32.mul(begin, p.lossesRow)), loss));
    });
  });

  // Normalized anew: the stored logsumexp was rounded, which would put all of a row off in the same direction. p − 1 of the target is −Σ p of the other
  // classes, without a difference of near numbers.
  task(module, 'crossEntropyGrad', ENTROPY_FIELDS, (f, p, begin, end, scratch) => {
    const loop = new RowLoop(f, p.columns);
    const x = new StagedRow(f, p.logitsColumn, p.columns, scratch);
    const out = new StagedRow(f, p.outColumn, p.columns, i32.add(scratch, p.room));
    const [from, to, target, at] = locals(f, 'i32', 4);
    const most = f.local('v128');
    const scale = f.local('v128');
    const sums = locals(f, 'v128', UNROLL);
    const [own, others] = locals(f, 'f32', 2);
    f.for(begin, begin, end, 1, () => {
      f.set(from, i32.add(p.logits, i32.mul(begin, p.logitsRow)));
      f.set(to, i32.add(p.out, i32.mul(begin, p.outRow)));
      x.read(from);
      out.begin(to);
      f.set(target, i32.load(i32.add(p.targets, i32.mul(begin, p.targetsRow))));
      f.if(
        i32.eq(target, p.ignore),
        () => loop.each(1, ({ store }) => store(out.at, f.local('v128', f32x4.const(0)))),
        () => {
          largest(f, loop, x.at, most);
          loop.each(1, ({ load, store }) => store(out.at, expNonPositive(f, fma, f32x4.sub(load(x.at), most))));
          f.set(own, f32.const(0));
          f.if(
            i32.ltU(target, p.columns),
            () => {
              f.set(at, i32.add(out.at, i32.shl(target, 2)));
              f.set(own, f32.load(at));
              f.emit(f32.store(at, f32.const(0)));
            },
            () => {
              f.set(at, scratch);
              f.emit(i32.store(p.flag, 1));
            },
          );
          for (const sum of sums) f.set(sum, f32x4.const(0));
          loop.each(UNROLL, ({ u, load }) => f.set(sums[u], f32x4.add(sums[u], load(out.at))));
          f.set(sums[0], f32x4.add(f32x4.add(sums[0], sums[1]), f32x4.add(sums[2], sums[3])));
          f.set(others, sumLanes(sums[0]));
          f.set(scale, f32x4.splat(f32.div(f32.load(i32.add(p.losses, i32.mul(begin, p.lossesRow))), f32.add(others, own))));
          loop.each(UNROLL, ({ load, store }) => store(out.at, f.local('v128', f32x4.mul(load(out.at), scale))));
          f.emit(f32.store(at, f32.neg(f32.mul(others, f32x4.extractLane(0, scale)))));
        },
      );
      out.finish(to);
    });
  });
}
