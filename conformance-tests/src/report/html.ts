/** @file The scorecards of one or more devices as one HTML page that needs no other file: filters, and of each failing case all that is known. */
import type { Level } from '../suite.js';
import { HTML_SCRIPT, HTML_STYLE } from './html-assets.js';
import { KIND_TITLES } from './overview.js';
import { type Scorecard, summaryOf, titleOf } from './scorecard.js';

/** The command that runs a case alone. */
export type CommandOf = (device: string, level: Level, id: string) => string;

/**
 * A page with a row for each op, kernel, layer, …, and columns for each device.
 * @param commandOf Shown with each failing case.
 */
export function htmlOf(cards: readonly Scorecard[], commandOf?: CommandOf): string {
  const data = {
    kinds: KIND_TITLES,
    devices: cards.map((card) => ({ name: titleOf(card), dtypes: card.dtypes, summary: summaryOf(card) })),
    rows: merged(cards, commandOf),
  };
  const title = `Conformance of ${cards.map(titleOf).join(', ')}`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${HTML_STYLE}</style>
<h1>${escape(title)}</h1>
<ul id="devices"></ul>
<form id="filters">
  <label>Level <select name="level"><option value="">all</option></select></label>
  <label>Show <select name="status"><option value="">everything</option><option value="failed">failed</option><option value="skipped">not run</option><option value="passed">all passed</option></select></label>
  <label>Name or reason <input name="text" type="search"></label>
  <output id="shown"></output>
</form>
<table><thead></thead><tbody></tbody></table>
<script id="data" type="application/json">${embedded(data)}</script>
<script>${HTML_SCRIPT}</script>
</html>
`;
}

/** Rows of the same level and name side by side; null where a device has none. */
function merged(cards: readonly Scorecard[], commandOf: CommandOf | undefined): unknown[] {
  const rows = new Map<string, { level: Level; name: string; results: unknown[] }>();
  cards.forEach((card, device) => {
    for (const { level, name, passed, failed, skipped, skips, failures } of card.rows) {
      const key = `${level} ${name}`;
      const row = rows.get(key) ?? { level, name, results: cards.map(() => null) };
      const withCommands = failures.map((failure) => ({ ...failure, command: commandOf?.(card.device, level, failure.id) }));
      row.results[device] = { passed, failed, skipped, skips, failures: withCommands };
      rows.set(key, row);
    }
  });
  return [...rows.values()];
}

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
/** JSON that cannot end the script element that it stands in. */
const embedded = (data: unknown): string => JSON.stringify(data).replaceAll('<', '\\u003c');
