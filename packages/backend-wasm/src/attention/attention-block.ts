/** @file What attention and its gradient do for a block of queries: where it lies, its scores, and their softmax. */
import { type Expr, f32, f32x4, type FunctionBuilder, i32, type ModuleBuilder } from '../assembler/index.js';
import { call, type Callee, type I32, inner, least, locals, maxLanes, sumLanes, type V128, words } from '../code/emit.js';
import { expNonPositive } from '../rows/exponential.js';
import { type F32, RowLoop } from '../rows/row-loop.js';

/** A batch of matrices: address and strides in bytes. */
const matrix = <const N extends string>(name: N) => [name, `${name}Batch`, `${name}Row`, `${name}Column`] as const;

/**
 * `L` queries of `E` values, `S` keys, values of `V`; blocks of `rows` queries, `blocks` in each of the batch. `mask`: 0 for none; `maskKind` 1: floats to add, 2:
 * bytes that let pass. `scale` is the bits of a float. What ends in At is a place in the scratch.
 */
export const ATTENTION_FIELDS = [
  ...words('L S E V rows blocks scale causal maskKind'),
  ...matrix('q'),
  ...matrix('k'),
  ...matrix('v'),
  ...matrix('mask'),
  ...matrix('out'),
  ...words('sums sumsBatch sumsRow', 'stripAt keysAt valuesAt leftAt scoresAt scoresRow'),
  ...matrix('gradOut'),
  ...matrix('gradQ'),
  ...matrix('gradK'),
  ...matrix('gradV'),
  ...words('rightAt gradsAt'),
] as const;

type Fields = Readonly<Record<(typeof ATTENTION_FIELDS)[number], I32>>;

/** `(row, columns, seen, scale, mask, maskColumn, maskKind)`: score · scale + mask of one row; columns from `seen` on are −∞. */
export const emitFinishScores = (module: ModuleBuilder): Callee =>
  inner(module, 'finishScores', ['row', 'columns', 'seen', 'scale', 'mask', 'maskColumn', 'maskKind'], (f, p) => {
    const loop = new RowLoop(f, p.columns);
    const scale = f.local('v128', f32x4.splat(f32.reinterpretI32(p.scale)));
    const [at, end] = locals(f, 'i32', 2);
    loop.each(1, ({ load, store }) => store(p.row, f.local('v128', f32x4.mul(load(p.row), scale))));
    f.set(end, i32.add(p.row, i32.shl(p.columns, 2)));
    const eachMasked = (body: () => void): void => {
      f.set(at, p.row);
      f.while(
        () => i32.ne(at, end),
        () => {
          body();
          f.increment(p.mask, p.maskColumn);
          f.increment(at, 4);
        },
      );
    };
    f.if(i32.eq(p.maskKind, 1), () => eachMasked(() => f.emit(f32.store(at, f32.add(f32.load(at), f32.load(p.mask))))));
    f.if(i32.eq(p.maskKind, 2), () =>
      eachMasked(() => f.if(i32.eqz(i32.load8U(p.mask)), () => f.emit(f32.store(at, f32.const(-Infinity))))),
    );
    f.if(i32.ltS(p.seen, p.columns), () => {
      f.set(at, i32.add(p.row, i32.shl(p.seen, 2)));
      f.while(
        () => i32.ne(at, end),
        () => {
          f.emit(f32.store(at, f32.const(-Infinity)));
          f.increment(at, 4);
        },
      );
    });
  });

/** What both passes do for a block of queries. */
export class Block {
  readonly batch: I32;
  readonly first: I32;
  readonly rows: I32;
  /** Keys that some query of the block sees. */
  readonly keys: I32;
  readonly row: I32;
  readonly at: I32;
  readonly seen: I32;

  constructor(
    readonly f: FunctionBuilder,
    readonly p: Fields,
    /** {@link emitFinishScores} */
    readonly finishScores: Callee,
  ) {
    [this.batch, this.first, this.rows, this.keys, this.row, this.at, this.seen] = locals(f, 'i32', 7);
  }

  begin(unit: I32): void {
    const { f, p } = this;
    f.set(this.batch, i32.divU(unit, p.blocks));
    f.set(this.first, i32.mul(i32.remU(unit, p.blocks), p.rows));
    f.set(this.rows, i32.sub(p.L, this.first));
    f.set(this.rows, least(this.rows, p.rows));
    f.set(this.keys, p.S);
    f.if(p.causal, () => {
      f.set(this.keys, i32.add(this.first, this.rows));
      f.set(this.keys, least(this.keys, p.S));
    });
  }

  /** Where row `first` of the batch's matrix lies. */
  of(name: 'q' | 'k' | 'v' | 'out' | 'mask' | 'gradOut' | 'gradQ' | 'gradK' | 'gradV', first: I32 | number = 0): Expr<'i32'> {
    const { p } = this;
    const batch = i32.mul(this.batch, p[`${name}Batch`]);
    return i32.add(p[name], first === 0 ? batch : i32.add(batch, i32.mul(first, p[`${name}Row`])));
  }

  /** Walks over the block's rows of scores, scaled and masked: `body(address, row)`. */
  eachRow(scores: I32, body: (at: I32, row: I32) => void): void {
    const { f, p, row, at, seen } = this;
    const mask = f.local('i32');
    f.set(at, scores);
    f.set(mask, this.of('mask', this.first));
    f.for(row, 0, this.rows, 1, () => {
      f.set(seen, this.keys);
      f.if(p.causal, () => {
        f.set(seen, i32.add(i32.add(this.first, row), 1));
        f.set(seen, least(seen, this.keys));
      });
      f.emit(call(this.finishScores, at, this.keys, seen, p.scale, mask, p.maskColumn, p.maskKind));
      body(at, row);
      f.increment(at, p.scoresRow);
      f.increment(mask, p.maskRow);
    });
  }

  /** Where the logsumexp of a row of the block lies. */
  sum(row: I32): Expr<'i32'> {
    const { p } = this;
    return i32.add(p.sums, i32.add(i32.mul(this.batch, p.sumsBatch), i32.mul(i32.add(this.first, row), p.sumsRow)));
  }
}

/** Scores to probabilities; `most` becomes the largest score, `total` the sum of e^(score − most). */
export function softmaxRow(f: FunctionBuilder, fma: boolean, loop: RowLoop, row: I32, most: V128, total: F32): void {
  const parts = locals(f, 'v128', 4);
  const [sum, factor] = locals(f, 'v128', 2);
  for (const part of parts) f.set(part, f32x4.const(-Infinity));
  loop.each(4, ({ u, load }) => f.set(parts[u], f32x4.pmax(parts[u], load(row, -Infinity))));
  f.set(parts[0], f32x4.pmax(f32x4.pmax(parts[0], parts[1]), f32x4.pmax(parts[2], parts[3])));
  f.set(most, f32x4.splat(maxLanes(parts[0])));
  f.set(sum, f32x4.const(0));
  loop.each(1, ({ load, store }) => {
    const e = expNonPositive(f, fma, f32x4.sub(load(row, -Infinity), most));
    f.set(sum, f32x4.add(sum, e));
    store(row, e);
  });
  f.set(total, sumLanes(sum));
  f.set(factor, f32x4.splat(f32.div(f32.const(1), total)));
  loop.each(1, ({ load, store }) => store(row, f.local('v128', f32x4.mul(load(row), factor))));
}

/** Sets the scores of a block's rows from its last seen key to the end of the block of keys that begins at k to 0. */
export function clearBehind(f: FunctionBuilder, block: Block, scores: I32, scoresRow: I32, k: I32, kc: I32): void {
  const [row, at, to, last] = locals(f, 'i32', 4);
  f.set(at, scores);
  f.for(row, 0, block.rows, 1, () => {
    f.set(to, i32.add(at, i32.shl(block.keys, 2)));
    f.set(last, i32.add(at, i32.shl(i32.add(k, kc), 2)));
    f.while(
      () => i32.ne(to, last),
      () => {
        f.emit(f32.store(to, f32.const(0)));
        f.increment(to, 4);
      },
    );
    f.increment(at, scoresRow);
  });
}

/** Sets the batch's matrix of S rows to 0. */
export function clearRows(f: FunctionBuilder, batch: I32, p: Fields, name: 'gradK' | 'gradV', width: I32): void {
  const [row, column, at, to] = locals(f, 'i32', 4);
  f.set(at, i32.add(p[name], i32.mul(batch, p[`${name}Batch`])));
  f.for(row, 0, p.S, 1, () => {
    f.set(to, at);
    f.for(column, 0, width, 1, () => {
      f.emit(f32.store(to, f32.const(0)));
      f.increment(to, p[`${name}Column`]);
    });
    f.increment(at, p[`${name}Row`]);
  });
}
