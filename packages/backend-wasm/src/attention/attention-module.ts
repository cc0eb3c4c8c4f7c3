/**
 * @file Scaled-dot-product attention, a block of queries at a time: their scores against all keys stay in the cache, the whole matrix of scores never
 * exists (Dao et al., 2022, FlashAttention, without its running maximum). The gradient makes the probabilities anew from whole rows of scores: out and
 * logsumexp, which were rounded, would cost digits where one weight is near 1 and the rest cancels.
 */
import { type Expr, f32, f32x4, type FunctionBuilder, i32, memory, type ModuleBuilder } from '../assembler/index.js';
import { call, type I32, inner, least, locals, maxLanes, sumLanes, task, type V128, words } from '../code/emit.js';
import { FLOAT32_FUNCTIONS } from '../math/float32.js';
import { MathLibrary } from '../math/library.js';
import { FLOAT32 } from '../matmul/element.js';
import { emitPack } from '../matmul/pack.js';
import { columnsOf, emitPacked, type TileShape } from '../matmul/tile.js';
import { expNonPositive } from '../rows/exponential.js';
import { type F32, orZero, RowLoop } from '../rows/row-loop.js';

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

/** k's of a product over keys that are multiplied at once: a panel of them fits the first-level cache. */
const KEY_BLOCK = 256;

export function emitAttention(module: ModuleBuilder, tile: TileShape): void {
  const { fma } = tile;
  const columns = columnsOf(tile, FLOAT32);
  const library = new MathLibrary(module, fma, FLOAT32_FUNCTIONS);
  const packLeft = emitPack(module, FLOAT32, tile.rows);
  const packRight = emitPack(module, FLOAT32, columns);
  const packed = emitPacked(module, FLOAT32, tile);

  /** `(m, n, k, a, aRow, aColumn, b, bRow, bColumn, c, cRow, cColumn, accumulate, left, right, strip, zeros)`: c = or += a · b, in blocks of k. */
  const product = inner(
    module,
    'product',
    [
      'm',
      'n',
      'k',
      'a',
      'aRow',
      'aColumn',
      'b',
      'bRow',
      'bColumn',
      'c',
      'cRow',
      'cColumn',
      'accumulate',
      'left',
      'right',
      'strip',
      'zeros',
    ],
    (f, p) => {
      const kc = f.local('i32');
      f.while(
        () => i32.gtS(p.k, 0),
        () => {
          f.set(kc, least(p.k, KEY_BLOCK));
          f.emit(
            call(packRight, p.b, p.bColumn, p.bRow, p.n, kc, p.right),
            call(packLeft, p.a, p.aRow, p.aColumn, p.m, kc, p.left),
            call(packed, p.m, p.n, kc, p.left, p.right, p.c, p.cRow, p.cColumn, p.accumulate, p.zeros, 0, 0, p.strip),
          );
          f.set(p.accumulate, 1);
          f.increment(p.a, i32.mul(kc, p.aColumn));
          f.increment(p.b, i32.mul(kc, p.bRow));
          f.increment(p.k, i32.sub(0, kc));
        },
      );
    },
  );

  /** `(row, columns, seen, scale, mask, maskColumn, maskKind)`: score · scale + mask of one row; columns from `seen` on are −∞. */
  const finishScores = inner(module, 'finishScores', ['row', 'columns', 'seen', 'scale', 'mask', 'maskColumn', 'maskKind'], (f, p) => {
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
  class Block {
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
      readonly scratch: I32,
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
        f.emit(call(finishScores, at, this.keys, seen, p.scale, mask, p.maskColumn, p.maskKind));
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
  function softmaxRow(f: FunctionBuilder, loop: RowLoop, row: I32, most: V128, total: F32): void {
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

  task(module, 'attention', ATTENTION_FIELDS, (f, p, begin, end, scratch) => {
    const block = new Block(f, p, scratch);
    const [strip, keys, values, left, scores, packedBatch, zeros, k, kc, at, to] = locals(f, 'i32', 11);
    f.set(zeros, scratch);
    f.emit(memory.fill(zeros, 0, 256));
    f.set(strip, i32.add(scratch, p.stripAt));
    f.set(keys, i32.add(scratch, p.keysAt));
    f.set(values, i32.add(scratch, p.valuesAt));
    f.set(left, i32.add(scratch, p.leftAt));
    f.set(scores, i32.add(scratch, p.scoresAt));
    f.set(packedBatch, -1);
    const loop = new RowLoop(f, block.keys);
    const [most, sum] = locals(f, 'v128', 2);
    const lse = f.local('f32');
    f.for(begin, begin, end, 1, () => {
      block.begin(begin);
      f.if(i32.ne(block.batch, packedBatch), () => {
        f.set(packedBatch, block.batch);
        f.emit(call(packRight, block.of('k'), p.kRow, p.kColumn, p.S, p.E, keys));
        // Values in blocks of keys, each packed by itself.
        f.set(to, values);
        f.set(k, 0);
        f.while(
          () => i32.ltS(k, p.S),
          () => {
            f.set(kc, i32.sub(p.S, k));
            f.set(kc, least(kc, KEY_BLOCK));
            f.emit(call(packRight, block.of('v', k), p.vColumn, p.vRow, p.V, kc, to));
            f.increment(to, i32.mul(kc, i32.mul(i32.divU(i32.add(p.V, columns - 1), columns), columns * 4)));
            f.increment(k, kc);
          },
        );
      });
      f.emit(
        call(packLeft, block.of('q', block.first), p.qRow, p.qColumn, block.rows, p.E, left),
        call(packed, block.rows, block.keys, p.E, left, keys, scores, p.scoresRow, 4, 0, zeros, 0, 0, strip),
      );
      loop.measure();
      block.eachRow(scores, (row, number) => {
        softmaxRow(f, loop, row, most, lse);
        f.set(sum, library.call('log_f32', f32x4.splat(lse)));
        f.emit(f32.store(block.sum(number), f32.add(f32x4.extractLane(0, most), f32x4.extractLane(0, sum))));
      });
      f.set(at, values);
      f.set(k, 0);
      f.while(
        () => i32.ltS(k, block.keys),
        () => {
          // The packed blocks are whole ones; of the last, what the block does not see has probability 0.
          f.set(kc, i32.sub(p.S, k));
          f.set(kc, least(kc, KEY_BLOCK));
          f.set(to, i32.sub(block.keys, k));
          f.if(i32.ltS(to, kc), () => clearBehind(f, block, scores, p.scoresRow, k, kc));
          f.emit(
            call(packLeft, i32.add(scores, i32.shl(k, 2)), p.scoresRow, 4, block.rows, kc, left),
            call(packed, block.rows, p.V, kc, left, at, block.of('out', block.first), p.outRow, p.outColumn, k, zeros, 0, 0, strip),
          );
          f.increment(at, i32.mul(kc, i32.mul(i32.divU(i32.add(p.V, columns - 1), columns), columns * 4)));
          f.increment(k, kc);
        },
      );
    });
  });

  /** Sets the scores of a block's rows from its last seen key to the end of the block of keys that begins at k to 0. */
  function clearBehind(f: FunctionBuilder, block: Block, scores: I32, scoresRow: I32, k: I32, kc: I32): void {
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

  // Units are batches: the gradients of keys and values are sums over all queries.
  task(module, 'attentionGrad', ATTENTION_FIELDS, (f, p, begin, end, scratch) => {
    const block = new Block(f, p, scratch);
    const [strip, left, right, scores, grads, zeros, unit, last] = locals(f, 'i32', 8);
    f.set(zeros, scratch);
    f.emit(memory.fill(zeros, 0, 256));
    f.set(strip, i32.add(scratch, p.stripAt));
    f.set(left, i32.add(scratch, p.leftAt));
    f.set(right, i32.add(scratch, p.rightAt));
    f.set(scores, i32.add(scratch, p.scoresAt));
    f.set(grads, i32.add(scratch, p.gradsAt));
    const loop = new RowLoop(f, block.keys);
    const [most, mean, part, scale] = locals(f, 'v128', 4);
    const gradRow = f.local('i32');
    const sum = f.local('f32');
    f.set(scale, f32x4.splat(f32.reinterpretI32(p.scale)));
    const room = [left, right, strip, zeros] as const;
    f.for(begin, begin, end, 1, () => {
      f.set(unit, i32.mul(begin, p.blocks));
      f.set(last, i32.add(unit, p.blocks));
      clearRows(f, begin, p, 'gradK', p.E);
      clearRows(f, begin, p, 'gradV', p.V);
      f.for(unit, unit, last, 1, () => {
        block.begin(unit);
        loop.measure();
        const rows = block.rows;
        const keys = block.keys;
        const q = () => [block.of('q', block.first), p.qRow, p.qColumn] as const;
        const g = () => [block.of('gradOut', block.first), p.gradOutRow, p.gradOutColumn] as const;
        // Scores, and the gradient of the probabilities: gradOut · valueᵀ.
        f.emit(
          call(product, rows, keys, p.E, ...q(), block.of('k'), p.kColumn, p.kRow, scores, p.scoresRow, 4, 0, ...room),
          call(product, rows, keys, p.V, ...g(), block.of('v'), p.vColumn, p.vRow, grads, p.scoresRow, 4, 0, ...room),
        );
        f.set(gradRow, grads);
        block.eachRow(scores, (row) => {
          softmaxRow(f, loop, row, most, sum);
          // The mean of the gradients, and what its rounding lacks: see softmaxGrad.
          f.set(part, f32x4.const(0));
          loop.each(1, ({ load }) => f.set(part, f32x4.add(part, f32x4.mul(load(row), load(gradRow)))));
          f.set(mean, f32x4.splat(sumLanes(part)));
          f.set(part, f32x4.const(0));
          loop.each(1, ({ load }) => f.set(part, f32x4.add(part, f32x4.mul(load(row), f32x4.sub(load(gradRow), mean)))));
          f.set(part, f32x4.splat(sumLanes(part)));
          orZero(f, part);
          loop.each(1, ({ load, store }) => {
            const difference = f32x4.sub(f32x4.sub(load(gradRow), mean), part);
            store(gradRow, f.local('v128', f32x4.mul(f32x4.mul(load(row), difference), scale)));
          });
          f.increment(gradRow, p.scoresRow);
        });
        f.emit(
          // gradValue += probabilitiesᵀ · gradOut; gradKey += gradScoresᵀ · query; gradQuery = gradScores · key.
          call(product, keys, p.V, rows, scores, 4, p.scoresRow, ...g(), block.of('gradV'), p.gradVRow, p.gradVColumn, 1, ...room),
          call(product, keys, p.E, rows, grads, 4, p.scoresRow, ...q(), block.of('gradK'), p.gradKRow, p.gradKColumn, 1, ...room),
          call(
            product,
            ...([rows, p.E, keys, grads, p.scoresRow, 4, block.of('k'), p.kRow, p.kColumn] as const),
            ...([block.of('gradQ', block.first), p.gradQRow, p.gradQColumn, 0, ...room] as const),
          ),
        );
      });
    });
  });

  /** Sets the batch's matrix of S rows to 0. */
  function clearRows(f: FunctionBuilder, batch: I32, p: Fields, name: 'gradK' | 'gradV', width: I32): void {
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
}
