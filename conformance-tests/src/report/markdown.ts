/** @file The scorecard for people. */
import { LEVELS } from '../suite.js';
import { KIND_TITLES, levelTotals, percent, reasonTotals, someOf } from './overview.js';
import { type Scorecard, type ScorecardRow, summaryOf, titleOf } from './scorecard.js';

/** A Markdown document: how much passed and why the rest did not, a table of all rows for each level, then what failed. */
export function markdownOf(card: Scorecard): string {
  const lines = [`# Conformance of ${titleOf(card)}`, '', `${summaryOf(card)}. dtypes: ${card.dtypes.join(', ')}.`];
  lines.push('', '| level | passed | failed | not run | passed of all |', '| --- | --- | --- | --- | --- |');
  for (const { level, passed, failed, skipped, share } of levelTotals(card))
    lines.push(`| ${level} | ${passed} | ${failed} | ${skipped} | ${percent(share)} |`);
  const reasons = reasonTotals(card);
  if (reasons.length > 0) lines.push('', '| cases | not run because | why | where |', '| --- | --- | --- | --- |');
  for (const { kind, reason, cases, names } of reasons)
    lines.push(`| ${cases} | ${KIND_TITLES[kind]} | ${escape(reason)} | ${someOf(names)} |`);
  for (const level of LEVELS) {
    const rows = card.rows.filter((row) => row.level === level);
    if (rows.length === 0) continue;
    lines.push(
      '',
      `## ${level}`,
      '',
      '| name | passed | failed | not supported | why |',
      '| --- | --- | --- | --- | --- |',
      ...rows.map(tableRow),
    );
  }
  const failures = card.rows.flatMap((row) => row.failures);
  if (failures.length > 0)
    lines.push('', '## Failures', '', ...failures.map(({ id, stage, message }) => `- \`${id}\` (${stage}): ${escape(message)}`));
  return `${lines.join('\n')}\n`;
}

function tableRow({ name, passed, failed, skipped, skips }: ScorecardRow): string {
  const why = skips.map(({ reason, cases }) => `${reason}${skips.length > 1 ? ` (${cases})` : ''}`).join('; ');
  return `| ${name} | ${passed} | ${failed} | ${skipped} | ${escape(why)} |`;
}

const escape = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
