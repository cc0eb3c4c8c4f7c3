/** @file Copying rows of 32-bit elements. */
import type { FunctionCode, Local, Value } from './function-code.js';

/** Copies `bytes` bytes, a multiple of 4, by vectors. `at` and `last` are locals to use. The last vector overlaps the one before it. */
export function copyWords(f: FunctionCode, to: Value, from: Value, bytes: Value, at: Local, last: Local): void {
  f.set(at, 0);
  f.set(last, f.sub(bytes, 16));
  f.if(
    f.ge(last, 0),
    () => {
      f.while(
        () => f.lt(at, last),
        () => {
          f.storeVector(f.add(to, at), 0, f.loadVector(f.add(from, at)));
          f.advance(at, 16);
        },
      );
      f.storeVector(f.add(to, last), 0, f.loadVector(f.add(from, last)));
    },
    () =>
      f.while(
        () => f.lt(at, bytes),
        () => {
          f.storeF32(f.add(to, at), 0, f.loadF32(f.add(from, at)));
          f.advance(at, 4);
        },
      ),
  );
}
