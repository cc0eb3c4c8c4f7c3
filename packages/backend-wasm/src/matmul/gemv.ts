/** @file A vector times a matrix whose columns lie side by side: four of the matrix's rows are added to the result at a time. */
import { i32, type ModuleBuilder, v128 } from '../assembler/index.js';
import { type Callee, choose, inner, type I32, locals } from '../code/emit.js';
import { type Element, multiplyAdd } from './element.js';

/** Rows that are read at once: as many streams as the processor follows well. */
const ROWS = 4;

/**
 * `(n, k, x, xStride, w, wRow, y, yStride, bias, biasStride, strip)`: y[j] = Σ x[k] · w[k][j] + bias[j]. `w` has its j's side by side; `strip` has room for the
 * result, which is summed there if y has gaps.
 */
export function emitGemv(module: ModuleBuilder, e: Element, fma: boolean): Callee {
  return inner(module, 'gemv', ['n', 'k', 'x', 'xStride', 'w', 'wRow', 'y', 'yStride', 'bias', 'biasStride', 'strip'], (f, p) => {
    const [j, k, at, nBytes, whole, sums] = locals(f, 'i32', 6);
    const rows = locals(f, 'i32', ROWS);
    const values = locals(f, 'v128', ROWS);
    const scalars = locals(f, e.type, ROWS);
    const sum = f.local('v128');
    const { load } = e.scalar;
    f.set(nBytes, i32.mul(p.n, e.size));
    f.set(whole, i32.and(nBytes, -16));
    f.set(sums, choose(i32.eq(p.yStride, e.size), p.y, p.strip));
    f.set(at, p.bias);
    f.for(j, 0, nBytes, e.size, () => {
      f.emit(e.scalar.store(i32.add(sums, j), load(at)));
      f.increment(at, p.biasStride);
    });
    f.set(rows[0], p.w);
    const addRows = (count: number): void => {
      for (let r = 0; r < count; r++) {
        if (r > 0) f.set(rows[r], i32.add(rows[r - 1], p.wRow));
        f.set(values[r], e.splat(p.x));
        f.set(scalars[r], load(p.x));
        f.increment(p.x, p.xStride);
      }
      f.for(j, 0, whole, 16, () => {
        f.set(sum, v128.load(i32.add(sums, j)));
        for (let r = 0; r < count; r++) f.set(sum, multiplyAdd(e, fma, values[r], v128.load(i32.add(rows[r], j)), sum));
        f.emit(v128.store(i32.add(sums, j), sum));
      });
      f.for(j, j, nBytes, e.size, () => {
        for (let r = 0; r < count; r++) {
          const product = e.scalar.mul(scalars[r], load(i32.add(rows[r], j)));
          f.emit(e.scalar.store(i32.add(sums, j), e.scalar.add(load(i32.add(sums, j)), product)));
        }
      });
      f.set(rows[0], i32.add(rows[count - 1], p.wRow));
      f.increment(k, count);
    };
    f.set(k, 0);
    f.while(
      () => i32.leS(i32.add(k, ROWS), p.k),
      () => addRows(ROWS),
    );
    f.while(
      () => i32.ltS(k, p.k),
      () => addRows(1),
    );
    f.if(i32.ne(sums, p.y), () => copyOut(j, at));

    function copyOut(index: I32, to: I32): void {
      f.set(to, p.y);
      f.for(index, 0, nBytes, e.size, () => {
        f.emit(e.scalar.store(to, load(i32.add(sums, index))));
        f.increment(to, p.yStride);
      });
    }
  });
}
