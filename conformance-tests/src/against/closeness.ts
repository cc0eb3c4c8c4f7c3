/** @file When two devices may be said to agree on floats: as far as the program itself keeps errors small. */

/** Rounding, relative to the largest of the values. */
const ROUNDING = 2e-5;
/** How much more than the effect of a change of its inputs by {@link NUDGE} a program may differ. */
const SLACK = 64;
/** A change of inputs that is a few times float32's rounding. */
export const NUDGE = 4e-7;

/** Where two lists of values differ by more than they may. */
export interface Difference {
  readonly place: number;
  readonly mine: number;
  readonly theirs: number;
  readonly allowed: number;
}

/**
 * The first place at which two devices differ. `nudged` are the values of the first device from inputs that were changed a little: where these move
 * much (a jump at a comparison, a quotient by nearly 0), the two may differ as much.
 */
export function firstDifference(
  mine: readonly number[],
  theirs: readonly number[],
  nudged: readonly (readonly number[])[],
  exact: boolean,
): Difference | null {
  const finite = mine.filter(Number.isFinite).map(Math.abs);
  const scale = finite.reduce((a, b) => Math.max(a, b), 1);
  for (let place = 0; place < Math.max(mine.length, theirs.length); place++) {
    const a = mine[place];
    const b = theirs[place];
    if (Object.is(a, b) || a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    if (exact) return { place, mine: a, theirs: b, allowed: 0 };
    const moved = nudged.map((values) => Math.abs(values[place] - a));
    // From finite to infinite, or to NaN: nobody can say what it is there.
    if (moved.some((distance) => !Number.isFinite(distance))) continue;
    const allowed = ROUNDING * scale + SLACK * Math.max(0, ...moved);
    if (!(Math.abs(a - b) <= allowed)) return { place, mine: a, theirs: b, allowed };
  }
  return null;
}
