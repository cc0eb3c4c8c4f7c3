// The results as one HTML page that asks nobody for anything, and as Markdown.
import { CASES } from '../cases.mjs';
import { table } from '../table.mjs';
import { bestOf, format, timeOf } from './best.mjs';
import { barChart, escape, growthChart, legend } from './chart.mjs';

const STYLE = `
:root { color-scheme: light dark; --paper: #fbfaf7; --ink: #1d2230; --quiet: #5b6272; --line: #dcdad3; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171f; --ink: #e6e8ee; --quiet: #a2a9b8; --line: #303644; } }
body { margin: 0 auto; max-width: 1360px; padding: 24px 20px 60px; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 4px; } h2 { margin: 36px 0 8px; font-size: 1.2rem; } h3 { margin: 0 0 4px; font-size: 1rem; }
p, dl { max-width: 90ch; } .quiet, figcaption, dt { color: var(--quiet); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 12px 0; } dd { margin: 0; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 22px; }
figure { margin: 0; border: 1px solid var(--line); border-radius: 8px; padding: 14px; min-width: 0; }
svg text { font: 12px system-ui, sans-serif; fill: var(--quiet); } svg { width: 100%; height: auto; } .legend svg { width: 26px; }
/* On a phone a chart keeps the size of its letters, and its figure scrolls. */
.chart { overflow-x: auto; } .chart svg { min-width: 560px; }
path { fill: none; stroke: currentColor; stroke-width: 1.6; } .own path { stroke-width: 3; } .grid { stroke: var(--line); stroke-width: 1; }
circle, polygon, rect { fill: currentColor; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; padding: 0; list-style: none; } .legend li { display: flex; align-items: center; gap: 6px; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 10px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; } th:first-child, td:nth-child(2) { text-align: left; }
${['#0f6bd0', '#00897b', '#7b4fd0', '#d9480f', '#b8860b', '#c2255c', '#2f9e44', '#5c6470', '#8d5524', '#0891b2', '#a61e4d', '#6b8e23'].map((c, i) => `.s${i} { color: ${c}; }`).join('\n')}
@media (prefers-color-scheme: dark) {
${['#5aa9ff', '#3fc9b4', '#b79bff', '#ff8a5b', '#e0b94a', '#ff7eb0', '#69db7c', '#a9b1c0', '#d6a57c', '#4fd1e8', '#f06595', '#a9c46c'].map((c, i) => `.s${i} { color: ${c}; }`).join('\n')}
}
.legend span { color: var(--ink); }
`;

/** The cases that were run, without those of families. */
const plainCases = (cases) => cases.filter((name) => !CASES[name].scale);

const figure = (title, chart) =>
  `<figure><h3>${escape(title)}</h3><div class="chart" tabindex="0" role="group" aria-label="Chart of ${escape(title)}">${chart}</div></figure>`;

/** Families with what was run of them. */
function families(cases) {
  const found = new Map();
  for (const name of cases) {
    const { scale } = CASES[name];
    if (scale === undefined) continue;
    if (!found.has(scale.family)) found.set(scale.family, { title: scale.label, x: scale.x, cases: [] });
    found.get(scale.family).cases.push(name);
  }
  return [...found.values()];
}

function growth({ rows, libs }, { title, x, cases }) {
  const series = libs.map((lib, index) => ({
    lib,
    index,
    points: cases.flatMap((name) => {
      const best = bestOf(rows, lib, name);
      return best?.status === 'ok' ? [[CASES[name].scale.size, timeOf(best)]] : [];
    }),
  }));
  const run = series.filter(({ points }) => points.length > 0);
  return run.length === 0 ? '' : figure(title, growthChart({ title, x, series: run }));
}

function bars({ rows, libs }, name) {
  const found = libs.flatMap((lib, index) => {
    const best = bestOf(rows, lib, name);
    if (best === undefined || best.status === 'unsupported') return [];
    if (best.value === undefined || best.status === 'wrong') return [{ lib, index, text: best.status }];
    return [{ lib, index, time: timeOf(best), text: `${format(best.value)} ${best.unit}` }];
  });
  return found.some(({ time }) => time !== undefined) ? figure(name, barChart(name, found)) : '';
}

/** A Markdown table of `table.mjs` as HTML. */
function htmlTable(markdown) {
  const cells = markdown.split('\n').map((line) => line.slice(2, -2).split(' | '));
  const line = (row, tag) =>
    `<tr>${row.map((cell, i) => (i === 0 || tag === 'th' ? `<th scope="${tag === 'th' ? 'col' : 'row'}">${escape(cell)}</th>` : `<td>${escape(cell)}</td>`)).join('')}</tr>`;
  return `<div class="scroll" tabindex="0" role="group" aria-label="Table of results"><table><thead>${line(cells[0], 'th')}</thead><tbody>${cells
    .slice(2)
    .map((row) => line(row, 'td'))
    .join('')}</tbody></table></div>`;
}

const facts = ({ machine, settings, command }) => [
  ['Date', machine.date.slice(0, 16).replace('T', ' ') + ' UTC'],
  ['Machine', `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}`],
  ['Load at the start', `${machine.load.join(', ')} (1, 5, 15 minutes)`],
  ['Node', `${machine.node}, V8 ${machine.v8}`],
  [
    'Versions',
    Object.entries(machine.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  ],
  ['Run', `${settings.seconds} s a case, ${settings.rounds} round${settings.rounds === 1 ? '' : 's, of which the best counts'}`],
  ['Command', command],
];

const EXPLAINED =
  'Each library runs in a process of its own; case by case they take turns. Every result is checked against float64 before it is timed. Compare figures within this page only: the speed of a machine moves from hour to hour.';
const RATIO = (first) =>
  `In brackets: how many times faster ${first} is; below 1 the other one is faster. –: the library has no such op. skip: a smaller size took over 4 s.`;

/** @param report { machine, settings, command, libs, cases, rows } as bench.json has it. */
export function htmlPage(report) {
  const { libs, cases, rows } = report;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Tessera: benchmarks</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Tessera beside other libraries</h1>
<p>${EXPLAINED}</p>
<dl>${facts(report)
    .map(([name, value]) => `<dt>${name}</dt><dd>${escape(value)}</dd>`)
    .join('')}</dl>
${legend(libs)}
<h2>How time grows with size</h2>
<p class="quiet">Both axes are logarithmic. A line ends where a size took over 4 s.</p>
<div class="charts">${families(cases)
    .map((family) => growth(report, family))
    .join('\n')}</div>
<h2>Case by case</h2>
<p class="quiet">Bars are times, shorter is faster, on a logarithmic scale of each case's own.</p>
<div class="charts">${plainCases(cases)
    .map((name) => bars(report, name))
    .join('\n')}</div>
<h2>All figures</h2>
<p class="quiet">${RATIO(escape(libs[0]))}</p>
${htmlTable(table(rows, libs, cases))}
</main>
</body>
</html>
`;
}

export function markdownPage(report) {
  return `# Benchmarks

${EXPLAINED}

${facts(report)
  .map(([name, value]) => `- ${name}: ${name === 'Command' ? `\`${value}\`` : value}`)
  .join('\n')}

${RATIO(report.libs[0])}

${table(report.rows, report.libs, report.cases)}
`;
}
