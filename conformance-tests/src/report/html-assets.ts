/** @file Style and script of the HTML scorecard, which is one file. */

export const HTML_STYLE = `
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { margin: 1.5rem auto; max-width: 96rem; padding: 0 1rem; }
#devices { padding-left: 1.2rem; }
form { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1rem 0; align-items: baseline; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th:first-child { width: 6rem; } th:nth-child(2) { width: 20%; }
thead th { position: sticky; top: 0; background: Canvas; }
td { overflow-wrap: anywhere; }
th, td { border-bottom: 1px solid #8884; padding: .25rem .5rem; text-align: left; vertical-align: top; }
td.count { font-variant-numeric: tabular-nums; } td.count > span { white-space: nowrap; } td.count > div { font-size: .85em; }
.failed { color: #c62828; } .passed { color: #2e7d32; } .skipped { color: #8a6d00; }
details { margin: .2rem 0; } pre { margin: .3rem 0; overflow-x: auto; white-space: pre-wrap; background: #8881; padding: .4rem; }
@media (prefers-color-scheme: dark) { .failed { color: #ef9a9a; } .passed { color: #a5d6a7; } .skipped { color: #ffe082; } }
`;

export const HTML_SCRIPT = `
'use strict';
const { kinds, devices, rows } = JSON.parse(document.getElementById('data').textContent);
const filters = document.getElementById('filters');
/** Text goes in as text: the data may hold anything. */
const make = (tag, attributes, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};
for (const { name, summary, dtypes } of devices) document.getElementById('devices').append(make('li', {}, make('b', {}, name), ': ' + summary + '. dtypes: ' + dtypes.join(', ')));
for (const level of new Set(rows.map((row) => row.level))) filters.level.append(make('option', { value: level }, level));
document.querySelector('thead').append(make('tr', {}, make('th', {}, 'level'), make('th', {}, 'name'), ...devices.map(({ name }) => make('th', {}, name))));
const failure = ({ id, stage, message, inputs, expected, got, command }) => {
  const lines = [['call', inputs], ['expected', expected], ['got', got], ['run it', command]].filter(([, text]) => text);
  return make('details', {}, make('summary', { class: 'failed' }, id + ' (' + stage + ')'), make('pre', {}, [message, ...lines.map(([name, text]) => name.padEnd(9) + text)].join('\\n')));
};
const cell = (result) => {
  if (result === null) return make('td', {}, '–');
  const counts = ['passed', 'failed', 'skipped'].filter((part) => result[part] > 0).map((part) => make('span', { class: part }, result[part] + ' ' + (part === 'skipped' ? 'not run' : part) + ' '));
  const why = result.skips.map(({ kind, reason, cases }) => make('div', { class: 'skipped' }, cases + ' ' + kinds[kind] + ': ' + reason));
  return make('td', { class: 'count' }, ...counts, ...why, ...result.failures.map(failure));
};
const fits = ({ level, name, results }) => {
  const present = results.filter((result) => result !== null);
  const status = filters.status.value;
  const text = filters.text.value.toLowerCase();
  if (filters.level.value && filters.level.value !== level) return false;
  if (status === 'passed' && present.some(({ failed, skipped }) => failed + skipped > 0)) return false;
  if (status && status !== 'passed' && !present.some((result) => result[status] > 0)) return false;
  return !text || name.toLowerCase().includes(text) || present.some(({ skips, failures }) => JSON.stringify([skips, failures]).toLowerCase().includes(text));
};
const show = () => {
  const shown = rows.filter(fits);
  document.getElementById('shown').textContent = shown.length + ' of ' + rows.length;
  document.querySelector('tbody').replaceChildren(...shown.map(({ level, name, results }) => make('tr', {}, make('td', {}, level), make('td', {}, name), ...results.map(cell))));
};
filters.addEventListener('input', show);
filters.addEventListener('submit', (event) => event.preventDefault());
show();
`;
