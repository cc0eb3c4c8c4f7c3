/** @file A kind of thing that two devices are compared on. */
import type * as FastCheck from 'fast-check';
import type { Difference } from './closeness.js';
import type { Pair } from './pair.js';

export interface Kind<T> {
  readonly name: string;
  /** Random cases, which fast-check also makes smaller. */
  arbitrary(fc: typeof FastCheck, pair: Pair): FastCheck.Arbitrary<T>;
  /** Where the two differ on a case. A device that throws differs. */
  difference(pair: Pair, one: T): Promise<(Difference & { readonly what: string }) | null>;
  /** A case for a person to read, in lines. */
  describe(one: T): string[];
}
