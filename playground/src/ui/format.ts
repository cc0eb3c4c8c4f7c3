/** @file Numbers for people. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export const count = (n: number): string => whole.format(n);

export const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;

/** Three figures or so: 2.31, 0.0412, 1.2e-7. */
export function loss(x: number): string {
  if (x !== 0 && Math.abs(x) < 1e-4) return x.toExponential(1);
  return x >= 1 ? x.toFixed(3) : x.toFixed(4);
}

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  if (n < 1024 ** 2) return `${(n / 1024).toFixed(1)} KiB`;
  return `${(n / 1024 ** 2).toFixed(1)} MiB`;
}
