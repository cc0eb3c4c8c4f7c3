/** @file Products of rows by rows, where both operands' values for one result lie side by side: no packing, one vector sum for each result. */
import { i32, type ModuleBuilder, v128 } from '../assembler/index.js';
import { type Callee, inner, least, locals } from '../code/emit.js';
import { type Element, multiplyAdd, sumOfLanes } from './element.js';

/**
 * `(m, n, k, a, aRow, b, bRow, c, rowStride, columnStride, bias, biasRow, biasColumn)`: c[i][j] = Σ a[i][k] · b[j][k] + bias, `rows` x `columns` results at
 * a time, each in `unroll` accumulators. Both operands have their k's side by side. A bias's strides are bytes; both 0 with a zero in memory means none.
 */
export function emitDot(module: ModuleBuilder, e: Element, fma: boolean, rows: number, columns: number, unroll: number): Callee {
  const names = ['m', 'n', 'k', 'a', 'aRow', 'b', 'bRow', 'c', 'rowStride', 'columnStride', 'bias', 'biasRow', 'biasColumn'];
  return inner(module, `dot${rows}x${columns}`, names, (f, p) => {
    const [i, j, at, end, whole, row, column] = locals(f, 'i32', 7);
    const left = locals(f, 'i32', rows);
    const right = locals(f, 'i32', columns);
    const sums = locals(f, 'v128', rows * columns * unroll);
    const totals = locals(f, e.type, rows * columns);
    const values = locals(f, 'v128', columns);
    const value = f.local('v128');
    const step = e.lanes * unroll;
    const sum = (r: number, q: number, u: number): (typeof sums)[0] => sums[(r * columns + q) * unroll + u];
    const clamped = (index: typeof i, offset: number, count: typeof i): void => {
      f.set(row, i32.add(index, offset));
      f.set(column, i32.sub(count, 1));
      f.set(row, least(row, column));
    };
    f.set(end, i32.mul(p.k, e.size));
    f.set(whole, i32.mul(i32.sub(p.k, i32.remU(p.k, step)), e.size));
    f.for(i, 0, p.m, rows, () => {
      left.forEach((pointer, r) => {
        clamped(i, r, p.m);
        f.set(pointer, i32.add(p.a, i32.mul(row, p.aRow)));
      });
      f.for(j, 0, p.n, columns, () => {
        right.forEach((pointer, q) => {
          clamped(j, q, p.n);
          f.set(pointer, i32.add(p.b, i32.mul(row, p.bRow)));
        });
        for (const v of sums) f.set(v, v128.zero);
        f.set(at, 0);
        f.while(
          () => i32.ne(at, whole),
          () => {
            for (let u = 0; u < unroll; u++) {
              values.forEach((v, q) => f.set(v, v128.load(i32.add(right[q], at), u * 16)));
              for (let r = 0; r < rows; r++) {
                f.set(value, v128.load(i32.add(left[r], at), u * 16));
                values.forEach((v, q) => f.set(sum(r, q, u), multiplyAdd(e, fma, value, v, sum(r, q, u))));
              }
            }
            f.increment(at, step * e.size);
          },
        );
        for (let r = 0; r < rows; r++) {
          for (let q = 0; q < columns; q++) {
            for (let u = 1; u < unroll; u++) f.set(sum(r, q, 0), e.vector.add(sum(r, q, 0), sum(r, q, u)));
            f.set(totals[r * columns + q], sumOfLanes(e, sum(r, q, 0)));
          }
        }
        f.while(
          () => i32.ne(at, end),
          () => {
            totals.forEach((total, n) => {
              const x = e.scalar.load(i32.add(left[Math.floor(n / columns)], at));
              const y = e.scalar.load(i32.add(right[n % columns], at));
              f.set(total, e.scalar.add(total, e.scalar.mul(x, y)));
            });
            f.increment(at, e.size);
          },
        );
        totals.forEach((total, n) => {
          f.set(row, i32.add(i, Math.floor(n / columns)));
          f.set(column, i32.add(j, n % columns));
          f.if(i32.and(i32.ltS(row, p.m), i32.ltS(column, p.n)), () => {
            const bias = e.scalar.load(i32.add(p.bias, i32.add(i32.mul(row, p.biasRow), i32.mul(column, p.biasColumn))));
            const to = i32.add(p.c, i32.add(i32.mul(row, p.rowStride), i32.mul(column, p.columnStride)));
            f.emit(e.scalar.store(to, e.scalar.add(total, bias)));
          });
        });
      });
    });
  });
}
