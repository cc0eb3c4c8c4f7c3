/** @file What an adapter of a library gives: for each op of `cases.mjs` a function that prepares a case. */
import type { BenchmarkCase, BenchmarkInputs } from '../cases.mjs';

/** A prepared case. */
export interface Prepared {
  /** Computes the result once, to its end. */
  run(): unknown;
  /** The result, or for a training case its first losses. */
  read(): Promise<ArrayLike<number>>;
  dispose?(): void;
}

export interface Adapter {
  readonly ops: Readonly<Record<string, (inputs: BenchmarkInputs, one: BenchmarkCase) => Prepared>>;
}
