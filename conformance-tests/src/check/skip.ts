/** @file Why a case was not run. Skips are results: the scorecard lists each with its reason. */

/**
 * What kind of reason: something that does not exist yet, that the device has not, that it may leave to core (an accelerated kernel), that the
 * framework leaves out on purpose, or that it does in another way than PyTorch on purpose.
 */
export type SkipKind = 'missing' | 'device' | 'optional' | 'scope' | 'difference';

/** Thrown by whatever finds that a case cannot be run; the case then counts as skipped. */
export class Skip extends Error {
  constructor(
    readonly kind: SkipKind,
    readonly reason: string,
  ) {
    super(reason);
  }
}
