/** @file The scorecard in a few lines: how much of each level passed, and why the rest was not run. */
import { LEVELS } from '../suite.js';
import type { SkipKind } from '../check/skip.js';
import type { Scorecard, ScorecardRow } from './scorecard.js';

/** The cases of a level. */
export interface LevelTotals {
  readonly level: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What part of its cases passed, from 0 to 1; of those of accelerated kernels, which are optional, only what was run counts. */
  readonly share: number;
}

/** Why cases were not run: how many, and in which suites. */
export interface ReasonTotals {
  readonly kind: SkipKind;
  readonly reason: string;
  readonly cases: number;
  readonly names: readonly string[];
}

/** What each kind of reason is called on the scorecard. */
export const KIND_TITLES: { readonly [K in SkipKind]: string } = {
  missing: 'does not exist yet',
  device: 'the device has not',
  optional: 'core composes it',
  scope: 'left out on purpose',
  difference: 'differs on purpose',
};

/** Cases of accelerated kernels that the backend leaves to core. */
const optionalCases = (rows: readonly ScorecardRow[]): number =>
  rows.flatMap(({ skips }) => skips).reduce((sum, { kind, cases }) => sum + (kind === 'optional' ? cases : 0), 0);

export function levelTotals({ rows }: Scorecard): LevelTotals[] {
  return LEVELS.filter((level) => rows.some((row) => row.level === level)).map((level) => {
    const total = (part: 'passed' | 'failed' | 'skipped'): number =>
      rows.filter((row) => row.level === level).reduce((sum, row) => sum + row[part], 0);
    const [passed, failed, skipped] = [total('passed'), total('failed'), total('skipped')];
    const optional = optionalCases(rows.filter((row) => row.level === level));
    return { level, passed, failed, skipped, share: passed / Math.max(1, passed + failed + skipped - optional) };
  });
}

/** All reasons, those of most cases first. */
export function reasonTotals({ rows }: Scorecard): ReasonTotals[] {
  const found = new Map<string, { kind: SkipKind; reason: string; cases: number; names: string[] }>();
  for (const { name, skips } of rows as readonly ScorecardRow[]) {
    for (const { kind, reason, cases } of skips) {
      const entry = found.get(reason) ?? { kind, reason, cases: 0, names: [] };
      entry.cases += cases;
      if (!entry.names.includes(name)) entry.names.push(name);
      found.set(reason, entry);
    }
  }
  return [...found.values()].sort((a, b) => b.cases - a.cases || (a.reason < b.reason ? -1 : 1));
}

/** How many names a reason lists. */
const NAMES = 4;
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
export const someOf = (names: readonly string[]): string =>
  names.slice(0, NAMES).join(', ') + (names.length > NAMES ? ` and ${names.length - NAMES} more` : '');

/** How many reasons a terminal is shown. */
const REASONS = 12;

/** For a terminal. */
export function overviewLines(card: Scorecard): string[] {
  const lines = levelTotals(card).map(
    ({ level, passed, failed, skipped, share }) =>
      `${level.padEnd(12)}${String(passed).padStart(7)} passed${String(failed).padStart(6)} failed${String(skipped).padStart(6)} not run   ${percent(share)}`,
  );
  const all = reasonTotals(card);
  // A backend may have none of the accelerated kernels: one line for them together.
  const optional = all.filter(({ kind }) => kind === 'optional');
  if (optional.length > 0) {
    const names = [...new Set(optional.flatMap((reason) => reason.names))];
    lines.push(
      `  ${String(optionalCases(card.rows)).padStart(5)} not run, of kernels that core composes where a backend has none or declines: ${someOf(names)}`,
    );
  }
  const reasons = all.filter(({ kind }) => kind !== 'optional');
  for (const { kind, reason, cases, names } of reasons.slice(0, REASONS))
    lines.push(`  ${String(cases).padStart(5)} not run, ${KIND_TITLES[kind]}: ${reason} (${someOf(names)})`);
  if (reasons.length > REASONS) lines.push(`  … and ${reasons.length - REASONS} more reasons: --report DIR lists them all`);
  return lines;
}
