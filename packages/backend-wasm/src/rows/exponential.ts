/** @file e^x for arguments that are 0 or less, as softmaxes have: fewer steps than the general one. */
import { type Expr, f32x4, type FunctionBuilder, i32x4 } from '../assembler/index.js';
import { multiplyAdd, FLOAT32 } from '../matmul/element.js';
import type { V128 } from '../code/emit.js';

/** 2^f for |f| ≤ ½, to 1.2e-7. */
const POLYNOMIAL = [1, 0.6931468559, 0.24022238, 0.05550892952, 0.009671697938, 0.001321867248];
/** Added and subtracted again, it rounds to an integer n; in between, n + 127 is in the low bits: what a float 2^n has as its exponent. */
const ROUND = 12582912 + 127;

/** e^x for x ≤ 0 (a little above does no harm): 0 below −87, NaN for NaN. */
export function expNonPositive(f: FunctionBuilder, fma: boolean, x: Expr<'v128'>): V128 {
  const parts = { rest: f.local('v128'), bits: f.local('v128') };
  splitExponent(f, x, parts);
  return joinExponent(f, fma, parts);
}

/** x · log₂e = n + rest, |rest| ≤ ½; `bits` has n + 127 in its low bits. */
export interface ExponentParts {
  readonly rest: V128;
  readonly bits: V128;
}

/** The first half of {@link expNonPositive}. */
export function splitExponent(f: FunctionBuilder, x: Expr<'v128'>, { rest, bits }: ExponentParts): void {
  const keep = (value: Expr<'v128'>): V128 => f.local('v128', value);
  const t = keep(f32x4.mul(x, Math.LOG2E));
  // 0 and NaN stay: the second operand of pmax wins only where it is larger.
  const clamped = keep(f32x4.pmax(t, f32x4.const(-127)));
  f.set(bits, f32x4.add(clamped, ROUND));
  f.set(rest, f32x4.sub(clamped, f32x4.sub(bits, ROUND)));
}

/** The second half: 2^(n + rest). */
export function joinExponent(f: FunctionBuilder, fma: boolean, { rest: r, bits }: ExponentParts): V128 {
  const keep = (value: Expr<'v128'>): V128 => f.local('v128', value);
  const madd = (a: V128, b: Expr<'v128'>, c: number | V128): V128 =>
    keep(multiplyAdd(FLOAT32, fma, a, b, typeof c === 'number' ? keep(f32x4.const(c)) : c));
  const square = keep(f32x4.mul(r, r));
  const [p0, p1, p2, p3, p4, p5] = POLYNOMIAL;
  const low = madd(r, f32x4.const(p1), p0);
  const middle = madd(r, f32x4.const(p3), p2);
  const high = madd(r, f32x4.const(p5), p4);
  const y = madd(square, madd(square, high, middle), low);
  // For n = −127 the factor is 0.
  return keep(f32x4.mul(y, i32x4.shl(bits, 23)));
}
