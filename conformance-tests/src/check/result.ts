/** @file What comes of a case. */
import type { SkipKind } from './skip.js';

export type CaseResult =
  | { readonly id: string; readonly status: 'passed' }
  | { readonly id: string; readonly status: 'skipped'; readonly kind: SkipKind; readonly reason: string }
  | { readonly id: string; readonly status: 'failed'; readonly failure: Failure };

/** What a person needs to find the fault. */
export interface Failure {
  /** Which part of the case: the call, its gradients, its in-place form, … */
  readonly stage: string;
  readonly message: string;
  /** The call as one would write it, its tensors in short. */
  readonly inputs?: string;
  readonly expected?: string;
  readonly got?: string;
}

/** Thrown by checks. */
export class Mismatch extends Error {
  constructor(
    message: string,
    readonly expected?: string,
    readonly got?: string,
  ) {
    super(message);
  }
}
