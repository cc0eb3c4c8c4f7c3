// Charts as inline SVG: no script, no request. Colours are classes, which the page defines for light and dark.

const WIDTH = 640;
const HEIGHT = 380;
const BOX = { left: 64, right: 16, top: 14, bottom: 46 };
const MARKS = ['circle', 'square', 'diamond', 'triangle'];

export const escape = (text) => String(text).replaceAll(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
const round = (x) => Number(x.toFixed(1));

/** A mark of a series, so that colour is not all that tells them apart. */
function mark(kind, x, y, title = '') {
  const inside = title === '' ? '' : `<title>${escape(title)}</title>`;
  if (kind === 'circle') return `<circle cx="${round(x)}" cy="${round(y)}" r="4">${inside}</circle>`;
  const points = {
    square: [-3.6, -3.6, 3.6, -3.6, 3.6, 3.6, -3.6, 3.6],
    diamond: [0, -5, 5, 0, 0, 5, -5, 0],
    triangle: [0, -5, 4.8, 3.6, -4.8, 3.6],
  }[kind];
  return `<polygon points="${points.map((p, i) => round(p + (i % 2 ? y : x))).join(' ')}">${inside}</polygon>`;
}

/** Colour and mark of the nth library. */
const styleOf = (index) => ({ colour: `s${index % 12}`, kind: MARKS[index % MARKS.length] });

export function legend(libs) {
  const items = libs.map((lib, i) => {
    const { colour, kind } = styleOf(i);
    return `<li class="${colour}"><svg width="26" height="12" aria-hidden="true"><path d="M1 6H25"/>${mark(kind, 13, 6)}</svg><span>${escape(lib)}</span></li>`;
  });
  return `<ul class="legend">${items.join('')}</ul>`;
}

/**
 * Time over size, both logarithmic.
 * @param series [{ lib, index, points: [[x, ms]] }], of which some may be short: what took too long was not run.
 */
export function growthChart({ title, x: label, series }) {
  const points = series.flatMap((one) => one.points);
  const xs = [...new Set(points.map(([x]) => x))].toSorted((a, b) => a - b);
  const decades = [
    Math.floor(Math.log10(Math.min(...points.map(([, y]) => y)))),
    Math.ceil(Math.log10(Math.max(...points.map(([, y]) => y)))),
  ];
  if (decades[0] === decades[1]) decades[1]++;
  const [left, right] = [Math.log2(xs[0]), Math.log2(xs.at(-1))];
  const px = (x) => BOX.left + ((Math.log2(x) - left) / (right - left || 1)) * (WIDTH - BOX.left - BOX.right);
  const py = (y) => HEIGHT - BOX.bottom - ((Math.log10(y) - decades[0]) / (decades[1] - decades[0])) * (HEIGHT - BOX.top - BOX.bottom);
  const grid = [];
  for (let d = decades[0]; d <= decades[1]; d++) {
    const y = round(py(10 ** d));
    grid.push(`<path class="grid" d="M${BOX.left} ${y}H${WIDTH - BOX.right}"/>`);
    grid.push(
      `<text x="${BOX.left - 8}" y="${y + 4}" text-anchor="end">${d >= 3 ? `${10 ** (d - 3)} s` : `${d < 0 ? (10 ** d).toFixed(-d) : 10 ** d} ms`}</text>`,
    );
  }
  for (const x of xs) grid.push(`<text x="${round(px(x))}" y="${HEIGHT - BOX.bottom + 20}" text-anchor="middle">${x}</text>`);
  grid.push(`<text x="${(BOX.left + WIDTH - BOX.right) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escape(label)}</text>`);
  const lines = series.map(({ lib, index, points: own }) => {
    const { colour, kind } = styleOf(index);
    const path = own.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${round(px(x))} ${round(py(y))}`).join('');
    const marks = own.map(([x, y]) => mark(kind, px(x), py(y), `${lib}, ${label} ${x}: ${y.toPrecision(3)} ms`));
    return `<g class="${colour}${lib.startsWith('tessera') ? ' own' : ''}"><path d="${path}"/>${marks.join('')}</g>`;
  });
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(title)}: time over ${escape(label)}">${grid.join('')}${lines.join('')}</svg>`;
}

/** One case: a bar a library, as many times as long as it takes longer than the fastest (logarithmic). `rows`: [{ lib, index, time, text }]. */
export function barChart(title, rows) {
  const line = 22;
  const height = rows.length * line + 6;
  const times = rows.filter(({ time }) => time !== undefined).map(({ time }) => time);
  const [low, high] = [Math.min(...times) / 1.6, Math.max(...times) * 1.01];
  const room = WIDTH - 300;
  const bars = rows.map(({ lib, index, time, text }, i) => {
    const y = i * line + 4;
    const length = time === undefined ? 0 : Math.max(2, (Math.log(time / low) / Math.log(high / low)) * room);
    return (
      `<text x="122" y="${y + 13}" text-anchor="end">${escape(lib)}</text>` +
      `<rect class="${styleOf(index).colour}" x="130" y="${y}" width="${round(length)}" height="${line - 6}" rx="2"/>` +
      `<text x="${round(136 + length)}" y="${y + 13}">${escape(text)}</text>`
    );
  });
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escape(title)}">${bars.join('')}</svg>`;
}
