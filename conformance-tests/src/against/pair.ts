/** @file Two devices that run side by side in one runtime. */
import * as core from '@tessera/core';
import { type Device, Runtime, runtimes } from '@tessera/core';
import { type SubjectSource, withSubject } from '../subject/start.js';

export interface Pair {
  readonly mine: Device;
  readonly theirs: Device;
}

/** Runs `body` with both, which end with it. */
export async function withPair<T>(mine: SubjectSource, theirs: SubjectSource, body: (pair: Pair) => Promise<T>): Promise<T> {
  return withSubject(mine, undefined, (one) =>
    withSubject(theirs, undefined, async (other) => {
      // Names are looked up nowhere: tensors are made on the devices themselves.
      const outer = runtimes.current;
      runtimes.current = new Runtime(core);
      try {
        return await body({ mine: one.device, theirs: other.device });
      } finally {
        runtimes.current = outer;
      }
    }),
  );
}
