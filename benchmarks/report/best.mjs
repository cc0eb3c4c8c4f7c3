// The best of all rounds, for tables and plots.

/** @returns { value, unit, status } of a library and a case; undefined if it was not run. */
export function bestOf(rows, lib, name) {
  const mine = rows.filter((row) => row.lib === lib && row.case === name);
  if (mine.length === 0) return undefined;
  const values = mine.filter((row) => row.value != null).map((row) => row.value);
  const { unit } = mine.find((row) => row.unit) ?? {};
  const wrong = mine.find((row) => row.status === 'wrong');
  if (values.length === 0) return { status: mine[0].status, error: mine[0].error };
  return { value: unit === 'steps/s' ? Math.max(...values) : Math.min(...values), unit, status: wrong ? 'wrong' : 'ok' };
}

/** How long it takes, in the unit of the case turned into a time where it is a rate. */
export function timeOf({ value, unit }) {
  return unit === 'steps/s' ? 1000 / value : value;
}

export const format = (v) => (v >= 100 ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v >= 0.1 ? v.toFixed(2) : v.toPrecision(2));
