/** @file The loss curve, for the terminal and as an SVG file. */
import { plot } from 'asciichart';
import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';

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

/** A picture of 720 x 360: the loss of each step over the number of steps. */
export function svgCurve(losses: readonly number[], title: string): string {
  const [width, height, left, right, top, bottom] = [720, 360, 56, 16, 40, 44];
  const x = scaleLinear([1, Math.max(losses.length, 2)], [left, width - right]);
  const y = scaleLinear([0, Math.max(...losses, 1e-9)], [height - bottom, top]).nice();
  const path = line<number>((_, i) => x(i + 1), (loss) => y(loss))([...losses]) ?? '';
  const grid = y.ticks(6).map((v) => `<path d="M${left},${y(v)}H${width - right}" stroke="#ddd"/><text x="${left - 8}" y="${y(v) + 4}" text-anchor="end">${y.tickFormat(6)(v)}</text>`);
  const steps = x.ticks(8).map((v) => `<text x="${x(v)}" y="${height - bottom + 18}" text-anchor="middle">${x.tickFormat(8)(v)}</text>`);
  const escaped = title.replace(/&/g, '&amp;').replace(/</g, '&lt;');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12" fill="#333">
<title>${escaped}</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="${left}" y="24" font-size="15">${escaped}</text>
${grid.join('\n')}
${steps.join('\n')}
<text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle">step</text>
<path d="${path}" fill="none" stroke="#2563eb" stroke-width="1.5"/>
</svg>
`;
}
