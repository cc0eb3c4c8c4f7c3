/** @file How rows whose sums go over all of them are shared out: a matter of sizes alone, never of threads, so that these change no bit. */

/** Enough for as many threads as machines have, and few enough to add up. */
const MOST_PARTS = 16;
/** Rows that a share has at least. */
const LEAST_ROWS = 16;

export const partsOf = (rows: number): number => Math.max(1, Math.min(MOST_PARTS, Math.floor(rows / LEAST_ROWS)));
