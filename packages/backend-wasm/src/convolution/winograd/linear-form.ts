/** @file Multiplying vectors by a small constant matrix, with the sums that rows share computed once. */
import type { FunctionCode, Local, Value } from '../../code/function-code.js';
import type { Matrix } from './cook-toom.js';

const EPSILON = 1e-12;
const zero = (x: number): boolean => Math.abs(x) < EPSILON;
const same = (a: number, b: number): boolean => Math.abs(a - b) < EPSILON;

/** Σ coefficients[j] · values[j]; coefficients of 1 and −1 cost no multiplication. */
function combination(f: FunctionCode, coefficients: readonly number[], values: readonly Local[]): Value {
  const terms = [...coefficients.keys()].filter((j) => !zero(coefficients[j]));
  // A sum that begins with a plain value needs no negation.
  terms.sort((a, b) => Number(same(coefficients[b], 1)) - Number(same(coefficients[a], 1)));
  let sum: Value | null = null;
  for (const j of terms) {
    const c = coefficients[j];
    const scaled = (): Value => f.vmul(values[j], f.splatF32(c));
    if (sum === null) sum = same(c, 1) ? values[j] : scaled();
    else if (same(c, 1)) sum = f.vadd(sum, values[j]);
    else if (same(c, -1)) sum = f.vsub(sum, values[j]);
    else sum = f.vadd(sum, scaled());
  }
  return sum ?? f.zero();
}

/** matrix · values. Two rows in turn that differ only in the signs of some columns (the points p and −p) share their halves. */
export function multiply(f: FunctionCode, matrix: Matrix, values: readonly Local[]): Local[] {
  const out: Local[] = [];
  for (let r = 0; r < matrix.length; r++) {
    const a = matrix[r];
    const b = matrix[r + 1];
    const mirrored = b !== undefined && a.every((x, j) => same(Math.abs(x), Math.abs(b[j]))) && a.some((x, j) => !zero(x) && !same(x, b[j]));
    if (mirrored) {
      const even = f.v128(combination(f, a.map((x, j) => (same(x, b[j]) ? x : 0)), values));
      const odd = f.v128(combination(f, a.map((x, j) => (same(x, b[j]) ? 0 : x)), values));
      out.push(f.v128(f.vadd(even, odd)), f.v128(f.vsub(even, odd)));
      r++;
    } else out.push(f.v128(combination(f, a, values)));
  }
  return out;
}

/** Aᵀ · values, where columns 2i − 1 and 2i are the points ±p: their sums serve even powers, their differences odd ones. */
export function multiplyByPowers(f: FunctionCode, AT: Matrix, values: readonly Local[]): Local[] {
  const n = values.length;
  const pairs: { sum: Local; difference: Local; column: number }[] = [];
  for (let column = 1; column < n - 1; column += 2) {
    const [plus, minus] = [values[column], values[column + 1]];
    pairs.push({ column, sum: f.v128(f.vadd(plus, minus)), difference: f.v128(f.vsub(plus, minus)) });
  }
  return AT.map((row, i) => {
    let sum: Value | null = zero(row[0]) ? null : values[0];
    for (const pair of pairs) {
      const c = row[pair.column];
      const part = i % 2 === 1 ? pair.difference : pair.sum;
      const scaled = same(c, 1) ? part : f.vmul(part, f.splatF32(c));
      sum = sum === null ? scaled : f.vadd(sum, scaled);
    }
    if (!zero(row[n - 1])) sum = f.vadd(sum!, values[n - 1]);
    return f.v128(sum!);
  });
}
