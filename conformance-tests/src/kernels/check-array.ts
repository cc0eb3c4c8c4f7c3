/** @file Compares what a kernel gave with what it should give. */
import { describe } from '../check/host-tensor.js';
import { Mismatch } from '../check/result.js';
import { eachIndex, type HostArray } from './host.js';

/**
 * How far an element may be off, from its expected value and its place.
 * 0: the very number (either zero will do).
 */
export type Allowance = (expected: number, place: number) => number;

export const EXACT: Allowance = () => 0;
/** A share of each element's own size. */
export const relative =
  (rtol: number): Allowance =>
  (expected) =>
    Math.abs(expected) * rtol;

/** @throws Mismatch at the first element that is too far off */
export function checkArray(what: string, got: HostArray, expected: HostArray, allowed: Allowance = EXACT): void {
  eachIndex(expected.shape, (index, place) => {
    const a = got.data[place];
    const b = expected.data[place];
    if (a === b || (a !== a && b !== b) || Math.abs(a - b) <= allowed(b, place)) return;
    const tolerance = allowed(b, place);
    throw new Mismatch(
      `${what} at [${index.join(', ')}]: ${a}, expected ${b}${tolerance > 0 ? ` (allowed ${tolerance.toExponential(2)})` : ''}`,
      describe(expected),
      describe(got),
    );
  });
}
