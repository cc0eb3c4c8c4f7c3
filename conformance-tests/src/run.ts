/** @file The whole suite as a function: `runConformance`. */
import type { CaseResult } from './check/result.js';
import { type FixtureSource, shippedFixtures } from './fixtures/index.js';
import { suitesOf } from './levels.js';
import { type FailedCase, rowOf, type Scorecard, type ScorecardRow, scorecardOf } from './report/scorecard.js';
import { runSuite } from './run-suite.js';
import { type SubjectSource, withSubject } from './subject/start.js';
import { mayContain, wantedBy } from './select.js';
import type { Level } from './suite.js';

export type ConformanceOptions = SubjectSource & Selection & Progress;

/** What to run. */
export interface Selection {
  /** Shown on the scorecard. Default: the backend's id. */
  readonly name?: string;
  /** Everything up to this level. Default: `training`, all of it. */
  readonly level?: Level;
  /** These levels alone, in place of `level`. */
  readonly levels?: readonly Level[];
  /**
   * Only these, separated by commas: names whole or in part (`softmax` is also log_softmax, nn.Softmax and nn.Softmax2d), one name alone (`softmax/`),
   * the beginning of an id (`add/sample`), an id, or any of these with `*`.
   */
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
  /** Of each case as it ends. */
  onCase?(result: CaseResult, row: { readonly level: Level; readonly name: string }): void;
  onRow?(row: ScorecardRow, progress: { readonly done: number; readonly of: number }): void;
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
    const suites = (await suitesOf(options, fixtures)).filter((suite) => only === undefined || mayContain(suite, only));
    for (const [done, suite] of suites.entries()) {
      const results = [];
      for await (const result of runSuite(suite, subject, wantedBy(suite, only, sample))) {
        results.push(result);
        options.onCase?.(result, suite);
        if (result.status === 'failed') options.onFailure?.({ id: result.id, ...result.failure }, suite);
      }
      const row = rowOf(suite.level, suite.name, results);
      rows.push(row);
      if (results.length > 0) options.onRow?.(row, { done: done + 1, of: suites.length });
    }
    return scorecardOf(subject.name, subject.device.backend.capabilities.dtypes, rows);
  });
}
