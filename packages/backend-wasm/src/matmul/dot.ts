/** @file Products of rows by rows, where both operands' values for one result lie side by side: no packing, one vector sum for each result. */
import type { Callee, ModuleCode } from '../code/module-code.js';
import { type Element, multiplyAdd, sumOfLanes } from './element.js';

/**
 * `(m, n, k, a, aRow, b, bRow, c, rowStride, columnStride, bias, biasRow, biasColumn)`: c[i][j] = Σ a[i][k] · b[j][k] + bias, `rows` x `columns` results at
 * a time, each in `unroll` accumulators. Both operands have their k's side by side. A bias's strides are bytes; both 0 with a zero in memory means none.
 */
export function emitDot(module: ModuleCode, e: Element, fma: boolean, rows: number, columns: number, unroll: number): Callee {
  const names = ['m', 'n', 'k', 'a', 'aRow', 'b', 'bRow', 'c', 'rowStride', 'columnStride', 'bias', 'biasRow', 'biasColumn'];
  return module.inner(`dot${rows}x${columns}`, names, (f, p) => {
    const [i, j, at, end, whole, row, column] = f.locals('i32', 7);
    const left = f.locals('i32', rows);
    const right = f.locals('i32', columns);
    const sums = f.locals('v128', rows * columns * unroll);
    const totals = f.locals(e.scalar, rows * columns);
    const values = f.locals('v128', columns);
    const value = f.v128();
    const step = e.lanes * unroll;
    const sum = (r: number, q: number, u: number): (typeof sums)[0] => sums[(r * columns + q) * unroll + u];
    const clamped = (index: typeof i, offset: number, count: typeof i): void => {
      f.set(row, f.add(index, offset));
      f.set(column, f.sub(count, 1));
      f.set(row, f.min(row, column));
    };
    f.set(end, f.mul(p.k, e.size));
    f.set(whole, f.mul(f.sub(p.k, f.rem(p.k, step)), e.size));
    f.for(i, 0, p.m, rows, () => {
      left.forEach((pointer, r) => {
        clamped(i, r, p.m);
        f.set(pointer, f.add(p.a, f.mul(row, p.aRow)));
      });
      f.for(j, 0, p.n, columns, () => {
        right.forEach((pointer, q) => {
          clamped(j, q, p.n);
          f.set(pointer, f.add(p.b, f.mul(row, p.bRow)));
        });
        for (const v of sums) f.set(v, f.zero());
        f.set(at, 0);
        f.while(
          () => f.ne(at, whole),
          () => {
            for (let u = 0; u < unroll; u++) {
              values.forEach((v, q) => f.set(v, f.loadVector(f.add(right[q], at), u * 16)));
              for (let r = 0; r < rows; r++) {
                f.set(value, f.loadVector(f.add(left[r], at), u * 16));
                values.forEach((v, q) => f.set(sum(r, q, u), multiplyAdd(f, e, fma, value, v, sum(r, q, u))));
              }
            }
            f.advance(at, step * e.size);
          },
        );
        for (let r = 0; r < rows; r++) {
          for (let q = 0; q < columns; q++) {
            for (let u = 1; u < unroll; u++) f.set(sum(r, q, 0), f.op(`${e.vector}.add`, sum(r, q, 0), sum(r, q, u)));
            f.set(totals[r * columns + q], sumOfLanes(f, e, sum(r, q, 0)));
          }
        }
        f.while(
          () => f.ne(at, end),
          () => {
            totals.forEach((total, n) => {
              const x = f.load(`${e.scalar}.load`, f.add(left[Math.floor(n / columns)], at));
              const y = f.load(`${e.scalar}.load`, f.add(right[n % columns], at));
              f.set(total, f.op(`${e.scalar}.add`, total, f.op(`${e.scalar}.mul`, x, y)));
            });
            f.advance(at, e.size);
          },
        );
        totals.forEach((total, n) => {
          f.set(row, f.add(i, Math.floor(n / columns)));
          f.set(column, f.add(j, n % columns));
          f.if(f.and(f.lt(row, p.m), f.lt(column, p.n)), () => {
            const bias = f.load(`${e.scalar}.load`, f.add(p.bias, f.add(f.mul(row, p.biasRow), f.mul(column, p.biasColumn))));
            const to = f.add(p.c, f.add(f.mul(row, p.rowStride), f.mul(column, p.columnStride)));
            f.store(`${e.scalar}.store`, to, 0, f.op(`${e.scalar}.add`, total, bias));
          });
        });
      });
    });
  });
}
