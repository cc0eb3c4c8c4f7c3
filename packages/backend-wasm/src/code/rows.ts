/** @file Copying rows of 32-bit elements. */
import { f32, type FunctionBuilder, i32, v128 } from '../assembler/index.js';
import type { I32, Value } from './emit.js';

/** Copies `bytes` bytes, a multiple of 4, by vectors. `at` and `last` are locals to use. The last vector overlaps the one before it. */
export function copyWords(f: FunctionBuilder, to: Value, from: Value, bytes: Value, at: I32, last: I32): void {
  f.set(at, 0);
  f.set(last, i32.sub(bytes, 16));
  f.if(
    i32.geS(last, 0),
    () => {
      f.while(
        () => i32.ltS(at, last),
        () => {
          f.emit(v128.store(i32.add(to, at), v128.load(i32.add(from, at))));
          f.increment(at, 16);
        },
      );
      f.emit(v128.store(i32.add(to, last), v128.load(i32.add(from, last))));
    },
    () =>
      f.while(
        () => i32.ltS(at, bytes),
        () => {
          f.emit(f32.store(i32.add(to, at), f32.load(i32.add(from, at))));
          f.increment(at, 4);
        },
      ),
  );
}
