/** @file A line plot as an SVG file. */
import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';

/** One line of a plot. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface LinePlot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
}

const COLOURS = ['#2563eb', '#dc2626', '#059669', '#d97706', '#7c3aed'];
const escape = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

/** A picture of 720 x 360. The vertical axis starts at 0. */
export function linePlot({ title, xLabel, yLabel, series }: LinePlot): string {
  const [width, height, left, right, top, bottom] = [720, 360, 64, 16, 56, 44];
  const points = series.flatMap((s) => s.points);
  const xs = points.map(([x]) => x);
  const x = scaleLinear([Math.min(...xs, 0), Math.max(...xs, 1)], [left, width - right]);
  const y = scaleLinear([0, Math.max(...points.map((p) => p[1]), 1e-9)], [height - bottom, top]).nice();
  const grid = y
    .ticks(6)
    .map(
      (v) =>
        `<path d="M${left},${y(v)}H${width - right}" stroke="#ddd"/><text x="${left - 8}" y="${y(v) + 4}" text-anchor="end">${y.tickFormat(6)(v)}</text>`,
    );
  const ticks = x.ticks(8).map((v) => `<text x="${x(v)}" y="${height - bottom + 18}" text-anchor="middle">${x.tickFormat(8)(v)}</text>`);
  const draw = line<readonly [number, number]>(
    (p) => x(p[0]),
    (p) => y(p[1]),
  );
  const paths = series.map(
    (s, i) => `<path d="${draw([...s.points]) ?? ''}" fill="none" stroke="${COLOURS[i % COLOURS.length]}" stroke-width="1.5"/>`,
  );
  const legend =
    series.length < 2
      ? []
      : series.map((s, i) => `<text x="${left + i * 160}" y="42" fill="${COLOURS[i % COLOURS.length]}">${escape(s.name)}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12" fill="#333">
<title>${escape(title)}</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="${left}" y="22" font-size="15">${escape(title)}</text>
${[...legend, ...grid, ...ticks].join('\n')}
<text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle">${escape(xLabel)}</text>
<text x="14" y="${(top + height - bottom) / 2}" text-anchor="middle" transform="rotate(-90 14 ${(top + height - bottom) / 2})">${escape(yLabel)}</text>
${paths.join('\n')}
</svg>
`;
}
