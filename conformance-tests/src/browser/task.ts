/** @file What goes between Node and the page: tasks in, progress and answers out, all of it JSON. */
import type { CaseResult } from '../check/result.js';
import type { FailedCase, Scorecard, ScorecardRow } from '../report/scorecard.js';
import type { Selection } from '../run.js';
import type { Level } from '../suite.js';

/** What a page is to do: run the suite on a device, or say which devices a module brings. */
export type Task =
  | { readonly kind: 'devices'; readonly module: string }
  | {
      readonly kind: 'run';
      /** As the bundle calls it: the name that the person gave. */
      readonly module: string;
      readonly device: string;
      readonly backendOptions?: Readonly<Record<string, unknown>>;
      readonly selection: Omit<Selection, 'fixtures'>;
    };

/** Told while a page runs. */
export type Report =
  | { readonly kind: 'case'; readonly result: CaseResult; readonly suite: SuiteName }
  | { readonly kind: 'failure'; readonly failure: FailedCase; readonly suite: SuiteName }
  | { readonly kind: 'row'; readonly row: ScorecardRow; readonly progress: { readonly done: number; readonly of: number } };

export interface SuiteName {
  readonly level: Level;
  readonly name: string;
}

/** What comes of a task. */
export type Answer = { readonly devices: string[] } | { readonly card: Scorecard } | { readonly error: PageError };

/** An error that left the page; with a code where it is one of the framework's. */
export interface PageError {
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
}

/** Where the page computes: in a module worker, which may wait, or on its main thread, which may not. */
export type PageThread = 'worker' | 'page';
