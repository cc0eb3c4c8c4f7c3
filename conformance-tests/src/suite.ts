/** @file Levels, suites and cases: what there is to run. */
import type { Subject } from './subject/subject.js';

/** Each level builds on those before it. */
export const LEVELS = ['kernels', 'ops', 'modules', 'optimizers', 'training'] as const;
export type Level = (typeof LEVELS)[number];

export interface Case {
  /** Unique in its level. */
  readonly id: string;
  /** Why it is not run. */
  readonly skip?: string;
  /** Why it is run, and expected not to agree. */
  readonly difference?: string;
  /** The call as a person would write it. */
  inputs?(): string;
  /** @param stage Says which part runs now. @throws Mismatch, Skip, and whatever the device throws */
  run(stage: (name: string) => void): Promise<void>;
}

/** The cases of one op, kernel, module, … */
export interface Suite {
  readonly level: Level;
  readonly name: string;
  cases(subject: Subject): AsyncIterable<Case>;
}
