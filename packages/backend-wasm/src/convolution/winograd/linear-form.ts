/** @file Multiplying vectors by a small constant matrix, with the sums that rows share computed once. */
import { type Expr, f32x4, type FunctionBuilder, v128 } from '../../assembler/index.js';
import type { V128 } from '../../code/emit.js';
import type { Matrix } from './cook-toom.js';

const EPSILON = 1e-12;
const zero = (x: number): boolean => Math.abs(x) < EPSILON;
const same = (a: number, b: number): boolean => Math.abs(a - b) < EPSILON;

/** Σ coefficients[j] · values[j]; coefficients of 1 and −1 cost no multiplication. */
function combination(coefficients: readonly number[], values: readonly V128[]): Expr<'v128'> {
  const terms = [...coefficients.keys()].filter((j) => !zero(coefficients[j]));
  // A sum that begins with a plain value needs no negation.
  terms.sort((a, b) => Number(same(coefficients[b], 1)) - Number(same(coefficients[a], 1)));
  let sum: Expr<'v128'> | null = null;
  for (const j of terms) {
    const c = coefficients[j];
    const scaled = (): Expr<'v128'> => f32x4.mul(values[j], f32x4.const(c));
    if (sum === null) sum = same(c, 1) ? values[j] : scaled();
    else if (same(c, 1)) sum = f32x4.add(sum, values[j]);
    else if (same(c, -1)) sum = f32x4.sub(sum, values[j]);
    else sum = f32x4.add(sum, scaled());
  }
  return sum ?? v128.zero;
}

/** matrix · values. Two rows in turn that differ only in the signs of some columns (the points p and −p) share their halves. */
export function multiply(f: FunctionBuilder, matrix: Matrix, values: readonly V128[]): V128[] {
  const out: V128[] = [];
  for (let r = 0; r < matrix.length; r++) {
    const a = matrix[r];
    const b = matrix[r + 1];
    const mirrored =
      b !== undefined && a.every((x, j) => same(Math.abs(x), Math.abs(b[j]))) && a.some((x, j) => !zero(x) && !same(x, b[j]));
    if (mirrored) {
      const even = f.local(
        'v128',
        combination(
          a.map((x, j) => (same(x, b[j]) ? x : 0)),
          values,
        ),
      );
      const odd = f.local(
        'v128',
        combination(
          a.map((x, j) => (same(x, b[j]) ? 0 : x)),
          values,
        ),
      );
      out.push(f.local('v128', f32x4.add(even, odd)), f.local('v128', f32x4.sub(even, odd)));
      r++;
    } else out.push(f.local('v128', combination(a, values)));
  }
  return out;
}

/** Aᵀ · values, where columns 2i − 1 and 2i are the points ±p: their sums serve even powers, their differences odd ones. */
export function multiplyByPowers(f: FunctionBuilder, AT: Matrix, values: readonly V128[]): V128[] {
  const n = values.length;
  const pairs: { sum: V128; difference: V128; column: number }[] = [];
  for (let column = 1; column < n - 1; column += 2) {
    const [plus, minus] = [values[column], values[column + 1]];
    pairs.push({ column, sum: f.local('v128', f32x4.add(plus, minus)), difference: f.local('v128', f32x4.sub(plus, minus)) });
  }
  return AT.map((row, i) => {
    let sum: Expr<'v128'> | null = zero(row[0]) ? null : values[0];
    for (const pair of pairs) {
      const c = row[pair.column];
      const part = i % 2 === 1 ? pair.difference : pair.sum;
      const scaled: Expr<'v128'> = same(c, 1) ? part : f32x4.mul(part, f32x4.const(c));
      sum = sum === null ? scaled : f32x4.add(sum, scaled);
    }
    if (!zero(row[n - 1])) sum = f32x4.add(sum!, values[n - 1]);
    return f.local('v128', sum!);
  });
}
