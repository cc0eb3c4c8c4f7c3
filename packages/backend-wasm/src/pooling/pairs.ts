/** @file Max pooling over windows of 2x2 and stride 2, four results at a time, and its gradient. */
import { type Expr, f32x4, type FunctionBuilder, i32, i32x4, type ModuleBuilder, v128 } from '../assembler/index.js';
import { type Callee, type I32, inner, locals, type V128 } from '../code/emit.js';

const EVEN = [0, 2, 4, 6];
const ODD = [1, 3, 5, 7];

/** Walks over `count` (4 or more) columns of results four at a time; the last four overlap those before. */
function eachFour(f: FunctionBuilder, count: I32, body: (column: I32) => void): void {
  const [column, last] = locals(f, 'i32', 2);
  f.set(last, i32.sub(count, 4));
  f.set(column, 0);
  f.while(
    () => i32.ltS(column, last),
    () => {
      body(column);
      f.increment(column, 4);
    },
  );
  f.set(column, last);
  body(column);
}

/** `(x, xRow, count, y, indices, place, width)`: one row of results; `place` is that of the row's first element in its plane. */
export function emitMaxOfPairs(module: ModuleBuilder): Callee {
  return inner(module, 'maxOfPairs', ['x', 'xRow', 'count', 'y', 'indices', 'place', 'width'], (f, p) => {
    const [best, where, first, wins] = locals(f, 'v128', 4);
    const [at, second] = locals(f, 'i32', 2);
    const width = f.local('v128', i32x4.splat(p.width));
    /** The four values of four windows, by their places. */
    const read = (column: I32): readonly V128[] => {
      f.set(at, i32.add(p.x, i32.shl(column, 3)));
      f.set(second, i32.add(at, p.xRow));
      const [a, b] = [f.local('v128', v128.load(at)), f.local('v128', v128.load(at, 16))];
      const [c, d] = [f.local('v128', v128.load(second)), f.local('v128', v128.load(second, 16))];
      return [f32x4.shuffle(EVEN, a, b), f32x4.shuffle(ODD, a, b), f32x4.shuffle(EVEN, c, d), f32x4.shuffle(ODD, c, d)].map((v) =>
        f.local('v128', v),
      );
    };
    const values = (): void =>
      eachFour(f, p.count, (column) => {
        const [start, ...others] = read(column);
        f.set(best, start);
        for (const value of others) {
          f.set(wins, v128.or(f32x4.gt(value, best), f32x4.ne(value, value)));
          f.set(best, v128.bitselect(value, best, wins));
        }
        f.emit(v128.store(i32.add(p.y, i32.shl(column, 2)), best));
      });
    const valuesAndPlaces = (): void =>
      eachFour(f, p.count, (column) => {
        const [start, right, below, diagonal] = read(column);
        f.set(first, i32x4.add(i32x4.splat(i32.add(p.place, i32.shl(column, 1))), i32x4.const(0, 2, 4, 6)));
        f.set(best, start);
        f.set(where, first);
        const challenge = (value: V128, place: Expr<'v128'>): void => {
          // A larger one, or NaN where there was none.
          const nan = v128.andnot(f32x4.ne(value, value), f32x4.ne(best, best));
          f.set(wins, v128.or(f32x4.gt(value, best), nan));
          f.set(best, v128.bitselect(value, best, wins));
          f.set(where, v128.bitselect(place, where, wins));
        };
        challenge(right, i32x4.add(first, 1));
        challenge(below, i32x4.add(first, width));
        challenge(diagonal, i32x4.add(i32x4.add(first, width), 1));
        f.emit(v128.store(i32.add(p.y, i32.shl(column, 2)), best));
        f.emit(v128.store(i32.add(p.indices, i32.shl(column, 2)), where));
      });
    f.if(p.indices, valuesAndPlaces, values);
  });
}

/** `(x, xRow, count, y, indices, place, width, flag)`: the gradient of one row of results; `flag` is set where an index lies outside its window. */
export function emitGradOfPairs(module: ModuleBuilder): Callee {
  return inner(module, 'gradOfPairs', ['x', 'xRow', 'count', 'y', 'indices', 'place', 'width', 'flag'], (f, p) => {
    const [g, where, first, found] = locals(f, 'v128', 4);
    const at = f.local('i32');
    const width = f.local('v128', i32x4.splat(p.width));
    eachFour(f, p.count, (column) => {
      f.set(first, i32x4.add(i32x4.splat(i32.add(p.place, i32.shl(column, 1))), i32x4.const(0, 2, 4, 6)));
      f.set(g, v128.load(i32.add(p.y, i32.shl(column, 2))));
      f.set(where, v128.load(i32.add(p.indices, i32.shl(column, 2))));
      f.set(found, v128.zero);
      const shareOf = (place: Expr<'v128'>): V128 => {
        const here = f.local('v128', i32x4.eq(where, place));
        f.set(found, v128.or(found, here));
        return f.local('v128', v128.and(g, here));
      };
      const a = shareOf(first);
      const b = shareOf(i32x4.add(first, 1));
      const c = shareOf(i32x4.add(first, width));
      const d = shareOf(i32x4.add(i32x4.add(first, width), 1));
      f.if(v128.anyTrue(v128.not(found)), () => f.emit(i32.store(p.flag, 1)));
      f.set(at, i32.add(p.x, i32.shl(column, 3)));
      f.emit(v128.store(at, f32x4.shuffle([0, 4, 1, 5], a, b)), v128.store(at, f32x4.shuffle([2, 6, 3, 7], a, b), 16));
      f.set(at, i32.add(at, p.xRow));
      f.emit(v128.store(at, f32x4.shuffle([0, 4, 1, 5], c, d)), v128.store(at, f32x4.shuffle([2, 6, 3, 7], c, d), 16));
    });
  });
}
