/** @file The scorecard for people. */
import { LEVELS } from '../suite.js';
import { type Scorecard, type ScorecardRow, summaryOf } from './scorecard.js';

/** A Markdown document: a table of all rows for each level, then what failed. */
export function markdownOf(card: Scorecard): string {
  const lines = [`# Conformance of ${card.device}`, '', `${summaryOf(card)}. dtypes: ${card.dtypes.join(', ')}.`];
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
