/** @file e^x for arguments that are 0 or less, as softmaxes have: fewer steps than the general one. */
import { type Expr, f32x4, type FunctionBuilder, i32x4 } from '../assembler/index.js';
import { multiplyAdd, FLOAT32 } from '../matmul/element.js';
import type { V128 } from '../code/emit.js';

/**
 * 2^(r/2) = (a + r² + b r) / (a + r² − b r) for |r| ≤ ½, to 3.4e-8. Squared it is 2^r to 7e-8, in fewer additions than a polynomial takes, which are
 * what a processor with two adders has least of; its divider is idle.
 */
const [A, B] = [99.94916534423828, 17.319869995117188];
/** Added to an integer n: n + 127 is in the low bits, what a float 2^n has as its exponent. */
const EXPONENT = 12582912 + 127;

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
  const n = keep(f32x4.nearest(clamped));
  f.set(bits, f32x4.add(n, EXPONENT));
  f.set(rest, f32x4.sub(clamped, n));
}

/** The second half: 2^(n + rest). */
export function joinExponent(f: FunctionBuilder, fma: boolean, { rest: r, bits }: ExponentParts): V128 {
  const keep = (value: Expr<'v128'>): V128 => f.local('v128', value);
  const even = keep(multiplyAdd(FLOAT32, fma, r, r, keep(f32x4.const(A))));
  const odd = keep(f32x4.mul(r, B));
  const root = keep(f32x4.div(f32x4.add(even, odd), f32x4.sub(even, odd)));
  // For n = −127 the factor is 0.
  return keep(f32x4.mul(f32x4.mul(root, root), i32x4.shl(bits, 23)));
}
