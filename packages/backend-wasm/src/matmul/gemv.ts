/** @file A vector times a matrix whose columns lie side by side: four of the matrix's rows are added to the result at a time. */
import type { Local } from '../code/function-code.js';
import type { Callee, ModuleCode } from '../code/module-code.js';
import { type Element, multiplyAdd } from './element.js';

/** Rows that are read at once: as many streams as the processor follows well. */
const ROWS = 4;

/**
 * `(n, k, x, xStride, w, wRow, y, yStride, bias, biasStride, strip)`: y[j] = Σ x[k] · w[k][j] + bias[j]. `w` has its j's side by side; `strip` has room for the
 * result, which is summed there if y has gaps.
 */
export function emitGemv(module: ModuleCode, e: Element, fma: boolean): Callee {
  return module.inner('gemv', ['n', 'k', 'x', 'xStride', 'w', 'wRow', 'y', 'yStride', 'bias', 'biasStride', 'strip'], (f, p) => {
    const [j, k, at, nBytes, whole, sums] = f.locals('i32', 6);
    const rows = f.locals('i32', ROWS);
    const values = f.locals('v128', ROWS);
    const scalars = f.locals(e.scalar, ROWS);
    const sum = f.v128();
    const load = (address: Parameters<typeof f.load>[1]): (() => void) => f.load(`${e.scalar}.load`, address);
    f.set(nBytes, f.mul(p.n, e.size));
    f.set(whole, f.and(nBytes, -16));
    f.set(sums, f.select(f.eq(p.yStride, e.size), p.y, p.strip));
    f.set(at, p.bias);
    f.for(j, 0, nBytes, e.size, () => {
      f.store(`${e.scalar}.store`, f.add(sums, j), 0, load(at));
      f.advance(at, p.biasStride);
    });
    f.set(rows[0], p.w);
    const addRows = (count: number): void => {
      for (let r = 0; r < count; r++) {
        if (r > 0) f.set(rows[r], f.add(rows[r - 1], p.wRow));
        f.set(values[r], f.load(e.splat, p.x));
        f.set(scalars[r], load(p.x));
        f.advance(p.x, p.xStride);
      }
      f.for(j, 0, whole, 16, () => {
        f.set(sum, f.loadVector(f.add(sums, j)));
        for (let r = 0; r < count; r++) f.set(sum, multiplyAdd(f, e, fma, values[r], f.loadVector(f.add(rows[r], j)), sum));
        f.storeVector(f.add(sums, j), 0, sum);
      });
      f.for(j, j, nBytes, e.size, () => {
        for (let r = 0; r < count; r++) {
          const product = f.op(`${e.scalar}.mul`, scalars[r], load(f.add(rows[r], j)));
          f.store(`${e.scalar}.store`, f.add(sums, j), 0, f.op(`${e.scalar}.add`, load(f.add(sums, j)), product));
        }
      });
      f.set(rows[0], f.add(rows[count - 1], p.wRow));
      f.advance(k, count);
    };
    f.set(k, 0);
    f.while(
      () => f.le(f.add(k, ROWS), p.k),
      () => addRows(ROWS),
    );
    f.while(
      () => f.lt(k, p.k),
      () => addRows(1),
    );
    f.if(f.ne(sums, p.y), () => copyOut(j, at));

    function copyOut(index: Local, to: Local): void {
      f.set(to, p.y);
      f.for(index, 0, nBytes, e.size, () => {
        f.store(`${e.scalar}.store`, to, 0, load(f.add(sums, index)));
        f.advance(to, p.yStride);
      });
    }
  });
}
