/** @file Is it what PyTorch gave? */
import type { Tolerance } from '../tolerances.js';
import { describe, type HostTensor } from './host-tensor.js';
import { Mismatch } from './result.js';

/**
 * Compares dtype, shape and elements. NaN must meet NaN and an infinity the same infinity; other elements may differ by
 * rtol · max|expected| + floor.
 *
 * @param f32err PyTorch's own float32 error on this tensor, where it is known.
 * @param absolute Allowed besides, of floats, where it is not known.
 * @throws Mismatch that says which element is farthest off.
 */
export function compare(
  what: string,
  got: HostTensor,
  expected: HostTensor,
  { rtol, floorFactor }: Tolerance,
  f32err: number | null,
  absolute = 0,
): void {
  const fail = (message: string): never => {
    throw new Mismatch(`${what}: ${message}`, describe(expected), describe(got));
  };
  if (got.dtype !== expected.dtype) fail(`dtype ${got.dtype}, expected ${expected.dtype}`);
  if (got.shape.length !== expected.shape.length || got.shape.some((size, d) => size !== expected.shape[d])) {
    fail(`shape [${got.shape.join(', ')}], expected [${expected.shape.join(', ')}]`);
  }
  if (got.data.length !== expected.data.length) fail(`${got.data.length} elements for a shape of ${expected.data.length}`);
  let scale = 0;
  for (let i = 0; i < expected.data.length; i++) {
    const size = Math.abs(expected.data[i]);
    if (size > scale && size < Infinity) scale = size;
  }
  const allowed = rtol * scale + floorFactor * (f32err ?? 0) + (rtol > 0 ? absolute : 0);
  let worst = -1;
  let excess = 0;
  let wrong = 0;
  for (let i = 0; i < expected.data.length; i++) {
    const off = distance(got.data[i], expected.data[i]);
    if (off <= allowed) continue;
    wrong++;
    if (off > excess) {
      excess = off;
      worst = i;
    }
  }
  if (wrong === 0) return;
  const at = indexOf(worst, expected.shape);
  fail(
    `${wrong} of ${expected.data.length} elements differ; at [${at.join(', ')}] it is ${got.data[worst]}, expected ${expected.data[worst]}` +
      (excess < Infinity ? ` (off by ${excess.toExponential(2)}, allowed ${allowed.toExponential(2)})` : ''),
  );
}

/** How far apart two elements are; ∞ where one is NaN or infinite and the other is not the same. */
function distance(got: number, expected: number): number {
  if (got === expected || (got !== got && expected !== expected)) return 0;
  const off = Math.abs(got - expected);
  return off === off ? off : Infinity;
}

function indexOf(flat: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length);
  for (let d = shape.length - 1; d >= 0; d--) {
    index[d] = flat % shape[d];
    flat = Math.floor(flat / shape[d]);
  }
  return index;
}
