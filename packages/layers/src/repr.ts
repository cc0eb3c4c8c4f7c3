/** @file Values as Python prints them, for texts that equal PyTorch's. */

/** A float: `1.0`, `0.001`, `1e-05`, `inf`. */
export function pyFloat(x: number): string {
  if (x !== x) return 'nan';
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf';
  const size = Math.abs(x);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    const [digits, exponent] = x.toExponential().split('e');
    return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
  }
  return Number.isInteger(x) ? `${x}.0` : String(x);
}

export const pyBool = (x: boolean): string => (x ? 'True' : 'False');

/** A size, or a tuple of sizes: `3`, `(3,)`, `(3, 4)`; null is None. */
export function pySize(x: number | string | null | readonly (number | null)[]): string {
  if (x === null) return 'None';
  if (typeof x === 'object') return x.length === 1 ? `(${pySize(x[0])},)` : `(${x.map(pySize).join(', ')})`;
  return String(x);
}
