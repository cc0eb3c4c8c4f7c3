/** asciichart ships no types. */
declare module 'asciichart' {
  /** A line chart of numbers as text. */
  export function plot(series: readonly number[], options?: { readonly height?: number }): string;
}
