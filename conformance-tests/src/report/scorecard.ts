/** @file The scorecard: what passed, failed and is not supported, by op, with reasons. The same run gives the same bytes. */
import type { CaseResult, Failure } from '../check/result.js';
import type { SkipKind } from '../check/skip.js';
import type { Level } from '../suite.js';

export interface FailedCase extends Failure {
  readonly id: string;
}

/** One op, kernel, module, … */
export interface ScorecardRow {
  readonly level: Level;
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Why cases were skipped, and how many for each reason. */
  readonly skips: readonly { readonly kind: SkipKind; readonly reason: string; readonly cases: number }[];
  readonly failures: readonly FailedCase[];
}

export interface Scorecard {
  readonly device: string;
  /** Where it ran, such as `Chromium 150.0.1.2, in a worker`; undefined in Node, and where a page of one's own runs the kit. */
  readonly browser?: string;
  readonly dtypes: readonly string[];
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly rows: readonly ScorecardRow[];
}

/** Sums up the cases of one suite. */
export function rowOf(level: Level, name: string, results: readonly CaseResult[]): ScorecardRow {
  const skips = new Map<string, { kind: SkipKind; reason: string; cases: number }>();
  const failures: FailedCase[] = [];
  let passed = 0;
  for (const result of results) {
    if (result.status === 'passed') passed++;
    else if (result.status === 'failed') failures.push({ id: result.id, ...result.failure });
    else {
      const { kind, reason } = result;
      const entry = skips.get(reason) ?? { kind, reason, cases: 0 };
      entry.cases++;
      skips.set(reason, entry);
    }
  }
  const skipped = results.length - passed - failures.length;
  return { level, name, passed, failed: failures.length, skipped, skips: [...skips.values()], failures };
}

/** The scorecard of a run. Suites without cases that were run are left out. */
export function scorecardOf(device: string, dtypes: readonly string[], rows: readonly ScorecardRow[]): Scorecard {
  const run = rows.filter(({ passed, failed, skipped }) => passed + failed + skipped > 0);
  const total = (part: 'passed' | 'failed' | 'skipped'): number => run.reduce((sum, row) => sum + row[part], 0);
  return { device, dtypes, passed: total('passed'), failed: total('failed'), skipped: total('skipped'), rows: run };
}

/** The line that a run ends with. */
export const summaryOf = ({ passed, failed, skipped }: Pick<Scorecard, 'passed' | 'failed' | 'skipped'>): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** The device, and the browser that it ran in. */
export const titleOf = ({ device, browser }: Pick<Scorecard, 'device' | 'browser'>): string =>
  browser === undefined ? device : `${device} (${browser})`;
