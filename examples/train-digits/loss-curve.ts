/** @file The loss curve, for the terminal and as an SVG file. */
import { plot } from 'asciichart';
import { linePlot } from '../shared/line-plot.js';

/** Means over as many equal stretches as there are columns. */
function thin(values: readonly number[], columns: number): number[] {
  if (values.length <= columns) return [...values];
  return Array.from({ length: columns }, (_, i) => {
    const part = values.slice(Math.floor((i * values.length) / columns), Math.floor(((i + 1) * values.length) / columns));
    return part.reduce((a, b) => a + b, 0) / part.length;
  });
}

/** For a terminal of 80 columns. */
export function terminalCurve(losses: readonly number[]): string {
  return losses.length < 2 ? '' : plot(thin(losses, 68), { height: 10 });
}

/** The loss of each step, over the number of steps. */
export function svgCurve(losses: readonly number[], title: string): string {
  return linePlot({ title, xLabel: 'step', yLabel: 'loss', series: [{ name: 'loss', points: losses.map((loss, i) => [i + 1, loss]) }] });
}
