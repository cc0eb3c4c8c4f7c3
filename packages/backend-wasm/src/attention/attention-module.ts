/**
 * @file Scaled-dot-product attention, a block of queries at a time: their scores against all keys stay in the cache, the whole matrix of scores never
 * exists (Dao et al., 2022, FlashAttention, without its running maximum). The gradient makes the probabilities anew from whole rows of scores: out and
 * logsumexp, which were rounded, would cost digits where one weight is near 1 and the rest cancels.
 */
import { f32, f32x4, i32, memory, type ModuleBuilder } from '../assembler/index.js';
import { call, inner, least, locals, sumLanes, task } from '../code/emit.js';
import { FLOAT32_FUNCTIONS } from '../math/float32.js';
import { MathLibrary } from '../math/library.js';
import { FLOAT32 } from '../matmul/element.js';
import { emitPack } from '../matmul/pack.js';
import { columnsOf, emitPacked, type TileShape } from '../matmul/tile.js';
import { orZero, RowLoop } from '../rows/row-loop.js';
import { ATTENTION_FIELDS, Block, clearBehind, clearRows, emitFinishScores, softmaxRow } from './attention-block.js';

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

  const finishScores = emitFinishScores(module);

  task(module, 'attention', ATTENTION_FIELDS, (f, p, begin, end, scratch) => {
    const block = new Block(f, p, finishScores);
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
        softmaxRow(f, fma, loop, row, most, lse);
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

  // Units are batches: the gradients of keys and values are sums over all queries.
  task(module, 'attentionGrad', ATTENTION_FIELDS, (f, p, begin, end, scratch) => {
    const block = new Block(f, p, finishScores);
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
          softmaxRow(f, fma, loop, row, most, sum);
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
}
