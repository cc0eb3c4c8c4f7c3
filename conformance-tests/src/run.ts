/** @file The whole suite as a function: `runConformance`. */
import { type FixtureSource, shippedFixtures } from './fixtures/index.js';
import { suitesOf } from './levels.js';
import { type FailedCase, rowOf, type Scorecard, type ScorecardRow, scorecardOf } from './report/scorecard.js';
import { runSuite } from './run-suite.js';
import { type SubjectSource, withSubject } from './subject/start.js';
import type { Level, Suite } from './suite.js';

export type ConformanceOptions = SubjectSource & Selection & Progress;

/** What to run. */
export interface Selection {
  /** Shown on the scorecard. Default: the backend's id. */
  readonly name?: string;
  /** Everything up to this level. Default: `training`, all of it. */
  readonly level?: Level;
  /** These levels alone, in place of `level`. */
  readonly levels?: readonly Level[];
  /** Only cases whose id, or whose op's name, fits: see {@link selects}. */
  readonly only?: string;
  /**
   * A fixed sample in place of all cases: of each op and layer the first case of each kind (PyTorch's samples, strided ones, special values, edges,
   * calls that it refuses, …); all kernels, optimizers and models. Default false.
   */
  readonly sample?: boolean;
  /** Default: the data that this package ships. */
  readonly fixtures?: FixtureSource;
}

/** Told while it runs. */
export interface Progress {
  onRow?(row: ScorecardRow): void;
  onFailure?(failure: FailedCase, row: { readonly level: Level; readonly name: string }): void;
}

/**
 * Runs the conformance suite on a backend.
 *
 * @example
 * const card = await runConformance({ create: () => new MyBackend(), level: 'ops' });
 * process.exitCode = card.failed > 0 ? 1 : 0;
 */
export async function runConformance(options: ConformanceOptions): Promise<Scorecard> {
  const { only, sample = false, fixtures = shippedFixtures() } = options;
  return withSubject(options, options.name, async (subject) => {
    const rows: ScorecardRow[] = [];
    for (const suite of await suitesOf(options, fixtures)) {
      if (only !== undefined && !mayContain(suite, only)) continue;
      const results = [];
      for await (const result of runSuite(suite, subject, wantedBy(suite, only, sample))) {
        results.push(result);
        if (result.status === 'failed') options.onFailure?.({ id: result.id, ...result.failure }, suite);
      }
      const row = rowOf(suite.level, suite.name, results);
      rows.push(row);
      if (results.length > 0) options.onRow?.(row);
    }
    return scorecardOf(subject.name, subject.device.backend.capabilities.dtypes, rows);
  });
}

/** Tells which cases of a suite are wanted. Asked once for each, in order. */
export function wantedBy(suite: Suite, only: string | undefined, sample: boolean): (id: string) => boolean {
  const seen = new Set<string>();
  const sampled = sample && (suite.level === 'ops' || suite.level === 'modules');
  return (id) => {
    if (only !== undefined && !selects(only, suite, id)) return false;
    const kind = id.slice(0, id.lastIndexOf('/'));
    if (!sampled) return true;
    if (seen.has(kind)) return false;
    seen.add(kind);
    return true;
  };
}

/** Does one of the patterns, separated by commas, pick a case? */
export function selects(patterns: string, suite: Suite, id: string): boolean {
  return patterns.split(',').some((pattern) => picks(pattern.trim(), suite, id));
}

/**
 * A pattern is the name of an op (`add`, and with it the op's variants: `div` picks `div.floor_rounding`), the beginning
 * of an id (`add/sample`), a whole id, or any of these with `*`.
 */
function picks(pattern: string, { name }: Suite, id: string): boolean {
  if (pattern.includes('*')) {
    const regex = new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);
    return regex.test(name) || regex.test(id);
  }
  if (pattern.includes('/')) return id === pattern || id.startsWith(`${pattern}/`);
  return name === pattern || name.startsWith(`${pattern}.`) || name.endsWith(`.${pattern}`);
}

/** Need its cases be looked at? */
export function mayContain(suite: Suite, patterns: string): boolean {
  return patterns.split(',').some((pattern) => pattern.includes('*') || picks(pattern.trim().split('/')[0], suite, ''));
}
